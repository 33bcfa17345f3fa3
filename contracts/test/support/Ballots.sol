// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VM} from "../Vm.sol";

/// @notice A record taken apart.
struct Record {
    uint256 voter;
    uint256 castAt;
    uint256 weight;
    bytes ballot;
}

/// @notice A record with the signature of its voter.
struct SignedRecord {
    Record record;
    bytes signature;
}

/// @notice The parts of a ballot in a packed batch.
struct PackedBallot {
    bytes step;
    bytes later;
    bytes weight;
    bytes length;
    bytes ballot;
    bytes signature;
}

/// @notice A packed batch in its parts: a test may spoil any of them.
struct PackedBatch {
    bytes base;
    PackedBallot[] ballots;
}

/// @title Ballots: records, signatures, batches and the chain of hashes, from the specification's words alone
library Ballots {
    using Ballots for PackedBatch;

    /// @dev The order of secp256k1.
    uint256 internal constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    /// @dev Bit 39, which marks a direct cast.
    uint256 internal constant DIRECT = 0x8000000000;

    /// @notice A packed record.
    function pack(uint256 voter, uint256 castAt, uint256 weight, bytes memory ballot)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(uint32(voter), uint40(castAt), uint96(weight), uint16(ballot.length), ballot);
    }

    /// @notice The records of a batch. Reverts unless they fill it exactly.
    function unpack(bytes memory records) internal pure returns (Record[] memory list) {
        SignedRecord[] memory signed = unpackSigned(records, 0);
        list = new Record[](signed.length);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = signed[i].record;
        }
    }

    /// @notice Records that each have a signature of so many bytes behind them. Reverts unless they fill the data exactly.
    function unpackSigned(bytes memory data, uint256 signatureBytes)
        internal
        pure
        returns (SignedRecord[] memory list)
    {
        uint256 count = 0;
        uint256 offset = 0;
        for (; offset < data.length; offset += 23 + integer(data, offset + 21, 2) + signatureBytes) {
            ++count;
        }
        list = new SignedRecord[](count);
        offset = 0;
        for (uint256 i = 0; i < count; ++i) {
            Record memory record = list[i].record;
            record.voter = integer(data, offset, 4);
            record.castAt = integer(data, offset + 4, 5);
            record.weight = integer(data, offset + 9, 12);
            record.ballot = slice(data, offset + 23, integer(data, offset + 21, 2));
            offset += 23 + record.ballot.length;
            list[i].signature = slice(data, offset, signatureBytes);
            offset += signatureBytes;
        }
    }

    /// @notice Signed records, each followed by its signature, as a packed batch.
    function packBatch(bytes memory signedRecords) internal pure returns (bytes memory) {
        return packBatch(unpackSigned(signedRecords, 64));
    }

    /// @notice Signed ballots by ascending voter as a packed batch; of no ballots, nothing.
    function packBatch(SignedRecord[] memory list) internal pure returns (bytes memory) {
        return list.length == 0 ? bytes("") : layOut(list).join();
    }

    /// @notice The parts of the packed batch of these ballots, at least one.
    function layOut(SignedRecord[] memory list) internal pure returns (PackedBatch memory batch) {
        Record memory first = list[0].record;
        uint256 earliest = first.castAt;
        uint256 latest = first.castAt;
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i].record.castAt < earliest) earliest = list[i].record.castAt;
            if (list[i].record.castAt > latest) latest = list[i].record.castAt;
        }
        uint256 width = 0;
        while (latest - earliest >= 256 ** width) {
            ++width;
        }
        batch.base = abi.encodePacked(
            uint32(first.voter), uint40(earliest), uint96(first.weight), uint16(first.ballot.length), uint8(width)
        );
        batch.ballots = new PackedBallot[](list.length);
        uint256 expected = first.voter;
        for (uint256 i = 0; i < list.length; ++i) {
            Record memory record = list[i].record;
            PackedBallot memory packed = batch.ballots[i];
            uint256 step = 4 * (record.voter - expected);
            if (record.weight != first.weight) {
                step += 1;
                packed.weight = number(record.weight);
            }
            if (record.ballot.length != first.ballot.length) {
                step += 2;
                packed.length = number(record.ballot.length);
            }
            packed.step = number(step);
            packed.later = bigEndian(record.castAt - earliest, width);
            packed.ballot = record.ballot;
            packed.signature = list[i].signature;
            expected = record.voter + 1;
        }
    }

    /// @notice The parts, one after another.
    function join(PackedBatch memory batch) internal pure returns (bytes memory) {
        bytes[] memory parts = new bytes[](batch.ballots.length + 1);
        parts[0] = batch.base;
        for (uint256 i = 0; i < batch.ballots.length; ++i) {
            PackedBallot memory b = batch.ballots[i];
            parts[i + 1] = bytes.concat(b.step, b.later, b.weight, b.length, b.ballot, b.signature);
        }
        return concat(parts);
    }

    /// @notice The ballots of a packed batch that is taken. What is wrong with another goes unnoticed, or makes it revert.
    function unpackBatch(bytes memory batch) internal pure returns (SignedRecord[] memory list) {
        list = new SignedRecord[]((batch.length - 24) / 65);
        uint256 count = 0;
        uint256 expected = integer(batch, 0, 4);
        uint256 offset = 24;
        while (offset < batch.length) {
            SignedRecord memory signed = list[count++];
            uint256 step;
            (step, offset) = _readNumber(batch, offset);
            signed.record.voter = expected + step / 4;
            expected = signed.record.voter + 1;
            signed.record.castAt = integer(batch, 4, 5) + integer(batch, offset, uint8(batch[23]));
            offset += uint8(batch[23]);
            signed.record.weight = integer(batch, 9, 12);
            if (step % 2 == 1) (signed.record.weight, offset) = _readNumber(batch, offset);
            uint256 length = integer(batch, 21, 2);
            if (step / 2 % 2 == 1) (length, offset) = _readNumber(batch, offset);
            signed.record.ballot = slice(batch, offset, length);
            signed.signature = slice(batch, offset + length, 64);
            offset += length + 64;
        }
        assembly ("memory-safe") {
            mstore(list, count)
        }
    }

    /// @notice A number of a batch: seven bits in each byte, the lowest first, the top bit set in all but the last.
    function number(uint256 value) internal pure returns (bytes memory digits) {
        while (value >= 128) {
            digits = bytes.concat(digits, bytes1(uint8(128 + value % 128)));
            value /= 128;
        }
        digits = bytes.concat(digits, bytes1(uint8(value)));
    }

    /// @notice An integer in `size` bytes. Greater ones are cut.
    function bigEndian(uint256 value, uint256 size) internal pure returns (bytes memory data) {
        data = new bytes(size);
        for (uint256 i = size; i > 0; --i) {
            data[i - 1] = bytes1(uint8(value));
            value >>= 8;
        }
    }

    /// @notice The integer that stands there.
    function integer(bytes memory data, uint256 offset, uint256 size) internal pure returns (uint256 value) {
        for (uint256 i = 0; i < size; ++i) {
            value = (value << 8) | uint8(data[offset + i]);
        }
    }

    /// @notice A part of the data. Reverts unless it is within.
    function slice(bytes memory data, uint256 offset, uint256 length) internal pure returns (bytes memory part) {
        VM.assertTrue(offset + length <= data.length, "a part beyond the end");
        part = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(part, 32), add(add(data, 32), offset), length)
        }
    }

    /// @notice All parts, one after another: half and half, so that memory is not filled with what they were before.
    function concat(bytes[] memory parts) internal pure returns (bytes memory) {
        return parts.length == 0 ? bytes("") : _concat(parts, 0, parts.length);
    }

    /// @notice One link of the chain.
    function advance(bytes32 head, bytes memory records) internal pure returns (bytes32) {
        return keccak256(abi.encode(head, keccak256(records)));
    }

    /// @notice The EIP-712 digest of a byte ballot for one box on one chain.
    function digest(uint256 chainId, address box, uint256 voter, uint256 castAt, bytes memory ballot)
        internal
        pure
        returns (bytes32)
    {
        return digest(false, chainId, box, voter, castAt, ballot);
    }

    /// @notice The same, or that of a ballot that is signed as text.
    function digest(bool text, uint256 chainId, address box, uint256 voter, uint256 castAt, bytes memory ballot)
        internal
        pure
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("QBallot"),
                keccak256("1"),
                chainId,
                box
            )
        );
        bytes32 kind = text
            ? keccak256("Ballot(uint32 voter,uint40 castAt,string ballot)")
            : keccak256("Ballot(uint32 voter,uint40 castAt,bytes ballot)");
        bytes32 message = keccak256(abi.encode(kind, voter, castAt, keccak256(ballot)));
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    /// @notice A compact signature (EIP-2098): r, then s with the parity in its top bit.
    function sign(uint256 privateKey, bytes32 hash) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(privateKey, hash);
        return abi.encodePacked(r, bytes32((uint256(v - 27) << 255) | uint256(s)));
    }

    function _readNumber(bytes memory data, uint256 offset) private pure returns (uint256 value, uint256 end) {
        uint256 digit = 128;
        for (end = offset; digit >= 128; ++end) {
            digit = uint8(data[end]);
            value += (digit % 128) * 128 ** (end - offset);
        }
    }

    function _concat(bytes[] memory parts, uint256 from, uint256 to) private pure returns (bytes memory) {
        if (to - from == 1) return parts[from];
        uint256 middle = (from + to) / 2;
        return bytes.concat(_concat(parts, from, middle), _concat(parts, middle, to));
    }
}
