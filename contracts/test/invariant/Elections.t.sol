// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../../interfaces/IBallotBox.sol";
import {IBallotBoxFactory} from "../../interfaces/IBallotBoxFactory.sol";
import {VM} from "../Vm.sol";
import {Handler} from "./Handler.sol";
import {Election} from "./Model.sol";

/// @notice What holds after any sequence of creations, casts, batches, cancellations, clock moves and garbage.
/// @dev What each single step must do is asserted in the handler, by the model.
contract ElectionsInvariants {
    Handler private _handler;

    function setUp() external {
        VM.warp(1_800_000_000);
        _handler = new Handler(IBallotBoxFactory(VM.deployCode("BallotBoxFactory.sol:BallotBoxFactory")));
    }

    /// @notice Forge calls the handler's actions only.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// @notice The head is the chain recomputed from the logs; the box keeps its rules and no other storage.
    function invariant_box__is_what_the_model_says() external view {
        for (uint256 i = 0; i < _handler.count(); ++i) {
            Election memory election = _handler.model(i);
            IBallotBox box = IBallotBox(election.box);
            VM.assertEq(box.head(), election.head, "head");
            VM.assertEq(VM.load(election.box, 0), election.head, "slot 0");
            VM.assertEq(VM.load(election.box, bytes32(uint256(1))), bytes32(0), "slot 1");
            VM.assertEq(box.organizer(), election.organizer);
            VM.assertEq(box.opensAt(), election.opensAt);
            VM.assertEq(box.closesAt(), election.closesAt);
            VM.assertEq(box.sheetBits(), election.sheetBits);
            VM.assertEq(box.voters(), election.voters);
            VM.assertEq(box.maxBallotBytes(), election.maxBallotBytes);
            VM.assertEq(box.textBallots(), election.textBallots, "text ballots");
        }
    }

    /// @notice The actions reach what they are there for: a model that refuses everything would hold too.
    function test_handler__a_few_hundred_actions__reach_every_outcome() external {
        for (uint256 step = 0; step < 600; ++step) {
            uint256 drawn = uint256(keccak256(abi.encode(step)));
            uint256 choice = drawn >> 128;
            if (drawn % 6 == 0) _handler.create(drawn, drawn >> 8);
            if (drawn % 6 == 1) _handler.warp(choice, (drawn >> 16) % 60);
            if (drawn % 6 == 2) _handler.cast(choice, drawn >> 16, bytes32(drawn), drawn >> 24);
            if (drawn % 6 == 3) _handler.castSigned(choice, drawn >> 16, drawn >> 32, bytes32(drawn), drawn >> 24);
            if (drawn % 6 == 4) _handler.cancel(choice, drawn >> 16);
            if (drawn % 6 == 5) _handler.meddle(choice, drawn >> 16, abi.encode(drawn));
        }
        VM.assertLt(5, _handler.casts(), "direct casts");
        VM.assertLt(5, _handler.batches(), "batches");
        VM.assertLt(0, _handler.cancellations(), "cancellations");
        VM.assertLt(5, _handler.refusals(), "refusals");
    }
}
