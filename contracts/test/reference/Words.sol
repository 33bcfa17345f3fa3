// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Words: memory by pointers, an instruction or two a function
library Words {
    /// @notice Writes a record's header, then its ballot, and hashes the ballot.
    function writeRecord(
        bytes memory target,
        uint256 position,
        uint256 header,
        bytes calldata data,
        uint256 from,
        uint256 length
    ) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let start := add(add(target, 32), position)
            mstore(start, header)
            calldatacopy(add(start, 23), add(data.offset, from), length)
            hash := keccak256(add(start, 23), length)
        }
    }

    /// @notice Shortens data and puts zeros behind its end.
    function truncate(bytes memory data, uint256 length) internal pure {
        assembly ("memory-safe") {
            mstore(data, length)
            mstore(add(add(data, 32), length), 0)
        }
    }

    /// @notice Where the content begins.
    function begin(bytes memory data) internal pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := add(data, 32)
        }
    }

    /// @notice Two words of memory.
    function read(uint256 pointer) internal pure returns (uint256 first, bytes32 second) {
        assembly ("memory-safe") {
            first := mload(pointer)
            second := mload(add(pointer, 32))
        }
    }

    /// @notice Writes two words of memory.
    function write(uint256 pointer, uint256 first, bytes32 second) internal pure {
        assembly ("memory-safe") {
            mstore(pointer, first)
            mstore(add(pointer, 32), second)
        }
    }
}
