"""Merkle trees in the layout of OpenZeppelin's merkle-tree, without its sorting of leaves.

A tree of n leaves is a list of 2n - 1 nodes. Leaf i stands at position 2n - 2 - i, the node at position p is the hash
of the pair at 2p + 1 and 2p + 2, the root is at 0. With three leaves:

            0                 positions; the leaves 0, 1, 2 stand at 4, 3, 2
          /   \\
         1     2
        / \\
       3   4

A pair is sorted before it is hashed, so a single proof needs no directions. A proof of several leaves needs no flags
either: which nodes are missing follows from the leaves' positions alone, and the verifier works it out. A flag is thus
nothing that a prover could choose.
Source: npm @openzeppelin/merkle-tree, src/core.ts; contracts/; tests/vectors/censuses.json.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import pairwise

from qballot.core.keccak import keccak
from qballot.core.types import Hash32
from qballot.errors import InputError


def hash_pair(a: Hash32, b: Hash32) -> Hash32:
    """Hash two nodes (32 bytes each), the smaller first."""
    return keccak(a + b if a < b else b + a)


def build_tree(leaves: Sequence[Hash32]) -> list[Hash32]:
    """Build all 2n - 1 nodes over n leaves (32 bytes each), root first. Raises InputError when there is no leaf."""
    if not leaves:
        raise InputError("a Merkle tree needs at least one leaf")
    nodes = [*leaves[:-1], *reversed(leaves)]  # the first n - 1 only hold the place
    for position in range(len(leaves) - 2, -1, -1):
        a, b = nodes[2 * position + 1], nodes[2 * position + 2]
        nodes[position] = keccak(a + b if a < b else b + a)  # `hash_pair`, whose call would be felt a million times
    return nodes


def build_proof(nodes: Sequence[Hash32], index: int) -> list[Hash32]:
    """Collect the siblings on the way from leaf `index` to the root, lowest first; none when the leaf is the root.

    nodes: as from `build_tree`. Raises InputError when the tree has no such leaf.
    """
    return [nodes[position] for position in proof_positions(index, _count_leaves(nodes))]


def proof_positions(index: int, size: int) -> list[int]:
    """Compute where the proof of leaf `index` stands among the nodes of a tree of `size` leaves, lowest first.

    Raises InputError when the tree has no such leaf.
    """
    position = _position_of(index, size)
    positions = []
    while position > 0:
        positions.append(_sibling(position))
        position = _parent(position)
    return positions


def compute_root(leaf: Hash32, proof: Iterable[Hash32]) -> Hash32:
    """Fold a proof onto a leaf: the root of the tree that both are from."""
    return reduce(hash_pair, proof, leaf)


def verify_proof(root: Hash32, size: int, index: int, leaf: Hash32, proof: Sequence[Hash32]) -> bool:
    """Say whether `leaf` is in the tree of `size` leaves with this root, by a proof of the length that `index` needs.

    Sorted pairs do not bind the index further: the leaf itself must say where it belongs, as a census's leaves do.
    """
    if not 0 <= index < size or not _are_hashes((root, leaf, *proof)):
        return False
    # Position p lies as deep as p + 1 has binary digits after its first.
    depth = (_position_of(index, size) + 1).bit_length() - 1
    return len(proof) == depth and compute_root(leaf, proof) == root


def build_multiproof(nodes: Sequence[Hash32], indices: Sequence[int]) -> list[Hash32]:
    """Collect the nodes that several leaves together lack on their way to the root, in the order they are asked for.

    nodes: as from `build_tree`. indices: of the leaves, strictly ascending, at least one.
    Raises InputError when the indices are none, unsorted, repeated or not in the tree.
    """
    if not _are_ascending(indices):
        raise InputError("the leaves of a multiproof must be at least one, in ascending order, each once")
    size = _count_leaves(nodes)
    queue = deque(_position_of(index, size) for index in indices)
    proof = []
    while (position := queue.popleft()) > 0:
        sibling = _sibling(position)
        if queue and queue[0] == sibling:
            queue.popleft()
        else:
            proof.append(nodes[sibling])
        queue.append(_parent(position))
    return proof


def verify_multiproof(root: Hash32, size: int, leaves: Sequence[tuple[int, Hash32]], proof: Sequence[Hash32]) -> bool:
    """Say whether all the leaves, as (index, leaf), are in the tree of `size` leaves with this root.

    Refused, besides what does not hash to the root: no leaf, indices that are not strictly ascending or not below
    `size`, a proof with a node too few or too many, anything that has not 32 bytes.
    """
    indices = [index for index, _ in leaves]
    if not _are_ascending(indices) or indices[0] < 0 or indices[-1] >= size:
        return False
    if not _are_hashes((root, *(leaf for _, leaf in leaves), *proof)):
        return False
    # Ascending indices are descending positions, and every parent comes before all leaves: the queue stays sorted, so
    # that a sibling which is known too is always the next in it.
    queue = deque((_position_of(index, size), leaf) for index, leaf in leaves)
    rest = iter(proof)
    while True:
        position, node = queue.popleft()
        if position == 0:
            return node == root and next(rest, None) is None
        if queue and queue[0][0] == _sibling(position):
            partner: Hash32 | None = queue.popleft()[1]
        else:
            partner = next(rest, None)
        if partner is None:
            return False
        queue.append((_parent(position), hash_pair(node, partner)))


def _count_leaves(nodes: Sequence[Hash32]) -> int:
    return (len(nodes) + 1) // 2


def _position_of(index: int, size: int) -> int:
    if not 0 <= index < size:
        raise InputError(f"leaf {index} is not in a tree of {size} leaves")
    return 2 * size - 2 - index


def _parent(position: int) -> int:
    return (position - 1) // 2


def _sibling(position: int) -> int:
    return position + 1 if position % 2 else position - 1


def _are_ascending(indices: Sequence[int]) -> bool:
    return bool(indices) and all(a < b for a, b in pairwise(indices))


def _are_hashes(nodes: Iterable[bytes]) -> bool:
    return all(len(node) == 32 for node in nodes)
