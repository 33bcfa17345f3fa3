// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../../interfaces/IBallotBox.sol";
import {VM, Vm} from "../Vm.sol";
import {Ballots, PackedBatch} from "../support/Ballots.sol";
import {ElectionTest} from "../support/ElectionTest.sol";
import {Electorates} from "../support/Electorate.sol";
import {Dice, Rolls} from "./Dice.sol";
import {Drawn, DrawnElections} from "./Elections.sol";
import {Flaws} from "./Flaws.sol";

/// @notice The contract beside the reference in plain Solidity: with the same calldata both give the same event and head,
/// or the same error.
contract DifferentialTest is ElectionTest {
    using Ballots for PackedBatch;
    using DrawnElections for Drawn;
    using Rolls for Dice;

    uint256 private constant MOST_VOTERS = 1024;
    address private constant PLACE = address(uint160(uint256(keccak256("a place for a box"))));
    /// Holds the accounts of all test keys as its code.
    address private constant ACCOUNTS = address(uint160(uint256(keccak256("accounts"))));
    bytes32 private constant HEAD = keccak256("some head");

    address private _implementation;
    bytes private _code;
    bytes private _plainCode;

    function setUp() public override {
        super.setUp();
        address[] memory accounts = new address[](MOST_VOTERS);
        for (uint256 i = 0; i < accounts.length; ++i) {
            accounts[i] = VM.addr(Electorates.key(i));
        }
        VM.etch(ACCOUNTS, abi.encode(accounts));
        _implementation = factory.implementation();
        _code = _implementation.code;
        _plainCode = VM.deployCode("PlainBox.sol:PlainBox").code;
    }

    /// forge-config: default.fuzz.runs = 128
    function testFuzz_cast_signed__any_batch_of_any_sheet__is_taken_by_both(bytes32 seed) public {
        Dice memory dice = Dice(seed);
        Drawn memory election = _open(dice, _rollSize(dice, MOST_VOTERS));
        election.fill(dice, 1 + dice.roll(8));
        election.sign(PLACE);
        bytes memory batch = Ballots.packBatch(election.list);
        VM.assertTrue(
            _compare(abi.encodeCall(IBallotBox.castSigned, (batch, election.prove()))), "a right batch is refused"
        );
        VM.assertEq(Ballots.packBatch(Ballots.unpackBatch(batch)), batch, "another form");
    }

    /// forge-config: default.fuzz.runs = 512
    function testFuzz_cast_signed__spoiled_in_any_way__has_the_same_fate_in_both(bytes32 seed) public {
        Dice memory dice = Dice(seed);
        Drawn memory election = _open(dice, _rollSize(dice, dice.roll(16) == 0 ? 200 : 12));
        election.fill(dice, 1 + dice.roll(8));
        uint256 flaws = dice.word();
        if (flaws % 4 == 0) Flaws.inRecord(election, dice);
        election.sign(PLACE);
        PackedBatch memory parts = Ballots.layOut(election.list);
        for (uint256 i = dice.roll(3); i > 0; --i) {
            Flaws.inParts(parts, dice);
        }
        bytes memory batch = parts.join();
        if ((flaws >> 8) % 4 == 0) batch = Flaws.inBytes(batch, dice);
        bytes32[] memory proof = election.prove();
        if ((flaws >> 16) % 8 == 0) proof = Flaws.inProof(proof, dice);
        if ((flaws >> 24) % 16 == 0) VM.warp(election.opensAt + dice.number(30));
        if ((flaws >> 32) % 32 == 0) VM.store(PLACE, 0, dice.roll(2) == 0 ? bytes32(0) : CANCELLED_HEAD);
        bytes memory call = abi.encodeCall(IBallotBox.castSigned, (batch, proof));
        if ((flaws >> 40) % 4 == 0) call = Flaws.frame(IBallotBox.castSigned.selector, batch, proof, dice);
        if (_compare(call)) {
            // Wherever its parts stood.
            (batch,) = abi.decode(Ballots.slice(call, 4, call.length - 4), (bytes, bytes32[]));
            VM.assertEq(Ballots.packBatch(Ballots.unpackBatch(batch)), batch, "another form");
        }
    }

    /// @dev A good base with anything behind it, well encoded.
    function testFuzz_cast_signed__anything_behind_a_good_base__has_the_same_fate_in_both(
        bytes32 seed,
        bytes calldata rest
    ) public {
        Dice memory dice = Dice(seed);
        Drawn memory election = _open(dice, _rollSize(dice, 40));
        election.fill(dice, 1 + dice.roll(8));
        bytes memory base = Ballots.layOut(election.list).base;
        base[23] = bytes1(uint8(dice.roll(6)));
        _compare(
            abi.encodeCall(IBallotBox.castSigned, (bytes.concat(base, hex"00", rest), new bytes32[](dice.roll(3))))
        );
    }

    /// @dev Any bytes behind the selector.
    function testFuzz_cast_signed__any_calldata__has_the_same_fate_in_both(bytes32 seed, bytes calldata data) public {
        Dice memory dice = Dice(seed);
        _open(dice, 1 + dice.roll(5));
        _compare(bytes.concat(IBallotBox.castSigned.selector, data));
        _compare(abi.encodeCall(IBallotBox.castSigned, (data, new bytes32[](0))));
    }

    function test_cast_signed__all_and_half_of_a_thousand__are_taken_by_both() public {
        Dice memory dice = Dice("a thousand");
        Drawn memory election = _open(dice, MOST_VOTERS);
        for (uint256 density = 8; density > 0; density -= 4) {
            election.fill(dice, density);
            election.sign(PLACE);
            bytes memory batch = Ballots.packBatch(election.list);
            VM.assertTrue(_compare(abi.encodeCall(IBallotBox.castSigned, (batch, election.prove()))), "refused");
        }
        VM.assertLt(256, election.prove().length, "elements of a long proof");
    }

    /// @dev Puts the box of a new election at the place, in the middle of its window.
    function _open(Dice memory dice, uint256 size) private returns (Drawn memory election) {
        election = DrawnElections.draw(dice, abi.decode(ACCOUNTS.code, (address[])), size);
        VM.etch(PLACE, election.code(_implementation));
        VM.store(PLACE, 0, HEAD);
        VM.warp(election.time);
    }

    /// @dev From 1 to `most`, small sizes as likely as large ones.
    function _rollSize(Dice memory dice, uint256 most) private pure returns (uint256 size) {
        size = 1 + dice.roll(1 << dice.roll(11));
        if (size > most) size = most;
    }

    /// @dev Makes the call with both implementations, from the same state. Returns whether it is taken.
    function _compare(bytes memory call) private returns (bool ok) {
        bytes32 head = VM.load(PLACE, 0);
        bytes memory outcome;
        (ok, outcome) = _try(_code, head, call);
        (, bytes memory expected) = _try(_plainCode, head, call);
        VM.assertEq(outcome, expected, "the contract and its reference disagree");
    }

    function _try(bytes memory code, bytes32 head, bytes memory call) private returns (bool ok, bytes memory outcome) {
        VM.etch(_implementation, code);
        VM.recordLogs();
        bytes memory answer;
        (ok, answer) = PLACE.call(call);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        outcome = abi.encode(ok, answer, VM.load(PLACE, 0), logs);
        VM.store(PLACE, 0, head);
    }
}
