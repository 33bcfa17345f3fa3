// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../interfaces/IBallotBox.sol";
import {Rules} from "./BoxArguments.sol";
import {LowLevel} from "./LowLevel.sol";
import {Records} from "./Records.sol";

/// @title Batch: the packed form in which signed ballots are submitted
/// @dev     batch   base | ballot | ballot | …
///          base    uint32 voter | uint40 castAt | uint96 weight | uint16 length | uint8 width        24 bytes
///          ballot  step | later | [weight] | [length] | ballot's bytes | r | vs
///
/// The base holds voter, weight and length of the first ballot, and the earliest `castAt` of all. `later` is a ballot's
/// `castAt` minus the base's, big-endian, in `width` bytes. `step`, `weight` and `length` are *numbers*: seven bits in
/// each byte, the lowest first, with the top bit set in all bytes but the last. A step is
///
///     4 * (voters skipped since the ballot before) + 2 * (length follows) + (weight follows)
///
/// and zero in the first ballot. Every batch has one form: a number has no needless byte, `width` is the least that
/// holds every `later`, a weight or length that follows differs from the base's, and nothing follows the last
/// signature.
///
/// LowLevel.readBallots takes what is right. The functions here say what is wrong.
library Batch {
    /// Bytes of the base.
    uint256 internal constant BASE = 24;
    /// Most bytes of `later`: those of a `castAt`.
    uint256 internal constant MAX_WIDTH = 5;
    /// Most bytes of a number: the fewest that hold a weight.
    uint256 internal constant MAX_NUMBER = 14;
    /// Bits of a step: whether the ballot's weight and length follow.
    uint256 internal constant OWN_WEIGHT = 1;
    uint256 internal constant OWN_LENGTH = 2;

    /// @dev Reverts unless the batch has a ballot and its base obeys the rules. Returns the first voter.
    function checkBase(Rules rules, bytes calldata batch) internal view returns (uint256 voter) {
        if (batch.length == 0 || batch.length == BASE) revert IBallotBox.BallotBoxEmptyBatch();
        if (batch.length < BASE) revert IBallotBox.BallotBoxTruncatedBatch(0, batch.length);
        uint256 castAt;
        uint256 length;
        (voter, castAt,, length) = Records.parseHeader(LowLevel.load(batch, 0));
        _checkRules(rules, voter, castAt, length);
        if (_width(batch) > MAX_WIDTH) revert IBallotBox.BallotBoxNonCanonicalBatch(0);
        if (batch[BASE] != 0) revert IBallotBox.BallotBoxNonCanonicalBatch(BASE);
    }

    /// @dev Reverts unless the base's `castAt` is the earliest and its `width` the least.
    /// @param laters As LowLevel.readBallots returns it: every `later` joined by OR, and bit 255 if one was zero.
    function checkWidth(bytes calldata batch, uint256 laters) internal pure {
        uint256 width = _width(batch);
        // Without bit 255 the greatest `later` has as many bytes as their OR.
        if (laters >> 255 == 0 || (width != 0 && uint40(laters) >> (8 * (width - 1)) == 0)) {
            revert IBallotBox.BallotBoxNonCanonicalBatch(0);
        }
    }

    /// @dev Reverts with what is wrong with the ballot at `start`, which LowLevel.readBallots did not take. It reads
    /// the ballot a second time, with every check in its place. A batch that is taken does not pay for that.
    /// @param next The voter whose ballot stands here if none is skipped.
    function refuse(Rules rules, bytes calldata batch, uint256 start, uint256 next) internal view {
        (uint256 step, uint256 offset) = _readNumber(batch, start, start);
        uint256 castAt;
        (castAt, offset) = _readCastAt(batch, start, offset);
        uint256 length = _readSizes(batch, start, offset, step);
        uint256 voter = next + (step >> 2);
        _checkRules(rules, voter, castAt, length);
        uint256 sheet = uint32(bytes4(LowLevel.load(batch, 0))) >> rules.sheetBits();
        if (voter >> rules.sheetBits() != sheet) revert IBallotBox.BallotBoxVoterOutsideSheet(voter, sheet);
        revert IBallotBox.BallotBoxInvalidSignature(voter);
    }

    /// @dev What a signed ballot must satisfy whatever batch it is in.
    function _checkRules(Rules rules, uint256 voter, uint256 castAt, uint256 length) private view {
        if (voter >= rules.voters()) revert IBallotBox.BallotBoxVoterOutOfRange(voter, rules.voters());
        if (length > rules.maxBallotBytes()) {
            revert IBallotBox.BallotBoxBallotTooLong(voter, length, rules.maxBallotBytes());
        }
        if (castAt < rules.opensAt() || castAt > block.timestamp) {
            revert IBallotBox.BallotBoxCastAtOutsideWindow(voter, castAt, rules.opensAt(), block.timestamp);
        }
    }

    /// @dev Reads the `later` at `offset`, in the ballot at `start`. Returns the ballot's `castAt`, and where `later`
    /// ends.
    function _readCastAt(bytes calldata batch, uint256 start, uint256 offset)
        private
        pure
        returns (uint256 castAt, uint256 end)
    {
        end = offset + _width(batch);
        if (end > batch.length) revert IBallotBox.BallotBoxTruncatedBatch(start, batch.length);
        (, castAt,,) = Records.parseHeader(LowLevel.load(batch, 0));
        for (; offset < end; ++offset) {
            castAt += uint256(uint8(batch[offset])) << (8 * (end - 1 - offset));
        }
    }

    /// @dev Reads the weight and length that a step announces, at `offset`. Reverts unless they are in their one form
    /// and the ballot ends within the batch. Returns the length of the ballot's bytes.
    function _readSizes(bytes calldata batch, uint256 start, uint256 offset, uint256 step)
        private
        pure
        returns (uint256 length)
    {
        uint256 weight;
        (,, weight, length) = Records.parseHeader(LowLevel.load(batch, 0));
        bool isShortest = true;
        uint256 own;
        if (step & OWN_WEIGHT != 0) {
            (own, offset) = _readNumber(batch, start, offset);
            isShortest = own != weight && own <= type(uint96).max;
        }
        if (step & OWN_LENGTH != 0) {
            (own, offset) = _readNumber(batch, start, offset);
            isShortest = isShortest && own != length;
            length = own;
        }
        if (offset + length + Records.SIGNATURE > batch.length) {
            revert IBallotBox.BallotBoxTruncatedBatch(start, batch.length);
        }
        if (!isShortest) revert IBallotBox.BallotBoxNonCanonicalBatch(start);
    }

    /// @dev Reads the number at `offset`, in the ballot at `start`. Returns it with where it ends.
    function _readNumber(bytes calldata batch, uint256 start, uint256 offset)
        private
        pure
        returns (uint256 value, uint256 end)
    {
        for (uint256 place = 0; place < MAX_NUMBER; ++place) {
            if (offset + place >= batch.length) revert IBallotBox.BallotBoxTruncatedBatch(start, batch.length);
            uint256 digit = uint8(batch[offset + place]);
            value |= (digit & 0x7f) << (7 * place);
            if (digit < 0x80) {
                if (digit == 0 && place != 0) break;
                return (value, offset + place + 1);
            }
        }
        revert IBallotBox.BallotBoxNonCanonicalBatch(start);
    }

    function _width(bytes calldata batch) private pure returns (uint256) {
        return uint8(batch[BASE - 1]);
    }
}
