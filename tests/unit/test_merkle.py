from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import examples

from qballot.core.keccak import keccak
from qballot.core.merkle import (
    build_multiproof,
    build_proof,
    build_tree,
    compute_root,
    hash_pair,
    verify_multiproof,
    verify_proof,
)
from qballot.core.types import Hash32
from qballot.errors import InputError

pytestmark = pytest.mark.unit

MAX_SIZE = 70
LEAVES = [keccak(b"leaf %d" % index) for index in range(MAX_SIZE)]
TREES = {size: build_tree(LEAVES[:size]) for size in range(1, MAX_SIZE + 1)}
OTHER = keccak(b"another")


def flip(node: Hash32, bit: int) -> Hash32:
    flipped = bytearray(node)
    flipped[bit // 8] ^= 1 << bit % 8
    return Hash32(bytes(flipped))


def pick(indices: list[int]) -> list[tuple[int, Hash32]]:
    return [(index, LEAVES[index]) for index in indices]


@st.composite
def subsets(draw: st.DrawFn) -> tuple[int, list[int]]:
    """Draw a size of tree and some of its leaves."""
    size = draw(st.integers(1, MAX_SIZE))
    chosen = draw(st.sets(st.integers(0, size - 1), min_size=1))
    return size, sorted(chosen)


def test_build_tree__three_leaves__lie_as_openzeppelin_lays_them() -> None:
    a, b, c = LEAVES[:3]
    assert build_tree([a, b, c]) == [hash_pair(c, hash_pair(a, b)), hash_pair(a, b), c, b, a]
    assert hash_pair(a, b) == hash_pair(b, a) == keccak(min(a, b) + max(a, b))


def test_build_tree__one_leaf__is_its_own_root_with_an_empty_proof() -> None:
    assert build_tree(LEAVES[:1]) == LEAVES[:1]
    assert build_proof(TREES[1], 0) == build_multiproof(TREES[1], [0]) == []
    assert verify_proof(LEAVES[0], 1, 0, LEAVES[0], [])
    assert verify_multiproof(LEAVES[0], 1, pick([0]), [])


def test_build_tree__no_leaf__is_refused() -> None:
    with pytest.raises(InputError, match="at least one leaf"):
        build_tree([])


@pytest.mark.parametrize("size", range(1, MAX_SIZE + 1))
def test_proof__every_leaf_of_every_size__verifies_and_nothing_else_does(size: int) -> None:
    nodes = TREES[size]
    root = nodes[0]
    for index in range(size):
        proof, leaf = build_proof(nodes, index), LEAVES[index]
        assert compute_root(leaf, proof) == root
        assert verify_proof(root, size, index, leaf, proof)
        assert not verify_proof(flip(root, index), size, index, leaf, proof)
        assert not verify_proof(root, size, index, flip(leaf, index), proof)
        assert not verify_proof(root, size, index, leaf, [*proof, OTHER])
        for place, node in enumerate(proof):
            tampered = [*proof[:place], flip(node, index), *proof[place + 1 :]]
            assert not verify_proof(root, size, index, leaf, tampered)
            assert not verify_proof(root, size, index, leaf, proof[:place] + proof[place + 1 :])


def test_verify_proof__inner_node_as_leaf__is_refused_for_its_length() -> None:
    inner = hash_pair(LEAVES[0], LEAVES[1])
    proof = build_proof(TREES[8], 0)[1:]
    assert compute_root(inner, proof) == TREES[8][0]
    assert not verify_proof(TREES[8][0], 8, 0, inner, proof)


@pytest.mark.parametrize(("size", "index"), [(0, 0), (5, -1), (5, 5), (-1, 0)])
def test_verify_proof__no_such_leaf__is_refused(size: int, index: int) -> None:
    assert not verify_proof(LEAVES[0], size, index, LEAVES[0], [])
    assert not verify_multiproof(LEAVES[0], size, [(index, LEAVES[0])], [])


def test_verify__anything_not_32_bytes__is_refused() -> None:
    root, proof = TREES[4][0], build_proof(TREES[4], 1)
    short = Hash32(proof[0][:31])
    assert not verify_proof(Hash32(b""), 4, 1, LEAVES[1], proof)
    assert not verify_proof(root, 4, 1, Hash32(LEAVES[1] + b"\x00"), proof)
    assert not verify_proof(root, 4, 1, LEAVES[1], [short, proof[1]])
    # Two nodes of 31 and 33 bytes join to the same 64 bytes.
    a, b = sorted([LEAVES[1], proof[0]])
    joined = a + b
    assert not verify_multiproof(root, 4, [(1, Hash32(joined[:31]))], [Hash32(joined[31:]), proof[1]])


@pytest.mark.parametrize("size", range(1, 9))
def test_multiproof__every_subset_of_small_trees__verifies(size: int) -> None:
    nodes = TREES[size]
    for count in range(1, size + 1):
        for chosen in combinations(range(size), count):
            assert verify_multiproof(nodes[0], size, pick([*chosen]), build_multiproof(nodes, chosen))


@given(subsets())
def test_multiproof__any_subset__verifies_with_no_node_twice(case: tuple[int, list[int]]) -> None:
    size, indices = case
    proof = build_multiproof(TREES[size], indices)
    assert verify_multiproof(TREES[size][0], size, pick(indices), proof)
    assert len(set(proof)) == len(proof)
    assert not {LEAVES[index] for index in indices} & set(proof)


@given(st.integers(1, MAX_SIZE), st.data())
def test_multiproof__one_leaf__is_the_single_proof(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    assert build_multiproof(TREES[size], [index]) == build_proof(TREES[size], index)


@examples(200)
@given(subsets(), st.data())
def test_multiproof__one_bit_flipped_anywhere__is_refused(case: tuple[int, list[int]], data: st.DataObject) -> None:
    size, indices = case
    root, proof, leaves = TREES[size][0], build_multiproof(TREES[size], indices), pick(indices)
    bit = data.draw(st.integers(0, 255))
    place = data.draw(st.integers(0, len(indices) - 1))
    tampered = [*leaves[:place], (indices[place], flip(leaves[place][1], bit)), *leaves[place + 1 :]]
    assert not verify_multiproof(flip(root, bit), size, leaves, proof)
    assert not verify_multiproof(root, size, tampered, proof)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_multiproof(root, size, leaves, [*proof[:at], flip(proof[at], bit), *proof[at + 1 :]])


@given(subsets(), st.data())
def test_multiproof__a_node_too_few_or_too_many__is_refused(case: tuple[int, list[int]], data: st.DataObject) -> None:
    size, indices = case
    root, proof, leaves = TREES[size][0], build_multiproof(TREES[size], indices), pick(indices)
    extra = data.draw(st.sampled_from([OTHER, root, LEAVES[0], *proof]))
    at = data.draw(st.integers(0, len(proof)))
    assert not verify_multiproof(root, size, leaves, [*proof[:at], extra, *proof[at:]])
    if proof:
        gone = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_multiproof(root, size, leaves, proof[:gone] + proof[gone + 1 :])


@pytest.mark.parametrize("indices", [[], [1, 0], [0, 0], [0, 2, 1], [0, 1, 1], [0, 4], [-1, 0]])
def test_multiproof__indices_unsorted_repeated_or_unknown__are_refused(indices: list[int]) -> None:
    with pytest.raises(InputError):
        build_multiproof(TREES[4], indices)
    leaves = [(index, LEAVES[index % 4]) for index in indices]
    proof = build_multiproof(TREES[4], sorted({index % 4 for index in indices}) or [0])
    assert not verify_multiproof(TREES[4][0], 4, leaves, proof)


def test_multiproof__an_inner_node_as_a_leaf__is_refused() -> None:
    nodes = TREES[8]
    inner = hash_pair(LEAVES[0], LEAVES[1])
    assert not verify_multiproof(nodes[0], 8, [(0, inner)], build_proof(nodes, 0)[1:])
    assert not verify_multiproof(nodes[0], 8, [(0, nodes[0])], [])
