// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VM} from "../Vm.sol";
import {BatchReader} from "./BatchReader.sol";

/// @notice A ballot in the parts that it is packed of.
struct SymbolicBallot {
    uint256 skipped;
    uint256 later;
    bytes ballot;
    bytes32 r;
    bytes32 vs;
}

/// @title Proofs of the reading of batches, for halmos
/// @notice Each `check_` function holds for all arguments, against a plain reading of the same parts.
///
/// What is proven, of LowLevel.readBallots: for one and for three ballots of one byte, of the base's weight and length, with
/// steps and times of one byte, any values in them, any limit, time and signature: exactly the ballots before the first
/// wrong one are read, and records, leaves, next voter and joined times are what the parts say. And a step of one to three
/// bytes, and a weight of its own of one to fourteen, is read as the sum of its digits, or refused where its last digit is
/// zero, it has too many bits, is the base's, or leads beyond the limit.
///
/// What is not: batches of other shapes, in particular with lengths of their own or wider times; whose signature it
/// is (to halmos ecrecover and keccak256 are functions that give equal outputs for equal inputs, and ecrecover always
/// answers); and what `Batch` says of a wrong ballot. Those are for the differential test.
/// @custom:halmos --loop 40
contract BatchSymbolic {
    uint256 private constant MAX_S = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    bytes32 private constant TYPEHASH = keccak256("a type");

    BatchReader private _reader;

    function setUp() external {
        _reader = new BatchReader();
    }

    /// @notice One ballot.
    function check_read__one_ballot__is_what_its_parts_say(
        bytes32 domain,
        uint256 limit,
        uint256 time,
        uint32 voter,
        uint40 castAt,
        uint96 weight,
        uint8 later,
        bytes1 ballot,
        bytes32 r,
        bytes32 vs
    ) external {
        SymbolicBallot[] memory ballots = new SymbolicBallot[](1);
        ballots[0] = SymbolicBallot(0, later, abi.encodePacked(ballot), r, vs);
        _check(domain, limit, time, abi.encodePacked(voter, castAt, weight, uint16(1), uint8(1)), ballots);
    }

    /// @notice Three ballots, of which the second and third may skip voters.
    function check_read__three_ballots__are_what_their_parts_say(
        bytes32 domain,
        uint256 limit,
        uint256 time,
        bytes21 base,
        uint8[3] calldata skipped,
        uint8[3] calldata laters,
        bytes32[3] calldata r,
        bytes32[3] calldata vs
    ) external {
        SymbolicBallot[] memory ballots = new SymbolicBallot[](3);
        for (uint256 i = 0; i < 3; ++i) {
            VM.assume(skipped[i] < 32);
            ballots[i] = SymbolicBallot(skipped[i], laters[i], abi.encodePacked(bytes1(r[i])), r[i], vs[i]);
        }
        _check(domain, limit, time, abi.encodePacked(base, uint16(1), uint8(1)), ballots);
    }

    /// @notice A weight of its own, of each number of bytes.
    function check_read__own_weight_of_any_length__is_the_sum_of_its_digits(
        uint256 size,
        bytes14 digits,
        uint96 weight,
        bytes32 r,
        bytes32 vs
    ) external {
        for (uint256 i = 1; i <= 14; ++i) {
            if (size == i) _checkWeight(i, digits, weight, r, vs);
        }
    }

    /// @notice A step that skips voters, of one to three bytes.
    function check_read__step_of_up_to_three_bytes__is_the_sum_of_its_digits(
        uint256 size,
        bytes14 digits,
        uint32 limit,
        bytes32 r,
        bytes32 vs
    ) external {
        for (uint256 i = 1; i <= 3; ++i) {
            if (size == i) _checkStep(i, digits, limit, r, vs);
        }
    }

    function _check(bytes32 domain, uint256 limit, uint256 time, bytes memory base, SymbolicBallot[] memory ballots)
        private
    {
        uint256 voter = uint32(bytes4(base));
        uint256 castAt = uint40(bytes5(bytes32(base) << 32));
        uint256 weight = uint96(bytes12(bytes32(base) << 72));
        VM.assume(voter < limit && limit <= 1 << 32 && castAt <= time && time < 1 << 39);
        VM.warp(time);
        bytes memory batch = base;
        for (uint256 i = 0; i < ballots.length; ++i) {
            batch = abi.encodePacked(
                batch,
                uint8(4 * ballots[i].skipped),
                uint8(ballots[i].later),
                ballots[i].ballot,
                ballots[i].r,
                ballots[i].vs
            );
        }
        (bytes memory records, uint256 reached, uint256 next, bytes memory queue, uint256 laters) =
            _reader.read(batch, domain, limit);

        bytes memory expectedRecords;
        bytes memory expectedQueue;
        uint256 expectedLaters = 0;
        uint256 read_ = 0;
        for (; read_ < ballots.length; ++read_) {
            SymbolicBallot memory b = ballots[read_];
            if (voter + b.skipped >= limit || castAt + b.later > time) break;
            expectedLaters |= b.later == 0 ? 1 << 255 : b.later;
            if (uint256(b.vs) % 2 ** 255 > MAX_S) break;
            voter += b.skipped;
            expectedRecords = abi.encodePacked(
                expectedRecords, uint32(voter), uint40(castAt + b.later), uint96(weight), uint16(1), b.ballot
            );
            expectedQueue = abi.encodePacked(
                expectedQueue, type(uint256).max - voter, _leaf(domain, voter, castAt + b.later, weight, b)
            );
            ++voter;
        }
        assert(reached == 24 + 67 * read_);
        assert(next == voter);
        if (read_ == ballots.length) assert(laters == expectedLaters);
        assert(records.length == expectedRecords.length && keccak256(records) == keccak256(expectedRecords));
        assert(queue.length == expectedQueue.length && keccak256(queue) == keccak256(expectedQueue));
    }

    function _checkWeight(uint256 size, bytes14 digits, uint96 weight, bytes32 r, bytes32 vs) private {
        (bytes memory number, uint256 own, bool isShortest) = _number(size, digits, 0);
        VM.assume(uint256(vs) % 2 ** 255 <= MAX_S);
        VM.warp(7);
        bytes memory batch = abi.encodePacked(
            abi.encodePacked(uint32(3), uint40(7), weight, uint16(0), uint8(0)), uint8(1), number, r, vs
        );
        (bytes memory records, uint256 reached,,,) = _reader.read(batch, 0, 10);
        bool isRight = isShortest && own != weight && own < 1 << 96;
        assert((reached == batch.length) == isRight);
        if (!isRight) return;
        bytes memory expected = abi.encodePacked(uint32(3), uint40(7), uint96(own), uint16(0));
        assert(records.length == expected.length && keccak256(records) == keccak256(expected));
    }

    function _checkStep(uint256 size, bytes14 digits, uint256 limit, bytes32 r, bytes32 vs) private {
        (bytes memory number, uint256 step, bool isShortest) = _number(size, digits, 2);
        VM.assume(uint256(vs) % 2 ** 255 <= MAX_S);
        VM.warp(7);
        bytes memory batch =
            abi.encodePacked(abi.encodePacked(uint32(3), uint40(7), uint96(5), uint16(0), uint8(0)), number, r, vs);
        (bytes memory records, uint256 reached, uint256 next,,) = _reader.read(batch, 0, limit);
        bool isRight = isShortest && 3 + step / 4 < limit;
        assert((reached == batch.length) == isRight);
        if (!isRight) return;
        bytes memory expected = abi.encodePacked(uint32(3 + step / 4), uint40(7), uint96(5), uint16(0));
        assert(next == 4 + step / 4);
        assert(records.length == expected.length && keccak256(records) == keccak256(expected));
    }

    /// @dev The number of these digits, of which the first ends in so many zeros, its value, and whether it has no
    /// needless one.
    function _number(uint256 size, bytes14 digits, uint8 zeros)
        private
        pure
        returns (bytes memory number, uint256 value, bool isShortest)
    {
        number = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            uint8 digit = uint8(digits[i]) & 0x7f;
            if (i == 0) digit = (digit >> zeros) << zeros;
            value |= uint256(digit) << (7 * i);
            number[i] = bytes1(i + 1 < size ? digit | 0x80 : digit);
        }
        isShortest = size == 1 || number[size - 1] != 0;
    }

    function _leaf(bytes32 domain, uint256 voter, uint256 castAt, uint256 weight, SymbolicBallot memory b)
        private
        pure
        returns (bytes32)
    {
        bytes32 message = keccak256(abi.encode(TYPEHASH, voter, castAt, keccak256(b.ballot)));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, message));
        address account = ecrecover(digest, uint8(27 + (uint256(b.vs) >> 255)), b.r, bytes32(uint256(b.vs) % 2 ** 255));
        return keccak256(bytes.concat(keccak256(abi.encode(voter, account, weight))));
    }
}
