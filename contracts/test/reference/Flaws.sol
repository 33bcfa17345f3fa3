// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ballots, PackedBallot, PackedBatch, Record} from "../support/Ballots.sol";
import {Dice, Rolls} from "./Dice.sol";
import {Drawn} from "./Elections.sol";

/// @title Flaws: what can be wrong with a batch, before it is signed, in its parts, as bytes, and in its call
library Flaws {
    using Rolls for Dice;

    /// @notice Something that its voter signs, but that no box takes; or, in a lucky case, one does.
    function inRecord(Drawn memory election, Dice memory dice) internal pure {
        Record memory record = election.list[dice.roll(election.list.length)].record;
        uint256 kind = dice.roll(6);
        if (kind == 0) record.castAt = election.time + 1 + dice.number(30);
        if (kind == 1 && election.opensAt > 0) record.castAt = election.opensAt - 1;
        if (kind == 2) record.ballot = dice.data(election.maxBallotBytes + 1);
        if (kind == 3) record.weight = dice.number(96);
        if (kind == 4) record.castAt = (1 << 39) | dice.number(39);
        Record memory last = election.list[election.list.length - 1].record;
        if (kind == 5) last.voter += 1 + dice.number(30);
        if (last.voter > type(uint32).max) last.voter = type(uint32).max;
        if (record.castAt >= 1 << 40) record.castAt = (1 << 40) - 1;
    }

    /// @notice A part of the batch that is not as it must be.
    function inParts(PackedBatch memory batch, Dice memory dice) internal pure {
        PackedBallot memory ballot = batch.ballots[dice.roll(batch.ballots.length)];
        uint256 kind = dice.roll(16);
        if (kind == 0) ballot.step = _stretch(ballot.step, dice);
        if (kind == 1) ballot.weight = _stretch(ballot.weight, dice);
        if (kind == 2) ballot.length = _stretch(ballot.length, dice);
        if (kind == 3) _repeatWeight(batch, ballot);
        if (kind == 4) _repeatLength(batch, ballot);
        if (kind == 5) _widen(batch, dice.roll(12) == 0 ? dice.roll(256) : dice.roll(7));
        if (kind == 6) batch.ballots[0].step = Ballots.number(dice.number(16));
        if (kind == 7) ballot.step = _overlong(dice);
        if (kind == 8) ballot.step = Ballots.number(4 * dice.number(96) + dice.roll(4));
        if (kind == 9) (ballot.step, ballot.length) = (_withBit(ballot.step, 2), Ballots.number(dice.number(98)));
        if (kind == 10) (ballot.step, ballot.weight) = (_withBit(ballot.step, 1), Ballots.number(dice.number(98)));
        if (kind == 11) {
            _widen(batch, 5);
            ballot.later = dice.data(5);
        }
        if (kind == 12) _antedate(batch, dice);
        if (kind == 13) ballot.signature = _noSignature(dice);
        if (kind == 14) _replaceField(batch.base, dice);
        if (kind == 15) {
            PackedBallot memory other = batch.ballots[dice.roll(batch.ballots.length)];
            (ballot.step, other.step) = (other.step, ballot.step);
            (ballot.weight, other.weight) = (other.weight, ballot.weight);
            (ballot.length, other.length) = (other.length, ballot.length);
        }
    }

    /// @notice Other bytes.
    function inBytes(bytes memory batch, Dice memory dice) internal pure returns (bytes memory) {
        uint256 kind = dice.roll(6);
        if (batch.length == 0) return dice.data(dice.roll(300));
        uint256 place = dice.roll(batch.length);
        if (kind == 0) {
            batch[place] ^= bytes1(uint8(1 << dice.roll(8)));
            return batch;
        }
        bytes memory start = Ballots.slice(batch, 0, place);
        bytes memory rest = Ballots.slice(batch, place, batch.length - place);
        uint256 count = 1 + dice.roll(dice.roll(2) == 0 ? 4 : 100);
        if (kind == 1) return start;
        if (kind == 2) return bytes.concat(start, dice.data(count), rest);
        if (kind == 3) {
            if (count > rest.length) count = rest.length;
            return bytes.concat(start, Ballots.slice(rest, count, rest.length - count));
        }
        if (kind == 4) return bytes.concat(batch, dice.roll(2) == 0 ? new bytes(count) : dice.data(count));
        return bytes.concat(start, dice.data(rest.length));
    }

    /// @notice Another proof.
    function inProof(bytes32[] memory proof, Dice memory dice) internal pure returns (bytes32[] memory changed) {
        uint256 kind = dice.roll(4);
        if (proof.length == 0 || kind == 0) {
            changed = new bytes32[](proof.length + 1 + dice.roll(3));
        } else {
            changed = new bytes32[](kind == 1 ? dice.roll(proof.length) : proof.length);
        }
        for (uint256 i = 0; i < changed.length; ++i) {
            changed[i] = i < proof.length ? proof[i] : bytes32(dice.word());
        }
        if (kind == 2 && changed.length > 0) changed[dice.roll(changed.length)] ^= bytes32(1 << dice.roll(256));
        if (kind == 3 && changed.length > 0) {
            uint256 place = dice.roll(changed.length);
            (changed[0], changed[place]) = (changed[place], changed[0]);
        }
    }

    /// @notice A call with its parts anywhere: the ABI's offsets allow it, and some that it does not.
    function frame(bytes4 selector, bytes memory batch, bytes32[] memory proof, Dice memory dice)
        internal
        pure
        returns (bytes memory)
    {
        bytes memory gap = dice.data(dice.roll(70));
        bytes memory padding = dice.data(dice.roll(70));
        bytes memory behind = dice.data(dice.roll(70));
        uint256 batchAt = 64 + gap.length;
        uint256 proofAt = batchAt + 32 + batch.length + padding.length;
        uint256 batchLength = batch.length;
        uint256 proofLength = proof.length;
        uint256 kind = dice.roll(12);
        if (kind == 0) batchAt = dice.number(256);
        if (kind == 1) proofAt = dice.number(256);
        if (kind == 2) batchLength = dice.number(256);
        if (kind == 3) proofLength = dice.number(256);
        if (kind == 4) proofAt = batchAt;
        if (kind == 5) batchAt = proofAt;
        if (kind == 6) batchLength += dice.roll(padding.length + 1);
        if (kind == 7) batchLength -= dice.roll(batchLength + 1);
        bytes memory elements = abi.encodePacked(proof);
        return bytes.concat(
            abi.encodePacked(selector, batchAt, proofAt, gap, batchLength, batch, padding),
            abi.encodePacked(proofLength, elements, behind)
        );
    }

    function _stretch(bytes memory digits, Dice memory dice) private pure returns (bytes memory longer) {
        longer = new bytes(digits.length + 1 + dice.roll(16));
        for (uint256 i = 0; i < longer.length; ++i) {
            longer[i] = (i < digits.length ? digits[i] : bytes1(0)) | (i + 1 < longer.length ? bytes1(0x80) : bytes1(0));
        }
    }

    function _overlong(Dice memory dice) private pure returns (bytes memory digits) {
        digits = dice.data(13 + dice.roll(30));
        for (uint256 i = 0; i < digits.length; ++i) {
            digits[i] = i + 1 < digits.length ? digits[i] | 0x80 : digits[i] & 0x7f;
        }
    }

    function _withBit(bytes memory step, uint8 bit) private pure returns (bytes memory changed) {
        changed = bytes.concat(step);
        if (changed.length > 0) changed[0] |= bytes1(bit);
    }

    function _repeatWeight(PackedBatch memory batch, PackedBallot memory ballot) private pure {
        ballot.step = _withBit(ballot.step, 1);
        ballot.weight = Ballots.number(Ballots.integer(batch.base, 9, 12));
    }

    function _repeatLength(PackedBatch memory batch, PackedBallot memory ballot) private pure {
        ballot.step = _withBit(ballot.step, 2);
        ballot.length = Ballots.number(Ballots.integer(batch.base, 21, 2));
    }

    /// @dev The same times, as far as they fit, in another width.
    function _widen(PackedBatch memory batch, uint256 width) private pure {
        batch.base[23] = bytes1(uint8(width));
        for (uint256 i = 0; i < batch.ballots.length; ++i) {
            bytes memory later = batch.ballots[i].later;
            uint256 kept = later.length > 5 ? 0 : Ballots.integer(later, 0, later.length);
            batch.ballots[i].later = Ballots.bigEndian(kept, width);
        }
    }

    /// @dev The same times, counted from an earlier one.
    function _antedate(PackedBatch memory batch, Dice memory dice) private pure {
        uint256 earliest = Ballots.integer(batch.base, 4, 5);
        uint256 earlier = 1 + dice.number(20);
        if (earlier > earliest) return;
        bytes memory castAt = Ballots.bigEndian(earliest - earlier, 5);
        for (uint256 i = 0; i < 5; ++i) {
            batch.base[4 + i] = castAt[i];
        }
        for (uint256 i = 0; i < batch.ballots.length; ++i) {
            bytes memory later = batch.ballots[i].later;
            if (later.length > 5) return;
            batch.ballots[i].later = Ballots.bigEndian(Ballots.integer(later, 0, later.length) + earlier, later.length);
        }
    }

    function _replaceField(bytes memory base, Dice memory dice) private pure {
        uint8[6] memory edges = [0, 4, 9, 21, 23, 24];
        uint256 field = dice.roll(5);
        uint256 size = edges[field + 1] - edges[field];
        bytes memory value = Ballots.bigEndian(dice.number(8 * size), size);
        for (uint256 i = 0; i < size; ++i) {
            base[edges[field] + i] = value[i];
        }
    }

    function _noSignature(Dice memory dice) private pure returns (bytes memory) {
        uint256 kind = dice.roll(5);
        bytes32 r = bytes32(dice.word());
        if (kind == 0) return new bytes(64);
        if (kind == 1) return abi.encodePacked(r, bytes32(0));
        if (kind == 2) return abi.encodePacked(bytes32(Ballots.CURVE_ORDER), bytes32(dice.word()));
        // The greatest s that is taken, and those beside it.
        uint256 s = Ballots.CURVE_ORDER / 2 - 1 + dice.roll(4);
        if (kind == 3) return abi.encodePacked(r, bytes32(s | (dice.roll(2) << 255)));
        return dice.data(64);
    }
}
