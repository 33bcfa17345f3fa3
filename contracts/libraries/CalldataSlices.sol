// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// solhint-disable no-inline-assembly

/// @title CalldataSlices: the only assembly of ours
/// @dev Solidity can slice calldata and copy it to memory, but each copy takes fresh memory that is never given back,
/// and memory is priced by its greatest extent: a batch of a thousand ballots would pay for a thousand copies. Here the
/// records are copied once, straight to where the event and the hash read them.
library CalldataSlices {
    /// @dev The 32 bytes of calldata that begin at `offset` of `data`. Beyond its end they are whatever follows in the
    /// calldata, or zero: the caller checks lengths.
    function load(bytes calldata data, uint256 offset) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, offset))
        }
    }

    /// @dev Copies `data[from:to]` to `target` at `position`, and hashes the copy but for its first `skip` bytes. The caller
    /// has checked that `from + skip <= to <= data.length` and that the copy fits into `target`.
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

    /// @dev Shortens `data` to its first `length` bytes. The caller has checked that it is at least as long.
    function truncate(bytes memory data, uint256 length) internal pure {
        assembly ("memory-safe") {
            mstore(data, length)
        }
    }
}
