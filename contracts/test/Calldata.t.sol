// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {ElectionParams} from "../interfaces/IBallotBoxFactory.sol";
import {VM} from "./Vm.sol";
import {Ballots, PackedBatch} from "./support/Ballots.sol";
import {ElectionTest} from "./support/ElectionTest.sol";
import {Electorate, Electorates} from "./support/Electorate.sol";

/// @notice Attacks through lengths and offsets: in a batch, and in the ABI's encoding of a call.
contract CalldataTest is ElectionTest {
    using Ballots for PackedBatch;
    using Electorates for Electorate;

    /// Gas within which a malformed call must end: no length field makes the box allocate what is not there.
    uint256 private constant GAS_LIMIT = 100_000;

    /// Where the first and the second ballot begin in a batch whose first ballot is `BALLOT`, dated as the others.
    uint256 private constant BASE_BYTES = 24;
    uint256 private constant SECOND = 24 + 1 + 4 + 64;

    /// The ABI's words of `castSigned`, counted in bytes from the start of the calldata.
    uint256 private constant BATCH_OFFSET = 4;
    uint256 private constant BATCH_LENGTH = 4 + 64;

    function test_batch__cut_anywhere__is_truncated() public {
        bytes memory batch = _batch();
        for (uint256 length = 0; length < batch.length; ++length) {
            _assertRefuses(
                _packedCall(Ballots.slice(batch, 0, length), _list(4, 6)), _failureOfCut(length, batch.length)
            );
        }
    }

    /// @dev The same, with all of the batch still in the calldata: what lies behind its end is none of it.
    function test_batch__length_cut_anywhere__is_truncated() public {
        bytes memory batch = _batch();
        bytes memory call = _packedCall(batch, _list(4, 6));
        for (uint256 length = 0; length < batch.length; ++length) {
            _write(call, BATCH_LENGTH, length);
            _assertRefuses(call, _failureOfCut(length, batch.length));
        }
    }

    function test_batch__bytes_behind_its_last_ballot__are_a_truncated_one() public {
        bytes memory batch = _batch();
        for (uint256 extra = 1; extra < 69; ++extra) {
            _assertRefuses(
                _packedCall(bytes.concat(batch, new bytes(extra)), _list(4, 6)),
                abi.encodeWithSelector(IBallotBox.BallotBoxTruncatedBatch.selector, batch.length, batch.length + extra)
            );
        }
        // A step of zero, four bytes and a signature: the next voter's.
        _assertRefuses(
            _packedCall(bytes.concat(batch, new bytes(69)), _list(4, 6)),
            abi.encodeWithSelector(IBallotBox.BallotBoxInvalidSignature.selector, 7)
        );
    }

    function test_batch__greatest_length__is_too_long_or_truncated() public {
        bytes memory batch = Ballots.packBatch(_signed(4, NOW, BALLOT));
        (batch[21], batch[22]) = (0xff, 0xff);
        bytes memory call = _packedCall(batch, _list(4));
        _assertRefuses(call, abi.encodeWithSelector(IBallotBox.BallotBoxBallotTooLong.selector, 4, 65_535, 8));
        _openForLongBallots();
        _assertRefuses(
            call, abi.encodeWithSelector(IBallotBox.BallotBoxTruncatedBatch.selector, BASE_BYTES, batch.length)
        );
    }

    /// @dev A length of its own is compared before it is cut to its field: 98 bits and fewer, with the signature where
    /// the cut one would end.
    function test_batch__own_length_beyond_its_field__is_truncated() public {
        _openForLongBallots();
        uint256[8] memory lengths =
            [uint256(1) << 16, (1 << 16) + 1, 1 << 32, 1 << 63, (1 << 64) - 64, 1 << 64, 1 << 97, (1 << 98) - 1];
        for (uint256 i = 0; i < lengths.length; ++i) {
            PackedBatch memory batch = _layOut(bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW, hex"01")));
            batch.ballots[1].length = Ballots.number(lengths[i]);
            bytes memory packed = batch.join();
            _assertRefuses(
                _packedCall(packed, _list(4, 6)),
                abi.encodeWithSelector(IBallotBox.BallotBoxTruncatedBatch.selector, SECOND, packed.length)
            );
        }
    }

    /// @dev With 65,536 bytes and more really there, the length is what is wrong, not its lower bits.
    function test_batch__own_length_that_wraps_uint16__is_too_long() public {
        _openForLongBallots();
        PackedBatch memory batch = _layOut(bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW, hex"01")));
        batch.ballots[1].length = Ballots.number(65_537);
        batch.ballots[1].ballot = new bytes(65_537);
        _assertRefuses(
            _packedCall(batch.join(), _list(4, 6)),
            abi.encodeWithSelector(IBallotBox.BallotBoxBallotTooLong.selector, 6, 65_537, 65_535)
        );
    }

    function test_batch__own_weight_beyond_its_field__is_not_canonical() public {
        uint256[3] memory weights = [uint256(1) << 96, (1 << 96) + 43, (1 << 98) - 1];
        for (uint256 i = 0; i < weights.length; ++i) {
            PackedBatch memory batch = _layOut(bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW, BALLOT)));
            batch.ballots[1].weight = Ballots.number(weights[i]);
            _assertRefusesForm(batch, SECOND);
        }
    }

    function test_batch__numbers_not_the_shortest__are_not_canonical() public {
        bytes memory signed = bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW, hex"0102"));
        // The same numbers with a zero behind, up to fourteen bytes and one more.
        for (uint256 size = 2; size <= 15; ++size) {
            PackedBatch memory batch = _layOut(signed);
            batch.ballots[1].step = _stretch(batch.ballots[1].step, size);
            _assertRefusesForm(batch, SECOND);
            batch = _layOut(signed);
            batch.ballots[1].weight = _stretch(batch.ballots[1].weight, size);
            _assertRefusesForm(batch, SECOND);
            batch = _layOut(signed);
            batch.ballots[1].length = _stretch(batch.ballots[1].length, size);
            _assertRefusesForm(batch, SECOND);
        }
    }

    /// @dev Fifteen bytes are too many whatever stands in them: 2**98 in the fewest, and numbers whose higher bits are
    /// beyond a word.
    function test_batch__numbers_of_fifteen_bytes_and_more__are_not_canonical() public {
        for (uint256 size = 15; size < 60; size += 11) {
            bytes memory digits = new bytes(size);
            for (uint256 i = 0; i < size; ++i) {
                // The last digit of 37 lies just beyond a word.
                digits[i] = i + 1 < size ? bytes1(0x80) : bytes1(size == 37 ? 0x10 : 0x01);
            }
            for (uint256 field = 0; field < 3; ++field) {
                PackedBatch memory batch = _layOut(bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW, hex"0102")));
                if (field == 0) batch.ballots[1].step = digits;
                if (field == 1) batch.ballots[1].weight = digits;
                if (field == 2) batch.ballots[1].length = digits;
                _assertRefusesForm(batch, SECOND);
            }
        }
    }

    function test_batch__own_weight_or_length_of_the_base__is_not_canonical() public {
        PackedBatch memory batch = _layOut(bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW, BALLOT)));
        batch.ballots[1].weight = Ballots.number(29);
        _assertRefusesForm(batch, SECOND);
        // Whatever the length that follows it is.
        batch = _layOut(bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW, hex"01")));
        batch.ballots[1].weight = Ballots.number(29);
        _assertRefusesForm(batch, SECOND);
        batch = _layOut(bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW, BALLOT)));
        (batch.ballots[1].step, batch.ballots[1].length) = (Ballots.number(7), Ballots.number(BALLOT.length));
        _assertRefusesForm(batch, SECOND);
    }

    /// @dev The first ballot's voter, weight and length stand in the base and nowhere else.
    function test_batch__first_step_with_anything__is_not_canonical() public {
        for (uint256 step = 1; step < 256; ++step) {
            PackedBatch memory batch = _layOut(_signed(4, NOW, BALLOT));
            batch.ballots[0].step = abi.encodePacked(uint8(step));
            _assertRefusesForm(batch, BASE_BYTES);
        }
    }

    function test_batch__times_wider_than_they_need__are_not_canonical() public {
        for (uint256 width = 0; width < 256; ++width) {
            for (uint256 spread = 0; spread < 2; ++spread) {
                if (width == spread) continue;
                PackedBatch memory batch =
                    _layOut(bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW - spread, BALLOT)));
                batch.base[23] = bytes1(uint8(width));
                if (width == 0) continue;
                for (uint256 i = 0; i < 2; ++i) {
                    batch.ballots[i].later =
                        Ballots.bigEndian(Ballots.integer(batch.ballots[i].later, 0, spread), width);
                }
                // A width that no time has is refused before anything else is looked at.
                if (width > 5) batch.ballots[0].signature = new bytes(64);
                _assertRefusesForm(batch, 0);
            }
        }
    }

    function test_batch__base_earlier_than_the_earliest__is_not_canonical() public {
        PackedBatch memory batch = _layOut(bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW - 1, BALLOT)));
        batch.base = abi.encodePacked(uint32(4), uint40(NOW - 2), uint96(29), uint16(BALLOT.length), uint8(1));
        (batch.ballots[0].later, batch.ballots[1].later) = (hex"02", hex"01");
        _assertRefusesForm(batch, 0);
    }

    /// @dev No sum of the base's time and a `later` reaches bit 39, which marks a voter's own transaction.
    function test_batch__times_that_would_overflow_into_the_mark_of_direct__are_outside_the_window() public {
        uint256[6] memory times = [
            NOW + Ballots.DIRECT,
            Ballots.DIRECT,
            Ballots.DIRECT - 1,
            1 << 40,
            uint256(1 << 40) + 7,
            uint256(1 << 40) - 1 + NOW
        ];
        for (uint256 i = 0; i < times.length; ++i) {
            PackedBatch memory batch = _layOut(bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW, BALLOT)));
            batch.base[23] = 0x05;
            batch.ballots[0].later = new bytes(5);
            batch.ballots[1].later = Ballots.bigEndian(times[i] - NOW, 5);
            _assertRefuses(
                _packedCall(batch.join(), _list(4, 6)),
                abi.encodeWithSelector(IBallotBox.BallotBoxCastAtOutsideWindow.selector, 6, times[i], OPENS_AT, NOW)
            );
        }
    }

    function test_batch__kilobytes_of_zeros__ends_early() public {
        uint256 before = gasleft();
        _assertRefuses(
            abi.encodeCall(IBallotBox.castSigned, (new bytes(100_000), new bytes32[](0))),
            abi.encodeWithSelector(IBallotBox.BallotBoxCastAtOutsideWindow.selector, 0, 0, OPENS_AT, NOW)
        );
        VM.assertLt(before - gasleft(), 500_000, "gas");
    }

    /// @dev Memory is bounded by the calldata: 100,000 bytes behind a good base cost what as much memory, twice, costs.
    function test_batch__kilobytes_of_anything_behind_a_good_base__costs_no_more_than_its_bytes() public {
        bytes memory start = _layOut(_signed(4, NOW, BALLOT)).base;
        for (uint256 fill = 0; fill < 256; fill += 15) {
            bytes memory rest = new bytes(100_000);
            for (uint256 i = 1; i < 200; ++i) {
                rest[i] = bytes1(uint8(fill));
            }
            bytes memory call = abi.encodeCall(IBallotBox.castSigned, (bytes.concat(start, rest), new bytes32[](0)));
            (bool ok, bytes memory answer) = address(box).call{gas: 200_000}(call);
            VM.assertFalse(ok);
            VM.assertTrue(answer.length >= 4, "a named error within the gas of a batch of this size");
        }
    }

    function test_cast_signed__lengths_and_offsets_out_of_bounds__revert_cheaply() public {
        bytes memory call = _packedCall(_batch(), _list(4, 6));
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
        bytes[2] memory calls = [_packedCall(_batch(), _list(4, 6)), _directCall(4, BALLOT)];
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
            address(box).call(abi.encodeCall(IBallotBox.castSigned, (batch, new bytes32[](0))));
        VM.assertFalse(ok);
        VM.assertTrue(answer.length >= 4 && bytes4(answer) != 0x4e487b71, "a named error and no panic");
        VM.assertEq(box.head(), head);
    }

    /// @dev Ballots of voters 4 and 6, the second longer and heavier.
    function _batch() private view returns (bytes memory) {
        return Ballots.packBatch(bytes.concat(_signed(4, NOW, BALLOT), _signed(6, NOW, hex"0102030405060708")));
    }

    function _layOut(bytes memory signed) private pure returns (PackedBatch memory) {
        return Ballots.layOut(Ballots.unpackSigned(signed, 64));
    }

    /// @dev The same digits of a number in more bytes than it needs.
    function _stretch(bytes memory digits, uint256 size) private pure returns (bytes memory longer) {
        longer = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            longer[i] = (i < digits.length ? digits[i] : bytes1(0)) | (i + 1 < size ? bytes1(0x80) : bytes1(0));
        }
    }

    function _openForLongBallots() private {
        ElectionParams memory params = _params();
        params.maxBallotBytes = type(uint16).max;
        VM.warp(CREATED_AT);
        box = _create(params, _electorate().roots(), 1);
        VM.warp(NOW);
    }

    function _assertRefusesForm(PackedBatch memory batch, uint256 offset) private {
        _assertRefuses(
            _packedCall(batch.join(), _list(4, 6)),
            abi.encodeWithSelector(IBallotBox.BallotBoxNonCanonicalBatch.selector, offset)
        );
    }

    /// @dev How `_batch` is refused when only its first `length` bytes are there.
    function _failureOfCut(uint256 length, uint256 whole) private pure returns (bytes memory) {
        if (length == 0 || length == BASE_BYTES) {
            return abi.encodeWithSelector(IBallotBox.BallotBoxEmptyBatch.selector);
        }
        if (length == SECOND) return abi.encodeWithSelector(IBallotBox.BallotBoxBatchNotInCensus.selector, 1);
        VM.assertLt(length, whole, "cut");
        uint256 start = length < BASE_BYTES ? 0 : length < SECOND ? BASE_BYTES : SECOND;
        return abi.encodeWithSelector(IBallotBox.BallotBoxTruncatedBatch.selector, start, length);
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
