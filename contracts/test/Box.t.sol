// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {ElectionParams} from "../interfaces/IBallotBoxFactory.sol";
import {VM, Vm} from "./Vm.sol";
import {Ballots} from "./support/Ballots.sol";
import {ElectionTest} from "./support/ElectionTest.sol";
import {Electorate, Electorates} from "./support/Electorate.sol";

/// @notice What a box says about itself, its start and its cancellation.
contract BoxTest is ElectionTest {
    using Electorates for Electorate;

    function test_views__new_box__say_what_it_was_made_with() public view {
        VM.assertEq(box.head(), keccak256(DEFINITION));
        VM.assertEq(box.definitionHash(), keccak256(DEFINITION));
        VM.assertEq(box.organizer(), organizer);
        VM.assertEq(box.opensAt(), OPENS_AT);
        VM.assertEq(box.closesAt(), CLOSES_AT);
        VM.assertEq(box.sheetBits(), SHEET_BITS);
        VM.assertEq(box.voters(), VOTERS);
        VM.assertEq(box.maxBallotBytes(), MAX_BALLOT_BYTES);
        VM.assertFalse(box.textBallots(), "text ballots");
        VM.assertEq(box.sheetCount(), 3);
        bytes32[] memory roots = _electorate().roots();
        for (uint256 sheet = 0; sheet < 3; ++sheet) {
            VM.assertEq(box.sheetRoot(sheet), roots[sheet]);
        }
    }

    function test_views__box_of_the_greatest_election__lose_no_bit() public {
        ElectionParams memory params =
            ElectionParams((1 << 39) - 2, (1 << 39) - 1, 16, 764 << 16, type(uint16).max, true);
        bytes32[] memory roots = new bytes32[](764);
        for (uint256 sheet = 0; sheet < roots.length; ++sheet) {
            roots[sheet] = ~bytes32(sheet);
        }
        box = _create(params, roots, 1);
        VM.assertEq(
            abi.encode(
                box.opensAt(), box.closesAt(), box.sheetBits(), box.voters(), box.maxBallotBytes(), box.textBallots()
            ),
            abi.encode(params)
        );
        VM.assertEq(box.sheetCount(), 764);
        VM.assertEq(box.sheetRoot(763), roots[763]);
    }

    function test_sheet_root__sheet_out_of_range__reverts() public {
        uint256[3] memory sheets = [uint256(3), 4, type(uint256).max];
        for (uint256 i = 0; i < sheets.length; ++i) {
            _assertRefuses(
                abi.encodeCall(IBallotBox.sheetRoot, (sheets[i])),
                abi.encodeWithSelector(IBallotBox.BallotBoxSheetOutOfRange.selector, sheets[i], 3)
            );
        }
    }

    function test_cancelled_head__of_any_box__is_the_published_constant() public {
        (bool ok, bytes memory answer) = address(box).call(abi.encodeWithSignature("CANCELLED_HEAD()"));
        VM.assertTrue(ok);
        VM.assertEq(abi.decode(answer, (bytes32)), CANCELLED_HEAD);
    }

    function test_eip712_domain__on_this_chain__names_the_box() public {
        VM.chainId(11_155_111);
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        ) = box.eip712Domain();
        VM.assertEq(bytes32(fields), bytes32(bytes1(0x0f)));
        VM.assertEq(bytes(name), "QBallot");
        VM.assertEq(bytes(version), "1");
        VM.assertEq(chainId, 11_155_111);
        VM.assertEq(verifyingContract, address(box));
        VM.assertEq(salt, bytes32(0));
        VM.assertEq(extensions.length, 0);
    }

    function testFuzz_hash_ballot__any_ballot_and_chain__is_the_eip712_digest(
        uint32 voter,
        uint40 castAt,
        bytes calldata ballot,
        uint64 chainId
    ) public {
        VM.chainId(chainId);
        bytes32 expected = Ballots.digest(chainId, address(box), voter, castAt, ballot);
        VM.assertEq(box.hashBallot(voter, castAt, ballot), expected);
    }

    function test_storage__after_creation_and_casts__is_one_slot() public {
        _castDirectly(0, BALLOT);
        VM.assertEq(VM.load(address(box), 0), box.head());
        for (uint256 slot = 1; slot < 16; ++slot) {
            VM.assertEq(VM.load(address(box), bytes32(slot)), bytes32(0));
        }
    }

    function test_initialize__again__reverts() public {
        bytes32 head = box.head();
        bytes memory call = abi.encodeCall(IBallotBox.initialize, ());
        bytes memory failure = abi.encodeWithSelector(IBallotBox.BallotBoxAlreadyInitialized.selector, head);
        _assertReverts(organizer, address(box), call, failure);
        _assertReverts(address(factory), address(box), call, failure);
        _castDirectly(1, BALLOT);
        _assertRefuses(call, abi.encodeWithSelector(IBallotBox.BallotBoxAlreadyInitialized.selector, box.head()));
    }

    function test_initialize__cancelled_box__reverts() public {
        _cancelAt(CREATED_AT);
        _assertRefuses(
            abi.encodeCall(IBallotBox.initialize, ()),
            abi.encodeWithSelector(IBallotBox.BallotBoxAlreadyInitialized.selector, CANCELLED_HEAD)
        );
    }

    function test_implementation__every_write__reverts() public {
        address implementation = factory.implementation();
        _assertReverts(
            stranger,
            implementation,
            abi.encodeCall(IBallotBox.initialize, ()),
            abi.encodeWithSelector(IBallotBox.BallotBoxNotAClone.selector, implementation)
        );
        bytes memory failure = abi.encodeWithSelector(IBallotBox.BallotBoxNotInitialized.selector);
        _assertReverts(_electorate().accounts[0], implementation, _directCall(0, BALLOT), failure);
        bytes memory batch = _signedBatch(_list(0));
        _assertReverts(stranger, implementation, _batchCall(batch, _list(0)), failure);
        _assertReverts(organizer, implementation, abi.encodeCall(IBallotBox.cancel, ()), failure);
        VM.assertEq(VM.load(implementation, 0), bytes32(0));
    }

    function test_writes__clone_never_initialized__revert() public {
        address clone = address(uint160(uint256(keccak256("a clone without a start"))));
        VM.etch(clone, address(box).code);
        bytes memory failure = abi.encodeWithSelector(IBallotBox.BallotBoxNotInitialized.selector);
        _assertReverts(_electorate().accounts[0], clone, _directCall(0, BALLOT), failure);
        bytes memory batch = _signedBatch(_list(0));
        _assertReverts(stranger, clone, _batchCall(batch, _list(0)), failure);
        VM.warp(CREATED_AT);
        _assertReverts(organizer, clone, abi.encodeCall(IBallotBox.cancel, ()), failure);
    }

    function test_cancel__organizer_before_opening__ends_the_election() public {
        VM.recordLogs();
        _cancelAt(OPENS_AT - 1);
        Vm.Log[] memory logs = VM.getRecordedLogs();
        VM.assertEq(logs.length, 1, "logs");
        VM.assertEq(logs[0].emitter, address(box));
        VM.assertEq(logs[0].topics.length, 1, "topics");
        VM.assertEq(logs[0].topics[0], keccak256("BallotBoxCancelled()"));
        VM.assertEq(logs[0].data.length, 0, "data");
        VM.assertEq(box.head(), CANCELLED_HEAD);

        bytes memory failure = abi.encodeWithSelector(IBallotBox.BallotBoxElectionCancelled.selector);
        _assertReverts(organizer, address(box), abi.encodeCall(IBallotBox.cancel, ()), failure);
        for (uint256 time = OPENS_AT - 1; time <= CLOSES_AT; time += 500) {
            VM.warp(time);
            _assertReverts(_electorate().accounts[0], address(box), _directCall(0, BALLOT), failure);
            bytes memory batch = _signedBatch(_list(0));
            _assertRefuses(_batchCall(batch, _list(0)), failure);
        }
    }

    function test_cancel__at_or_after_opening__reverts() public {
        uint256[5] memory times = [uint256(OPENS_AT), OPENS_AT + 1, CLOSES_AT - 1, CLOSES_AT, 1 << 40];
        for (uint256 i = 0; i < times.length; ++i) {
            VM.warp(times[i]);
            _assertReverts(
                organizer,
                address(box),
                abi.encodeCall(IBallotBox.cancel, ()),
                abi.encodeWithSelector(IBallotBox.BallotBoxAlreadyOpened.selector, times[i], OPENS_AT)
            );
        }
        VM.assertEq(box.head(), keccak256(DEFINITION));
    }

    function test_cancel__anyone_else__reverts() public {
        VM.warp(CREATED_AT);
        address[4] memory callers = [stranger, address(factory), address(box), address(0)];
        for (uint256 i = 0; i < callers.length; ++i) {
            _assertReverts(
                callers[i],
                address(box),
                abi.encodeCall(IBallotBox.cancel, ()),
                abi.encodeWithSelector(IBallotBox.BallotBoxNotOrganizer.selector, callers[i], organizer)
            );
        }
        VM.assertEq(box.head(), keccak256(DEFINITION));
    }

    function test_cancel__contract_that_the_organizer_calls__is_not_the_organizer() public {
        VM.warp(CREATED_AT);
        VM.prank(stranger, organizer);
        (bool ok, bytes memory answer) = address(box).call(abi.encodeCall(IBallotBox.cancel, ()));
        VM.assertFalse(ok);
        VM.assertEq(answer, abi.encodeWithSelector(IBallotBox.BallotBoxNotOrganizer.selector, stranger, organizer));
    }

    function test_box__ether_or_unknown_function__is_refused() public {
        VM.deal(address(this), 1 ether);
        (bool ok,) = address(box).call{value: 1}("");
        VM.assertFalse(ok, "ether");
        (ok,) = address(box).call{value: 1}(abi.encodeCall(IBallotBox.head, ()));
        VM.assertFalse(ok, "ether to a view");
        (ok,) = address(box).call("");
        VM.assertFalse(ok, "no function");
        (ok,) = address(box).call(hex"12345678");
        VM.assertFalse(ok, "an unknown function");
        VM.assertEq(box.head(), keccak256(DEFINITION));
    }

    function _cancelAt(uint256 time) private {
        VM.warp(time);
        VM.prank(organizer);
        box.cancel();
    }
}
