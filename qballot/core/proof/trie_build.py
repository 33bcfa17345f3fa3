"""Building a Merkle-Patricia trie from its items: the root that they must have, and the proof of each of them.

This is how the receipts of a block are checked against its header, and how one of them is proved to whoever has the
header only. `trie.py` says what a node is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from qballot.core.keccak import keccak
from qballot.core.proof.rlp import EMPTY_STRING, encode_list, encode_string
from qballot.core.proof.trie import EMPTY_ROOT, pack_path, step_down
from qballot.core.types import Hash32
from qballot.errors import InputError

MAX_KEY_BYTES = 32
"""Longest key of a trie that is built: a hash. It bounds how deep a trie goes."""

_HASHED_FROM = 32
"""A node of so many bytes or more is named by its hash; a shorter one stands in its parent."""


@dataclass(frozen=True, slots=True)
class Trie:
    """A trie with all its nodes.

    root: 32 bytes. nodes: encoded, by their hash; those that stand in their parent are not among them.
    """

    root: Hash32
    nodes: Mapping[bytes, bytes]


def build_trie(items: Mapping[bytes, bytes]) -> Trie:
    """Build the trie of these keys and values.

    Raises InputError for a key longer than 32 bytes and for an empty value, which a trie cannot hold.
    """
    if not items:
        return Trie(EMPTY_ROOT, {})
    for key, value in items.items():
        if len(key) > MAX_KEY_BYTES or not value:
            raise InputError(
                f"found a key of {len(key)} bytes with a value of {len(value)}, expected a key of at most "
                f"{MAX_KEY_BYTES} bytes with a value of at least one"
            )
    nodes: dict[bytes, bytes] = {}
    node = _build_node(sorted((key.hex(), value) for key, value in items.items()), 0, nodes)
    root = keccak(node)
    nodes[root] = node
    return Trie(root, nodes)


def build_trie_proof(trie: Trie, key: bytes) -> list[bytes]:
    """Collect the nodes that show the key's value, or that it has none: what `verify_trie_proof` asks for."""
    proof: list[bytes] = []
    if trie.root == EMPTY_ROOT:
        return proof
    digits, depth, child = key.hex(), 0, b"\xa0" + trie.root
    while child:
        node = child
        if child[0] == 0xA0:
            node = trie.nodes[child[1:]]
            proof.append(node)
        _, child, depth = step_down(node, digits, depth)
    return proof


def _build_node(pairs: Sequence[tuple[str, bytes]], depth: int, nodes: dict[bytes, bytes]) -> bytes:
    """Encode the node over these pairs, sorted by digits, all equal in the first `depth`; note the nodes below it."""
    first, value = pairs[0]
    if len(pairs) == 1:
        return encode_list((encode_string(pack_path(first[depth:], is_leaf=True)), encode_string(value)))
    shared = _count_shared(first, pairs[-1][0])  # sorted: what the ends share, all share
    if shared > depth:
        child = _name_child(_build_node(pairs, shared, nodes), nodes)
        return encode_list((encode_string(pack_path(first[depth:shared], is_leaf=False)), child))
    children = [EMPTY_STRING] * 16
    own = EMPTY_STRING
    if len(first) == depth:  # the shortest key comes first
        own, pairs = encode_string(value), pairs[1:]
    for digit, group in groupby(pairs, key=lambda pair: pair[0][depth]):
        children[int(digit, 16)] = _name_child(_build_node(list(group), depth + 1, nodes), nodes)
    return encode_list((*children, own))


def _count_shared(a: str, b: str) -> int:
    """Count the digits that two keys have in common from their start."""
    shared = 0
    for left, right in zip(a, b, strict=False):
        if left != right:
            break
        shared += 1
    return shared


def _name_child(node: bytes, nodes: dict[bytes, bytes]) -> bytes:
    """Write a node as its parent holds it, and note it where that is its hash."""
    if len(node) < _HASHED_FROM:
        return node
    name = keccak(node)
    nodes[name] = node
    return b"\xa0" + name
