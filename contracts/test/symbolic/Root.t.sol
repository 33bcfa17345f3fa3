// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VM} from "../Vm.sol";
import {RootReader} from "./RootReader.sol";

/// @title Proofs of the multiproof, for halmos
/// @notice What is proven, of LowLevel.computeRoot: in each tree of one to four leaves, for each choice of its leaves, and
/// for all values of leaves and elements, the root is the plain one. In trees of up to three leaves it is zero where the
/// proof has an element too few or too many. To halmos, keccak256 is a function that gives equal outputs for equal inputs.
/// Larger trees are for the differential test and for LowLevel.t.sol.
/// @custom:halmos --loop 16
contract RootSymbolic {
    RootReader private _reader;

    function setUp() external {
        _reader = new RootReader();
    }

    /// @notice A tree of one leaf, and one of two.
    function check_root__of_up_to_two_leaves__is_the_plain_one(
        uint256 size,
        uint256 subset,
        uint256 extra,
        bytes32[4] calldata leaves,
        bytes32[4] calldata elements
    ) external view {
        VM.assume(size == 1 || size == 2);
        _choose(size, subset, extra, leaves, elements);
    }

    /// @notice A tree of three leaves, which lie on two levels.
    function check_root__of_three_leaves__is_the_plain_one(
        uint256 subset,
        uint256 extra,
        bytes32[4] calldata leaves,
        bytes32[4] calldata elements
    ) external view {
        _choose(3, subset, extra, leaves, elements);
    }

    /// @notice A tree of four leaves.
    function check_root__of_four_leaves__is_the_plain_one(
        uint256 subset,
        bytes32[4] calldata leaves,
        bytes32[4] calldata elements
    ) external view {
        _choose(4, subset, 1, leaves, elements);
    }

    /// @dev Goes one way for each choice, with all numbers known: halmos looks at every one.
    function _choose(
        uint256 size,
        uint256 subset,
        uint256 extra,
        bytes32[4] calldata leaves,
        bytes32[4] calldata elements
    ) private view {
        for (uint256 n = 1; n <= 4; ++n) {
            if (n != size) continue;
            for (uint256 chosen = 1; chosen < 1 << n; ++chosen) {
                if (chosen != subset) continue;
                for (uint256 i = 0; i < 3; ++i) {
                    if (i == extra) _check(n, chosen, i, leaves, elements);
                }
            }
        }
    }

    /// @dev extra: 1 for a proof of the right length, 0 and 2 for one element less and more.
    function _check(
        uint256 size,
        uint256 subset,
        uint256 extra,
        bytes32[4] calldata leaves,
        bytes32[4] calldata elements
    ) private view {
        (bytes32 expected, uint256 used) = _plainRoot(size, subset, leaves, elements);
        if (used + extra == 0) return;
        bytes32[] memory proof = new bytes32[](used + extra - 1);
        for (uint256 i = 0; i < proof.length; ++i) {
            proof[i] = elements[i];
        }
        (uint256[] memory positions, bytes32[] memory chosen) = _list(size, subset, leaves);
        bytes32 root = _reader.compute(positions, chosen, proof);
        assert(root == (extra == 1 ? expected : bytes32(0)));
    }

    /// @dev The chosen leaves with their places, by descending place: leaf i has 2n - 1 - i.
    function _list(uint256 size, uint256 subset, bytes32[4] calldata leaves)
        private
        pure
        returns (uint256[] memory positions, bytes32[] memory chosen)
    {
        uint256 count = 0;
        for (uint256 i = 0; i < size; ++i) {
            count += (subset >> i) & 1;
        }
        positions = new uint256[](count);
        chosen = new bytes32[](count);
        count = 0;
        for (uint256 i = 0; i < size; ++i) {
            if ((subset >> i) & 1 == 0) continue;
            positions[count] = 2 * size - 1 - i;
            chosen[count++] = leaves[i];
        }
    }

    /// @dev Fills the tree from its last place to its root: of two siblings, one of which is known, the other is the
    /// next element.
    function _plainRoot(uint256 size, uint256 subset, bytes32[4] calldata leaves, bytes32[4] calldata elements)
        private
        pure
        returns (bytes32, uint256 used)
    {
        bytes32[] memory nodes = new bytes32[](2 * size);
        bool[] memory known = new bool[](2 * size);
        for (uint256 i = 0; i < size; ++i) {
            nodes[2 * size - 1 - i] = leaves[i];
            known[2 * size - 1 - i] = (subset >> i) & 1 == 1;
        }
        for (uint256 place = 2 * size - 1; place > 1; place -= 2) {
            if (!known[place] && !known[place - 1]) continue;
            if (!known[place]) nodes[place] = elements[used++];
            if (!known[place - 1]) nodes[place - 1] = elements[used++];
            (bytes32 a, bytes32 b) = (nodes[place], nodes[place - 1]);
            nodes[place / 2] = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
            known[place / 2] = true;
        }
        return (nodes[1], used);
    }
}
