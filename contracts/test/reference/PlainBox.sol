// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IBallotBox} from "../../interfaces/IBallotBox.sol";

/// @title PlainBox: `castSigned` in plain Solidity, to be read beside the specification
/// @notice Stands in the implementation's place and must do the same, to the byte, with any calldata: the same event, the
/// same head, the same error with the same values. It has no assembly and shares no library with the contracts; only
/// the errors and the event are the interface's. Gas is no object.
contract PlainBox {
    /// @dev The immutable arguments of the clone that runs this code.
    struct Rules {
        uint256 opensAt;
        uint256 closesAt;
        uint256 sheetBits;
        uint256 voters;
        uint256 maxBallotBytes;
        bool textBallots;
    }

    /// @dev What stands once at the beginning of a batch.
    struct Base {
        uint256 voter;
        uint256 castAt;
        uint256 weight;
        uint256 length;
        uint256 width;
    }

    /// @dev A ballot, and the account that signed it.
    struct Ballot {
        uint256 voter;
        uint256 castAt;
        uint256 weight;
        bytes ballot;
        address account;
    }

    bytes32 private constant CANCELLED_HEAD = keccak256("QBallot: cancelled");
    /// @dev Where the arguments begin in a clone's code.
    uint256 private constant ARGUMENTS = 45;
    uint256 private constant BASE_BYTES = 24;
    uint256 private constant SIGNATURE_BYTES = 64;
    uint256 private constant MOST_NUMBER_BYTES = 14;
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    /// @notice As in BallotBox.
    bytes32 public head;

    /// @notice As in BallotBox.
    function castSigned(bytes calldata batch, bytes32[] calldata proof) external {
        if (head == 0) revert IBallotBox.BallotBoxNotInitialized();
        if (head == CANCELLED_HEAD) revert IBallotBox.BallotBoxElectionCancelled();
        Rules memory rules = _readRules();
        if (block.timestamp < rules.opensAt || rules.closesAt <= block.timestamp) {
            revert IBallotBox.BallotBoxNotOpen(block.timestamp, rules.opensAt, rules.closesAt);
        }
        Ballot[] memory ballots = _readBatch(rules, batch);
        uint256 sheet = ballots[0].voter >> rules.sheetBits;
        if (!_isInCensus(rules, sheet, ballots, proof)) revert IBallotBox.BallotBoxBatchNotInCensus(sheet);
        bytes memory records = _packRecords(ballots);
        head = keccak256(abi.encode(head, keccak256(records)));
        emit IBallotBox.BallotsCast(records);
    }

    // The batch

    function _readBatch(Rules memory rules, bytes calldata batch) private view returns (Ballot[] memory) {
        Base memory base = _readBase(rules, batch);
        Ballot[] memory read = new Ballot[](batch.length / SIGNATURE_BYTES);
        uint256 count = 0;
        uint256 expected = base.voter;
        for (uint256 offset = BASE_BYTES; offset < batch.length; ++count) {
            (read[count], offset) = _readBallot(rules, batch, offset, base, expected);
            expected = read[count].voter + 1;
        }
        Ballot[] memory ballots = new Ballot[](count);
        for (uint256 i = 0; i < count; ++i) {
            ballots[i] = read[i];
        }
        _checkTimes(base, ballots);
        return ballots;
    }

    function _readBase(Rules memory rules, bytes calldata batch) private view returns (Base memory base) {
        if (batch.length == 0 || batch.length == BASE_BYTES) revert IBallotBox.BallotBoxEmptyBatch();
        if (batch.length < BASE_BYTES) revert IBallotBox.BallotBoxTruncatedBatch(0, batch.length);
        base.voter = _integer(batch[0:4]);
        base.castAt = _integer(batch[4:9]);
        base.weight = _integer(batch[9:21]);
        base.length = _integer(batch[21:23]);
        base.width = _integer(batch[23:24]);
        _checkRules(rules, base.voter, base.castAt, base.length);
        if (base.width > 5) revert IBallotBox.BallotBoxNonCanonicalBatch(0);
        if (batch[BASE_BYTES] != 0) revert IBallotBox.BallotBoxNonCanonicalBatch(BASE_BYTES);
    }

    /// @dev The ballot at `start`, and where the next one begins.
    function _readBallot(Rules memory rules, bytes calldata batch, uint256 start, Base memory base, uint256 expected)
        private
        view
        returns (Ballot memory ballot, uint256 end)
    {
        uint256 step;
        uint256 length = base.length;
        (step, end) = _readNumber(batch, start, start);
        ballot.voter = expected + step / 4;
        if (end + base.width > batch.length) revert IBallotBox.BallotBoxTruncatedBatch(start, batch.length);
        ballot.castAt = base.castAt + _integer(batch[end:end + base.width]);
        end += base.width;
        ballot.weight = base.weight;
        if (step % 2 == 1) (ballot.weight, end) = _readNumber(batch, start, end);
        if (step / 2 % 2 == 1) (length, end) = _readNumber(batch, start, end);
        if (end + length + SIGNATURE_BYTES > batch.length) {
            revert IBallotBox.BallotBoxTruncatedBatch(start, batch.length);
        }
        if (step % 2 == 1 && (ballot.weight == base.weight || ballot.weight > type(uint96).max)) {
            revert IBallotBox.BallotBoxNonCanonicalBatch(start);
        }
        if (step / 2 % 2 == 1 && length == base.length) revert IBallotBox.BallotBoxNonCanonicalBatch(start);
        _checkRules(rules, ballot.voter, ballot.castAt, length);
        uint256 sheet = base.voter >> rules.sheetBits;
        if (ballot.voter >> rules.sheetBits != sheet) {
            revert IBallotBox.BallotBoxVoterOutsideSheet(ballot.voter, sheet);
        }
        ballot.ballot = batch[end:end + length];
        end += length;
        bytes32 digest = _hashBallot(rules, ballot);
        ballot.account = _recover(digest, bytes32(batch[end:end + 32]), uint256(bytes32(batch[end + 32:end + 64])));
        if (ballot.account == address(0)) revert IBallotBox.BallotBoxInvalidSignature(ballot.voter);
        end += SIGNATURE_BYTES;
    }

    /// @dev The number at `offset` in the ballot at `start`, and where it ends.
    function _readNumber(bytes calldata batch, uint256 start, uint256 offset)
        private
        pure
        returns (uint256 value, uint256 end)
    {
        for (uint256 place = 0; place < MOST_NUMBER_BYTES; ++place) {
            end = offset + place + 1;
            if (end > batch.length) revert IBallotBox.BallotBoxTruncatedBatch(start, batch.length);
            uint256 digit = _integer(batch[end - 1:end]);
            value += (digit % 128) * 128 ** place;
            if (digit == 0 && place > 0) revert IBallotBox.BallotBoxNonCanonicalBatch(start);
            if (digit < 128) return (value, end);
        }
        revert IBallotBox.BallotBoxNonCanonicalBatch(start);
    }

    function _checkRules(Rules memory rules, uint256 voter, uint256 castAt, uint256 length) private view {
        if (voter >= rules.voters) revert IBallotBox.BallotBoxVoterOutOfRange(voter, rules.voters);
        if (length > rules.maxBallotBytes) {
            revert IBallotBox.BallotBoxBallotTooLong(voter, length, rules.maxBallotBytes);
        }
        if (castAt < rules.opensAt || block.timestamp < castAt) {
            revert IBallotBox.BallotBoxCastAtOutsideWindow(voter, castAt, rules.opensAt, block.timestamp);
        }
    }

    /// @dev The base holds the earliest time of all, and the least width in which all fit.
    function _checkTimes(Base memory base, Ballot[] memory ballots) private pure {
        uint256 earliest = ballots[0].castAt;
        uint256 latest = ballots[0].castAt;
        for (uint256 i = 1; i < ballots.length; ++i) {
            if (ballots[i].castAt < earliest) earliest = ballots[i].castAt;
            if (ballots[i].castAt > latest) latest = ballots[i].castAt;
        }
        uint256 width = 0;
        while (latest - earliest >= 256 ** width) {
            ++width;
        }
        if (base.castAt != earliest || base.width != width) revert IBallotBox.BallotBoxNonCanonicalBatch(0);
    }

    // Signatures

    function _hashBallot(Rules memory rules, Ballot memory ballot) private view returns (bytes32) {
        bytes32 kind = rules.textBallots
            ? keccak256("Ballot(uint32 voter,uint40 castAt,string ballot)")
            : keccak256("Ballot(uint32 voter,uint40 castAt,bytes ballot)");
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("QBallot"),
                keccak256("1"),
                block.chainid,
                address(this)
            )
        );
        bytes32 message = keccak256(abi.encode(kind, ballot.voter, ballot.castAt, keccak256(ballot.ballot)));
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    /// @dev The account of a compact signature, or zero if it is none.
    function _recover(bytes32 digest, bytes32 r, uint256 vs) private pure returns (address) {
        uint256 s = vs % 2 ** 255;
        if (s > CURVE_ORDER / 2) return address(0);
        return ecrecover(digest, uint8(27 + vs / 2 ** 255), r, bytes32(s));
    }

    // The census

    /// @dev A sheet's tree has the places 1 … 2n - 1: the root at 1, the children of p at 2p and 2p + 1, and the i-th of
    /// the n voters at 2n - 1 - i. The proof has the siblings that do not follow from what is known, by descending place.
    function _isInCensus(Rules memory rules, uint256 sheet, Ballot[] memory ballots, bytes32[] calldata proof)
        private
        view
        returns (bool)
    {
        uint256 first = sheet << rules.sheetBits;
        uint256 size = rules.voters - first;
        if (size > 1 << rules.sheetBits) size = 1 << rules.sheetBits;
        bytes32[] memory nodes = new bytes32[](2 * size);
        bool[] memory known = new bool[](2 * size);
        for (uint256 i = 0; i < ballots.length; ++i) {
            uint256 place = 2 * size - 1 - (ballots[i].voter - first);
            nodes[place] = _hashLeaf(ballots[i]);
            known[place] = true;
        }
        uint256 used = 0;
        for (uint256 right = 2 * size - 1; right > 1; right -= 2) {
            uint256 left = right - 1;
            if (!known[left] && !known[right]) continue;
            if (!known[left] || !known[right]) {
                if (used == proof.length) return false;
                nodes[known[left] ? right : left] = proof[used];
                ++used;
            }
            nodes[left / 2] = _hashPair(nodes[left], nodes[right]);
            known[left / 2] = true;
        }
        return used == proof.length && nodes[1] == _sheetRoot(sheet);
    }

    function _hashLeaf(Ballot memory ballot) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(ballot.voter, ballot.account, ballot.weight))));
    }

    function _hashPair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
    }

    // Records

    function _packRecords(Ballot[] memory ballots) private pure returns (bytes memory) {
        return _packRecords(ballots, 0, ballots.length);
    }

    /// @dev Half and half, so that memory is not filled with what was packed before.
    function _packRecords(Ballot[] memory ballots, uint256 from, uint256 to) private pure returns (bytes memory) {
        if (to - from > 1) {
            uint256 middle = (from + to) / 2;
            return bytes.concat(_packRecords(ballots, from, middle), _packRecords(ballots, middle, to));
        }
        Ballot memory ballot = ballots[from];
        return abi.encodePacked(
            uint32(ballot.voter),
            uint40(ballot.castAt),
            uint96(ballot.weight),
            uint16(ballot.ballot.length),
            ballot.ballot
        );
    }

    // The arguments

    function _readRules() private view returns (Rules memory rules) {
        rules.opensAt = _argument(52, 5);
        rules.closesAt = _argument(57, 5);
        rules.sheetBits = _argument(62, 1);
        rules.voters = _argument(63, 4);
        rules.maxBallotBytes = _argument(67, 2);
        rules.textBallots = _argument(69, 1) == 1;
    }

    function _sheetRoot(uint256 sheet) private view returns (bytes32) {
        return bytes32(_argument(70 + 32 * sheet, 32));
    }

    /// @dev So many bytes of the clone's own code, at an offset in its arguments.
    function _argument(uint256 offset, uint256 size) private view returns (uint256 value) {
        bytes memory code = address(this).code;
        for (uint256 i = 0; i < size; ++i) {
            value = value * 256 + uint8(code[ARGUMENTS + offset + i]);
        }
    }

    /// @dev A big-endian integer.
    function _integer(bytes calldata data) private pure returns (uint256 value) {
        for (uint256 i = 0; i < data.length; ++i) {
            value = value * 256 + uint8(data[i]);
        }
    }
}
