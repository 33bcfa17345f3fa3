// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../../interfaces/IBallotBox.sol";
import {VM} from "../Vm.sol";
import {Ballots, SignedRecord} from "../support/Ballots.sol";
import {ElectionTest} from "../support/ElectionTest.sol";
import {Vector, Vectors} from "./VectorFile.sol";

/// @notice Packed batches as the file has them, for the tests' own encoder and for a box.
contract BatchVectorsTest is ElectionTest {
    using Vectors for Vector;

    /// Whatever the file's batches are, they are neither before nor after this box's window, nor of other voters.
    uint40 private constant LATEST = (1 << 39) - 1;

    function test_batches__of_the_file__are_packed_and_read_so() public view {
        Vector[] memory batches = Vectors.open("batches.json").list("batches");
        for (uint256 i = 0; i < batches.length; ++i) {
            Vector[] memory records = batches[i].list("records");
            SignedRecord[] memory list = new SignedRecord[](records.length);
            for (uint256 j = 0; j < list.length; ++j) {
                list[j].record.voter = records[j].number("voter");
                list[j].record.castAt = records[j].number("cast_at");
                list[j].record.weight = records[j].number("weight");
                list[j].record.ballot = records[j].data("ballot");
                list[j].signature = bytes.concat(records[j].word("r"), records[j].word("vs"));
            }
            bytes memory packed = batches[i].data("packed");
            VM.assertEq(Ballots.packBatch(list), packed, "packed");
            VM.assertEq(abi.encode(Ballots.unpackBatch(packed)), abi.encode(list), "unpacked");
        }
    }

    /// @dev The signatures of the file are nobody's in any census: what is in its one form gets as far as a signature or
    /// the census, what is not is refused where the file says.
    function test_batches__of_the_file__reach_the_signatures_of_a_box() public {
        Vector[] memory batches = Vectors.open("batches.json").list("batches");
        for (uint256 i = 0; i < batches.length; ++i) {
            bytes memory packed = batches[i].data("packed");
            _placeBox(packed);
            Vector[] memory records = batches[i].list("records");
            uint256 latest = 0;
            for (uint256 j = 0; j < records.length; ++j) {
                uint256 castAt = records[j].number("cast_at");
                if (castAt > latest) latest = castAt;
            }
            bytes4 failure = _failureOf(packed);
            if (Ballots.integer(packed, 0, 4) == type(uint32).max) {
                VM.assertEq(bytes32(failure), bytes32(IBallotBox.BallotBoxVoterOutOfRange.selector), "voter");
            } else if (latest >= LATEST) {
                VM.assertEq(bytes32(failure), bytes32(IBallotBox.BallotBoxCastAtOutsideWindow.selector), "time");
            } else {
                VM.assertTrue(
                    failure == IBallotBox.BallotBoxInvalidSignature.selector
                        || failure == IBallotBox.BallotBoxBatchNotInCensus.selector,
                    "a batch in its one form"
                );
            }
        }
    }

    function test_batches__refused_in_the_file__are_refused_by_a_box_at_the_same_offset() public {
        Vector[] memory refused = Vectors.open("batches.json").list("refused");
        for (uint256 i = 0; i < refused.length; ++i) {
            bytes memory batch = refused[i].data("batch");
            _placeBox(batch);
            uint256 offset = refused[i].number("offset");
            (bool ok, bytes memory answer) = _cast(batch);
            VM.assertFalse(ok, "taken");
            bytes memory failure = refused[i].isNull("length")
                ? abi.encodeWithSelector(IBallotBox.BallotBoxNonCanonicalBatch.selector, offset)
                : abi.encodeWithSelector(
                    IBallotBox.BallotBoxTruncatedBatch.selector, offset, refused[i].number("length")
                );
            // The width is judged when all signatures are: the box may end with one of those before.
            if (bytes4(answer) != IBallotBox.BallotBoxInvalidSignature.selector) {
                VM.assertEq(answer, failure, "refusal");
            }
        }
    }

    /// @dev A box of one sheet with as many voters as there can be, open for all time, for ballots of any length.
    function _placeBox(bytes memory) private {
        VM.warp(LATEST - 1);
        VM.etch(
            address(box),
            abi.encodePacked(
                hex"363d3d373d3d3d363d73",
                factory.implementation(),
                hex"5af43d82803e903d91602b57fd5bf3",
                keccak256(DEFINITION),
                organizer,
                abi.encodePacked(
                    uint40(0), LATEST, uint8(32), type(uint32).max, type(uint16).max, uint8(0), keccak256("a root")
                )
            )
        );
    }

    function _failureOf(bytes memory batch) private returns (bytes4) {
        (bool ok, bytes memory answer) = _cast(batch);
        VM.assertFalse(ok, "a batch of nobody in the census is taken");
        return bytes4(answer);
    }

    function _cast(bytes memory batch) private returns (bool, bytes memory) {
        return address(box).call(abi.encodeCall(IBallotBox.castSigned, (batch, new bytes32[](0))));
    }
}
