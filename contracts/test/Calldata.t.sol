// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {ElectionParams} from "../interfaces/IBallotBoxFactory.sol";
import {VM} from "./Vm.sol";
import {Ballots} from "./support/Ballots.sol";
import {ElectionTest} from "./support/ElectionTest.sol";
import {Electorate, Electorates} from "./support/Electorate.sol";

/// @notice Attacks through lengths and offsets: in records, and in the ABI's encoding of a call.
contract CalldataTest is ElectionTest {
    using Electorates for Electorate;

    /// Gas within which a malformed call must end: no length field makes the box allocate what is not there.
    uint256 private constant GAS_LIMIT = 100_000;

    /// The ABI's words of `castSigned`, counted in bytes from the start of the calldata.
    uint256 private constant BATCH_OFFSET = 4;
    uint256 private constant BATCH_LENGTH = 4 + 64;

    function test_batch__cut_anywhere__is_truncated() public {
        bytes memory batch = _batch();
        for (uint256 length = 0; length < batch.length; ++length) {
            bytes memory cut = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                cut[i] = batch[i];
            }
            _assertRefuses(_batchCall(cut, _list(4, 6)), _failureOfCut(length, batch.length));
        }
    }

    /// @dev The same, with all of the batch still in the calldata: what lies behind its end is none of it.
    function test_batch__length_cut_anywhere__is_truncated() public {
        bytes memory batch = _batch();
        bytes memory call = _batchCall(batch, _list(4, 6));
        for (uint256 length = 0; length < batch.length; ++length) {
            _write(call, BATCH_LENGTH, length);
            _assertRefuses(call, _failureOfCut(length, batch.length));
        }
    }

    function test_batch__bytes_behind_its_last_record__are_truncated_ones() public {
        bytes memory batch = _batch();
        for (uint256 extra = 1; extra < 87; ++extra) {
            _assertRefuses(
                _batchCall(bytes.concat(batch, new bytes(extra)), _list(4, 6)),
                abi.encodeWithSelector(IBallotBox.BallotBoxTruncatedBatch.selector, batch.length, batch.length + extra)
            );
        }
    }

    function test_batch__greatest_record_length__is_truncated() public {
        bytes memory batch = _signed(4, NOW, BALLOT);
        (batch[21], batch[22]) = (0xff, 0xff);
        _assertRefuses(
            _batchCall(batch, _list(4)),
            abi.encodeWithSelector(IBallotBox.BallotBoxTruncatedBatch.selector, 0, batch.length)
        );
    }

    function test_batch__record_that_swallows_the_next__is_refused() public {
        bytes memory batch = _batch();
        // The first ballot's length now reaches into the second record, whose signature becomes the first's.
        batch[22] = bytes1(uint8(batch.length - 23 - 64));
        _assertRefuses(
            _batchCall(batch, _list(4)),
            abi.encodeWithSelector(IBallotBox.BallotBoxBallotTooLong.selector, 4, batch.length - 23 - 64, 8)
        );
    }

    function test_batch__kilobytes_of_zeros__ends_early() public {
        bytes memory batch = new bytes(100_000);
        uint256 before = gasleft();
        _assertRefuses(
            _signedCall(batch, new bytes32[](0)),
            abi.encodeWithSelector(IBallotBox.BallotBoxCastAtOutsideWindow.selector, 0, 0, OPENS_AT, NOW)
        );
        VM.assertLt(before - gasleft(), 500_000, "gas");
    }

    function test_cast_signed__lengths_and_offsets_out_of_bounds__revert_cheaply() public {
        bytes memory call = _batchCall(_batch(), _list(4, 6));
        uint256 proofLength = call.length - 96;
        _assertRefusesWord(call, BATCH_OFFSET, call.length);
        _assertRefusesWord(call, BATCH_OFFSET + 32, call.length);
        _assertRefusesWord(call, BATCH_LENGTH, call.length);
        _assertRefusesWord(call, proofLength, 3);
    }

    function test_cast__lengths_and_offsets_out_of_bounds__revert_cheaply() public {
        bytes memory call = _directCall(4, BALLOT);
        _assertRefusesWord(call, 4, uint256(type(uint32).max) + 1);
        _assertRefusesWord(call, 4 + 32, uint256(type(uint96).max) + 1);
        _assertRefusesWord(call, 4 + 64, call.length);
        _assertRefusesWord(call, 4 + 96, call.length);
        _assertRefusesWord(call, 4 + 128, call.length);
        _assertRefusesWord(call, 4 + 192, 3);
    }

    function test_calldata__cut_anywhere__reverts() public {
        bytes[2] memory calls = [_batchCall(_batch(), _list(4, 6)), _directCall(4, BALLOT)];
        address voter = _electorate().accounts[4];
        bytes32 head = box.head();
        for (uint256 i = 0; i < calls.length; ++i) {
            for (uint256 length = 0; length < calls[i].length; ++length) {
                bytes memory cut = calls[i];
                uint256 whole = cut.length;
                assembly ("memory-safe") {
                    mstore(cut, length)
                }
                VM.prank(voter);
                (bool ok, bytes memory answer) = address(box).call{gas: GAS_LIMIT}(cut);
                VM.assertFalse(ok);
                VM.assertEq(answer.length, 0, "the decoder refuses it");
                assembly ("memory-safe") {
                    mstore(cut, whole)
                }
            }
        }
        VM.assertEq(box.head(), head);
    }

    function test_calldata__bytes_behind_its_end__change_nothing() public {
        bytes memory call = bytes.concat(_batchCall(_signed(4, NOW, BALLOT), _list(4)), new bytes(77));
        _assertCasts(stranger, address(box), call, _record(4, NOW, BALLOT));
        call = bytes.concat(_directCall(4, BALLOT), "behind");
        _assertCasts(_electorate().accounts[4], address(box), call, _record(4, Ballots.DIRECT + NOW, BALLOT));
    }

    /// @dev The ABI allows arguments anywhere in the calldata: a ballot that is followed by anything but zeros must come
    /// out of the event followed by zeros.
    function test_calldata__ballot_padded_with_ones__is_emitted_as_the_abi_says() public {
        bytes memory call = _directCall(4, BALLOT);
        for (uint256 i = 4 + 160 + BALLOT.length; i < 4 + 192; ++i) {
            call[i] = 0xff;
        }
        _assertCasts(_electorate().accounts[4], address(box), call, _record(4, Ballots.DIRECT + NOW, BALLOT));
    }

    /// @dev A log's data is a whole number of words, whatever was in memory before.
    function test_event__ballots_of_every_length__ends_in_zeros() public {
        ElectionParams memory params = _params();
        params.maxBallotBytes = 100;
        VM.warp(CREATED_AT);
        box = _create(params, _electorate().roots(), 1);
        VM.warp(NOW);
        address account = _electorate().accounts[4];
        for (uint256 length = 0; length <= 100; ++length) {
            bytes memory ballot = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                ballot[i] = 0xff;
            }
            _assertCasts(account, address(box), _directCall(4, ballot), _record(4, Ballots.DIRECT + NOW, ballot));
            bytes memory call = _batchCall(bytes.concat(_signed(4, NOW, ballot), _signed(6, NOW, BALLOT)), _list(4, 6));
            bytes memory records = bytes.concat(_record(4, NOW, ballot), _record(6, NOW, BALLOT));
            _assertCasts(stranger, address(box), call, records);
        }
    }

    function testFuzz_calldata__anything__never_moves_the_head(bytes4 selector, bytes calldata garbage, uint8 choice)
        public
    {
        bytes4[6] memory selectors = [
            selector,
            IBallotBox.cast.selector,
            IBallotBox.castSigned.selector,
            IBallotBox.cancel.selector,
            IBallotBox.initialize.selector,
            IBallotBox.castSigned.selector
        ];
        bytes32 head = box.head();
        address[3] memory callers = [stranger, organizer, _electorate().accounts[0]];
        VM.prank(callers[choice % 3]);
        (bool ok,) = address(box).call(bytes.concat(selectors[choice % 6], garbage));
        VM.assertTrue(!ok || choice % 6 == 0, "only a view may answer");
        VM.assertEq(box.head(), head);
    }

    /// @dev A batch of any bytes, well encoded: none of them is in.
    function testFuzz_batch__anything__is_refused(bytes calldata batch) public {
        bytes32 head = box.head();
        (bool ok, bytes memory answer) =
            address(box).call(_signedCall(batch, new bytes32[](0)));
        VM.assertFalse(ok);
        VM.assertTrue(answer.length >= 4 && bytes4(answer) != 0x4e487b71, "a named error and no panic");
        VM.assertEq(box.head(), head);
    }

    function _batch() private view returns (bytes memory) {
        return bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW, hex"0102030405060708"));
    }

    /// @dev How `_batch` is refused when only its first `length` bytes are there.
    function _failureOfCut(uint256 length, uint256 whole) private pure returns (bytes memory) {
        uint256 second = 23 + BALLOT.length + 64;
        if (length == 0) return abi.encodeWithSelector(IBallotBox.BallotBoxEmptyBatch.selector);
        if (length == second) return abi.encodeWithSelector(IBallotBox.BallotBoxBatchNotInCensus.selector, 1);
        VM.assertLt(length, whole, "cut");
        return abi.encodeWithSelector(IBallotBox.BallotBoxTruncatedBatch.selector, length < second ? 0 : second, length);
    }

    /// @dev Every value from `least` on that could overflow something makes voter 4's call revert, with little gas.
    function _assertRefusesWord(bytes memory call, uint256 place, uint256 least) private {
        uint256[7] memory values =
            [least, 1 << 96, (1 << 64) - 1, 1 << 64, 1 << 255, type(uint256).max - 31, type(uint256).max];
        uint256 kept = _read(call, place);
        address voter = _electorate().accounts[4];
        bytes32 head = box.head();
        for (uint256 i = 0; i < values.length; ++i) {
            if (values[i] < least) continue;
            _write(call, place, values[i]);
            VM.prank(voter);
            (bool ok, bytes memory answer) = address(box).call{gas: GAS_LIMIT}(call);
            VM.assertFalse(ok, "a length or offset out of bounds");
            VM.assertEq(answer.length, 0, "the decoder refuses it");
        }
        _write(call, place, kept);
        VM.assertEq(box.head(), head);
    }

    function _read(bytes memory data, uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), place))
        }
    }

    function _write(bytes memory data, uint256 place, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(data, 32), place), word)
        }
    }
}
