// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EfficientHashLib} from "solady/src/utils/EfficientHashLib.sol";

/// @title Census: the Merkle tree over the voters of one ward
/// @dev The tree of OpenZeppelin's StandardMerkleTree for (uint256 index, address account, uint256 weight), in census
/// order (`sortLeaves: false`): 2n - 1 nodes in an array, the i-th voter of the ward at 2n - 2 - i, the children of
/// node p at 2p + 1 and 2p + 2, the root at 0.
library Census {
    /// @dev Hashed twice, so that no inner node (64 bytes) can pass for a leaf (96 bytes, then 32).
    function hashLeaf(uint256 voter, address account, uint256 weight) internal pure returns (bytes32) {
        return EfficientHashLib.hash(EfficientHashLib.hash(voter, uint256(uint160(account)), weight));
    }

    /// @dev An inner node: its children in numerical order, so that a proof need not say left or right.
    function hashPair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? EfficientHashLib.hash(a, b) : EfficientHashLib.hash(b, a);
    }

    /// @dev The root that follows from some leaves of a tree and a multiproof. There are no flags to craft: which node
    /// is whose sibling follows from the leaves' positions, and the voters' indices give those.
    /// @param positions Of the leaves in the tree's array, strictly descending. Overwritten.
    /// @param nodes The leaves' hashes in the same order. Overwritten.
    /// @param count How many leaves there are, at least 1; both arrays are at least this long.
    /// @param proof The siblings that the leaves do not give, in the order of their use.
    /// @return The computed root, or zero if the proof has too few or too many elements.
    function computeRoot(uint256[] memory positions, bytes32[] memory nodes, uint256 count, bytes32[] calldata proof)
        internal
        pure
        returns (bytes32)
    {
        // A ring of `count` places holds the queue: every step takes one or two nodes and puts their parent last.
        // Positions in it descend strictly, for a level of the tree lies wholly behind the level above.
        uint256 first;
        uint256 last;
        uint256 used;
        uint256 length = count;
        for (uint256 position = positions[0]; position != 0; position = positions[first]) {
            bytes32 node = nodes[first];
            first = first + 1 == count ? 0 : first + 1;
            // Siblings are (1, 2), (3, 4), …; descending order meets the even one first.
            if (position % 2 == 0 && length > 1 && positions[first] == position - 1) {
                node = hashPair(node, nodes[first]);
                first = first + 1 == count ? 0 : first + 1;
                length -= 1;
            } else {
                if (used == proof.length) return 0;
                node = hashPair(node, proof[used]);
                used += 1;
            }
            positions[last] = (position - 1) / 2;
            nodes[last] = node;
            last = last + 1 == count ? 0 : last + 1;
        }
        return used == proof.length ? nodes[first] : bytes32(0);
    }
}
