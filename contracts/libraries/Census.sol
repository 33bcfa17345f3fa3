// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EfficientHashLib} from "solady/src/utils/EfficientHashLib.sol";

/// @title Census: the Merkle tree over the voters of one sheet
/// @dev The tree of OpenZeppelin's StandardMerkleTree for (uint256 index, address account, uint256 weight), in census
/// order (`sortLeaves: false`): 2n - 1 nodes in an array, the i-th voter of the sheet at 2n - 2 - i, the children of
/// node p at 2p + 1 and 2p + 2, the root at 0, and an inner node the hash of its children in numerical order.
///
/// A multiproof has no flags to craft: which node is whose sibling follows from the leaves' positions, and the voters'
/// indices give those. Its elements are the siblings that the leaves do not give, in the order of their use: from the
/// leaves up, and in each level by descending position.
library Census {
    /// @dev Hashed twice, so that no inner node (64 bytes) can pass for a leaf (96 bytes, then 32).
    function hashLeaf(uint256 voter, address account, uint256 weight) internal pure returns (bytes32) {
        return EfficientHashLib.hash(EfficientHashLib.hash(voter, uint256(uint160(account)), weight));
    }
}
