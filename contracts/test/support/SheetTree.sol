// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The Merkle tree of one sheet, built the long way
/// @notice Written from OpenZeppelin's description of its tree, not from the contracts' library, so that the two check
/// each other. A tree of n leaves is an array of 2n - 1 nodes: the root first, leaf i at 2n - 2 - i.
library SheetTree {
    /// @notice A census entry's leaf, as StandardMerkleTree hashes it.
    function hashLeaf(uint256 voter, address account, uint256 weight) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(voter, account, weight))));
    }

    /// @notice An inner node: its two children in numerical order.
    function hashPair(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return a < b ? keccak256(abi.encodePacked(a, b)) : keccak256(abi.encodePacked(b, a));
    }

    /// @notice All nodes over at least one leaf.
    function build(bytes32[] memory leaves) internal pure returns (bytes32[] memory nodes) {
        nodes = new bytes32[](2 * leaves.length - 1);
        for (uint256 i = 0; i < leaves.length; ++i) {
            nodes[nodes.length - 1 - i] = leaves[i];
        }
        for (uint256 position = leaves.length - 1; position > 0; --position) {
            nodes[position - 1] = hashPair(nodes[2 * position - 1], nodes[2 * position]);
        }
    }

    /// @notice The proof of leaf i: the sibling of every node on the way up.
    function prove(bytes32[] memory nodes, uint256 i) internal pure returns (bytes32[] memory proof) {
        proof = new bytes32[](nodes.length);
        uint256 used = 0;
        for (uint256 position = nodes.length - 1 - i; position > 0; position = (position - 1) / 2) {
            proof[used++] = nodes[position % 2 == 0 ? position - 1 : position + 1];
        }
        return _shorten(proof, used);
    }

    /// @notice The multiproof of some leaves: going back through all pairs of siblings, the one of each pair that does
    /// not follow from the leaves while the other does.
    function proveMany(bytes32[] memory nodes, uint256[] memory leaves) internal pure returns (bytes32[] memory proof) {
        bool[] memory known = new bool[](nodes.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            known[nodes.length - 1 - leaves[i]] = true;
        }
        proof = new bytes32[](nodes.length);
        uint256 used = 0;
        for (uint256 right = nodes.length - 1; right > 0; right -= 2) {
            uint256 left = right - 1;
            if (!known[left] && !known[right]) continue;
            known[left / 2] = true;
            if (!known[left]) proof[used++] = nodes[left];
            else if (!known[right]) proof[used++] = nodes[right];
        }
        return _shorten(proof, used);
    }

    function _shorten(bytes32[] memory list, uint256 length) private pure returns (bytes32[] memory shorter) {
        shorter = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            shorter[i] = list[i];
        }
    }
}
