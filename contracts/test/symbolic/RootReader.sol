// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {LowLevel} from "../../libraries/LowLevel.sol";

/// @title LowLevel.computeRoot as a contract of its own
/// @notice The proof is calldata, as in a call of `castSigned`.
contract RootReader {
    /// @notice The root that follows from leaves and a proof.
    /// @param positions Places of the leaves, counted from 1, descending.
    /// @param leaves The leaves at these places.
    function compute(uint256[] calldata positions, bytes32[] calldata leaves, bytes32[] calldata proof)
        external
        pure
        returns (bytes32)
    {
        bytes memory queue = new bytes(64 * leaves.length);
        uint256 begin;
        assembly ("memory-safe") {
            begin := add(queue, 32)
        }
        for (uint256 i = 0; i < leaves.length; ++i) {
            (uint256 position, bytes32 leaf) = (positions[i], leaves[i]);
            assembly ("memory-safe") {
                mstore(add(begin, mul(64, i)), position)
                mstore(add(begin, add(32, mul(64, i))), leaf)
            }
        }
        return LowLevel.computeRoot(begin, begin + queue.length, proof);
    }
}
