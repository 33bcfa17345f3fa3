// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../../interfaces/IBallotBox.sol";
import {ElectionParams, IBallotBoxFactory} from "../../interfaces/IBallotBoxFactory.sol";
import {VM, Vm} from "../Vm.sol";
import {Ballots} from "./Ballots.sol";
import {Electorate, Electorates} from "./Electorate.sol";

/// @title An open election of ten voters in sheets of four, four and two
/// @notice Tests begin in the middle of its window. They know the contracts by their interfaces and artifacts only.
abstract contract ElectionTest {
    using Electorates for Electorate;

    uint40 internal constant CREATED_AT = 1_800_000_000;
    uint40 internal constant OPENS_AT = CREATED_AT + 1000;
    uint40 internal constant NOW = CREATED_AT + 1500;
    uint40 internal constant CLOSES_AT = CREATED_AT + 2000;
    uint32 internal constant VOTERS = 10;
    uint8 internal constant SHEET_BITS = 2;
    uint16 internal constant MAX_BALLOT_BYTES = 8;
    bytes internal constant DEFINITION = "{\"qballot\":1,\"title\":\"A test\"}";
    bytes32 internal constant CANCELLED_HEAD = keccak256("QBallot: cancelled");
    bytes internal constant BALLOT = hex"00010080";

    address internal organizer = address(uint160(uint256(keccak256("organizer"))));
    address internal stranger = address(uint160(uint256(keccak256("stranger"))));
    IBallotBoxFactory internal factory;
    IBallotBox internal box;

    function setUp() public virtual {
        VM.warp(CREATED_AT);
        factory = IBallotBoxFactory(VM.deployCode("BallotBoxFactory.sol:BallotBoxFactory"));
        box = _create(_electorate(), 0);
        VM.warp(NOW);
    }

    function _electorate() internal pure returns (Electorate memory) {
        return Electorates.make(VOTERS, SHEET_BITS).seal();
    }

    function _params() internal pure returns (ElectionParams memory) {
        return ElectionParams(OPENS_AT, CLOSES_AT, SHEET_BITS, VOTERS, MAX_BALLOT_BYTES, false);
    }

    /// @dev An election of this electorate by `organizer`. The clock must stand before the opening.
    function _create(Electorate memory electorate, uint256 salt) internal returns (IBallotBox) {
        ElectionParams memory params = _params();
        params.voters = uint32(electorate.accounts.length);
        params.sheetBits = uint8(electorate.sheetBits);
        return _create(params, electorate.roots(), salt);
    }

    function _create(ElectionParams memory params, bytes32[] memory roots, uint256 salt) internal returns (IBallotBox) {
        VM.prank(organizer);
        return IBallotBox(factory.create(params, roots, bytes32(salt), DEFINITION));
    }

    /// @dev The same as `_create` in the middle of the window: the clock goes back for a moment.
    function _createAndOpen(Electorate memory electorate) internal returns (IBallotBox opened) {
        VM.warp(CREATED_AT);
        opened = _create(electorate, 1);
        VM.warp(NOW);
    }

    /// @dev Casts a voter's ballot by the voter's own transaction.
    function _castDirectly(uint256 voter, bytes memory ballot) internal {
        Electorate memory electorate = _electorate();
        VM.prank(electorate.accounts[voter]);
        box.cast(uint32(voter), electorate.weights[voter], ballot, electorate.prove(voter));
    }

    /// @dev The call that casts a voter's ballot directly.
    function _directCall(uint256 voter, bytes memory ballot) internal pure returns (bytes memory) {
        Electorate memory electorate = _electorate();
        return
            abi.encodeCall(IBallotBox.cast, (uint32(voter), electorate.weights[voter], ballot, electorate.prove(voter)));
    }

    /// @dev The record of a voter of the default electorate.
    function _record(uint256 voter, uint256 castAt, bytes memory ballot) internal pure returns (bytes memory) {
        return Ballots.pack(voter, castAt, 1 + 7 * voter, ballot);
    }

    /// @dev The same record followed by the voter's signature for `box` on this chain.
    function _signed(uint256 voter, uint256 castAt, bytes memory ballot) internal view returns (bytes memory) {
        bytes32 digest = Ballots.digest(VM.getChainId(), address(box), voter, castAt, ballot);
        return bytes.concat(_record(voter, castAt, ballot), Ballots.sign(Electorates.key(voter), digest));
    }

    /// @dev Signed records of the default ballot by these voters, dated now.
    function _signedBatch(uint256[] memory voters) internal view returns (bytes memory batch) {
        for (uint256 i = 0; i < voters.length; ++i) {
            batch = bytes.concat(batch, _signed(voters[i], NOW, BALLOT));
        }
    }

    /// @dev The call that casts signed records with a right proof for these voters of the default electorate.
    function _batchCall(bytes memory signed, uint256[] memory voters) internal pure returns (bytes memory) {
        return _signedCall(signed, _electorate().proveMany(voters));
    }

    /// @dev The call that casts signed records with this proof.
    function _signedCall(bytes memory signed, bytes32[] memory proof) internal pure returns (bytes memory) {
        return abi.encodeCall(IBallotBox.castSigned, (Ballots.packBatch(signed), proof));
    }

    /// @dev The call that casts a packed batch with a right proof for these voters of the default electorate.
    function _packedCall(bytes memory batch, uint256[] memory voters) internal pure returns (bytes memory) {
        return abi.encodeCall(IBallotBox.castSigned, (batch, _electorate().proveMany(voters)));
    }

    /// @dev `sender` calls `target`, which must succeed and emit exactly the event of this batch, as its next head says.
    function _assertCasts(address sender, address target, bytes memory call, bytes memory records) internal {
        bytes32 head = IBallotBox(target).head();
        VM.recordLogs();
        VM.prank(sender);
        (bool ok, bytes memory answer) = target.call(call);
        VM.assertTrue(ok, "the cast reverts");
        VM.assertEq(answer.length, 0, "the cast answers something");
        Vm.Log[] memory logs = VM.getRecordedLogs();
        VM.assertEq(logs.length, 1, "not one log");
        VM.assertEq(logs[0].emitter, target);
        VM.assertEq(logs[0].topics.length, 1, "topics");
        VM.assertEq(logs[0].topics[0], keccak256("BallotsCast(bytes)"), "event");
        VM.assertEq(logs[0].data, abi.encode(records), "records");
        VM.assertEq(IBallotBox(target).head(), Ballots.advance(head, records), "head");
    }

    /// @dev `sender` calls `target`, which must revert with exactly this data.
    function _assertReverts(address sender, address target, bytes memory call, bytes memory failure) internal {
        VM.prank(sender);
        (bool ok, bytes memory answer) = target.call(call);
        VM.assertFalse(ok, "the call succeeds");
        VM.assertEq(answer, failure, "the call reverts with other data");
    }

    /// @dev The same for `box` and any sender, with its head unchanged.
    function _assertRefuses(bytes memory call, bytes memory failure) internal {
        bytes32 head = box.head();
        _assertReverts(stranger, address(box), call, failure);
        VM.assertEq(box.head(), head, "head");
    }

    function _list(uint256 a) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = a;
    }

    function _list(uint256 a, uint256 b) internal pure returns (uint256[] memory list) {
        list = new uint256[](2);
        (list[0], list[1]) = (a, b);
    }

    function _list(uint256 a, uint256 b, uint256 c) internal pure returns (uint256[] memory list) {
        list = new uint256[](3);
        (list[0], list[1], list[2]) = (a, b, c);
    }

    /// @dev A number in [least, most] that depends on `seed` and, wherever it can, is it.
    function _bound(uint256 seed, uint256 least, uint256 most) internal pure returns (uint256) {
        return seed >= least && seed <= most ? seed : least + seed % (most - least + 1);
    }
}
