// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// solhint-disable no-inline-assembly

/// @title LowLevel: the only assembly of ours, one instruction or a few a function
/// @dev Why at all: a batch handles hundreds of ballots in one call. Solidity's slices and arrays check bounds that
/// the callers know to hold, and every slice taken to memory takes fresh memory that is never given back, while memory
/// is priced by the square of its greatest extent. Each function says what its caller has checked.
library LowLevel {
    /// @dev The 32 bytes of calldata at `offset` of `data`. Beyond its end they are whatever follows in the calldata,
    /// or zero; the caller rejects lengths that do not fit, before or after.
    function load(bytes calldata data, uint256 offset) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, offset))
        }
    }

    /// @dev The element at `index` of `list`; beyond its end as above.
    function load(bytes32[] calldata list, uint256 index) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(list.offset, shl(5, index)))
        }
    }

    /// @dev Copies `data[from:to]` to `target` at `position`, and hashes the copy but for its first `skip` bytes. The
    /// caller has checked that `from + skip <= to <= data.length` and that the copy fits into `target`.
    function copyAndHashTail(
        bytes memory target,
        uint256 position,
        bytes calldata data,
        uint256 from,
        uint256 to,
        uint256 skip
    ) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let start := add(add(target, 32), position)
            let length := sub(to, from)
            calldatacopy(start, add(data.offset, from), length)
            hash := keccak256(add(start, skip), sub(length, skip))
        }
    }

    /// @dev New memory: the first `count` bytes of `word`, then `tail`.
    function concat(bytes32 word, uint256 count, bytes calldata tail) internal pure returns (bytes memory data) {
        assembly ("memory-safe") {
            data := mload(0x40)
            let content := add(data, 32)
            let length := add(count, tail.length)
            mstore(data, length)
            mstore(content, word)
            calldatacopy(add(content, count), tail.offset, tail.length)
            let end := add(content, length)
            // What follows is zero up to the next whole word and beyond, as the ABI pads and as `emitBytes` needs.
            mstore(end, 0)
            mstore(0x40, add(end, 32))
        }
    }

    /// @dev Emits an event that has `data` as its only field, without the copy that `emit` makes. The caller has seen to
    /// it that `data` is followed by zeros up to a whole word.
    function emitBytes(bytes32 topic, bytes memory data) internal {
        assembly ("memory-safe") {
            // The ABI puts the offset of `data`, 32, before its length: it takes the place of what stands there, which
            // is put back.
            let start := sub(data, 32)
            let kept := mload(start)
            mstore(start, 32)
            log1(start, add(64, and(add(mload(data), 31), not(31))), topic)
            mstore(start, kept)
        }
    }

    /// @dev Shortens `data` to its first `length` bytes. The caller has checked that it is at least as long.
    function truncate(bytes memory data, uint256 length) internal pure {
        assembly ("memory-safe") {
            mstore(data, length)
        }
    }

    /// @dev Where the content of `data` begins in memory.
    function begin(bytes memory data) internal pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := add(data, 32)
        }
    }

    /// @dev Two words of memory. The caller has allocated them.
    function read(uint256 pointer) internal pure returns (uint256 first, bytes32 second) {
        assembly ("memory-safe") {
            first := mload(pointer)
            second := mload(add(pointer, 32))
        }
    }

    /// @dev Writes two words of memory. The caller has allocated them.
    function write(uint256 pointer, uint256 first, bytes32 second) internal pure {
        assembly ("memory-safe") {
            mstore(pointer, first)
            mstore(add(pointer, 32), second)
        }
    }

    /// @dev 32 bytes of the executing account's own code; zero beyond its end. In a clone, which runs the
    /// implementation's code, that is the clone's: its arguments.
    function ownCode(uint256 offset) internal view returns (bytes32 word) {
        assembly ("memory-safe") {
            extcodecopy(address(), 0, offset, 32)
            word := mload(0)
        }
    }
}
