// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EfficientHashLib} from "solady/src/utils/EfficientHashLib.sol";

import {LowLevel} from "./LowLevel.sol";

/// @title Census: the Merkle tree over the voters of one sheet
/// @dev The tree of OpenZeppelin's StandardMerkleTree for (uint256 index, address account, uint256 weight), in census
/// order (`sortLeaves: false`): 2n - 1 nodes in an array, the i-th voter of the sheet at 2n - 2 - i, the children of
/// node p at 2p + 1 and 2p + 2, the root at 0.
library Census {
    /// Bytes that a node takes in a queue: its position in the tree and its hash.
    uint256 internal constant ENTRY = 64;

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
    /// @param queue The leaves, `ENTRY` bytes each, by strictly descending position. Overwritten.
    /// @param size Bytes of `queue` that hold leaves, at least one's.
    /// @param proof The siblings that the leaves do not give, in the order of their use.
    /// @return The computed root, or zero if the proof has too few or too many elements.
    function computeRoot(bytes memory queue, uint256 size, bytes32[] calldata proof) internal pure returns (bytes32) {
        // Every step takes one or two nodes from the queue and appends their parent. Positions descend through the
        // whole queue, for a level of the tree lies wholly behind the level above. What was taken makes room for what
        // is appended, so the queue is a row [next, end) still to be taken, with the parents in [begin, last).
        unchecked {
            // Pointers and counts stay far below 2**256; a position is not zero where one is subtracted from it.
            uint256 begin = LowLevel.begin(queue);
            uint256 end = begin + size;
            uint256 next = begin;
            uint256 last = begin;
            uint256 used = 0;
            while (true) {
                if (next == end) (next, end, last) = (begin, last, begin);
                (uint256 position, bytes32 node) = LowLevel.read(next);
                // Too few proof elements are read as whatever follows them: the count tells in the end.
                if (position == 0) return used == proof.length ? node : bytes32(0);
                next += ENTRY;
                // Siblings are (1, 2), (3, 4), …; descending order meets the even one first, and the other follows it,
                // be it the first of the parents. Where there are none, what stands there was taken before: its
                // position is no smaller than this one's, thus not mistaken.
                (uint256 following, bytes32 sibling) = LowLevel.read(next == end ? begin : next);
                if (position & 1 == 0 && following == position - 1) {
                    if (next == end) (next, end, last) = (begin, last, begin);
                    next += ENTRY;
                } else {
                    sibling = LowLevel.load(proof, used);
                    ++used;
                }
                LowLevel.write(last, (position - 1) >> 1, hashPair(node, sibling));
                last += ENTRY;
            }
            return 0;
        }
    }
}
