"""Tries: the same roots, proofs and values as the package `trie` has, for present and absent keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import rlp
from hypothesis import example, given
from hypothesis import strategies as st
from properties import examples
from trie import HexaryTrie
from trie.exceptions import ValidationError

from qballot.core.keccak import keccak
from qballot.core.proof import EMPTY_ROOT, Trie, build_trie, build_trie_proof, verify_trie_proof
from qballot.core.proof.rlp import EMPTY_LIST, EMPTY_STRING, encode_list, encode_string
from qballot.core.proof.trie import pack_path, unpack_path
from qballot.core.types import Hash32
from qballot.errors import InputError, ProofError

pytestmark = pytest.mark.unit

# Few letters, so that keys share their beginnings, and one is often the beginning of another: extensions, inlined nodes
# and values in branches, which hashed keys hardly ever bring.
short_keys = st.lists(st.sampled_from([0x00, 0x01, 0x10, 0x11, 0xFF]), max_size=5).map(bytes)
hashed_keys = st.integers(0, 40).map(lambda number: keccak(bytes([number])))
words = st.binary(min_size=1, max_size=3) | st.binary(min_size=20, max_size=40) | st.just(bytes(200))
tries = st.dictionaries(short_keys, words, max_size=30) | st.dictionaries(hashed_keys, words, max_size=30)


def build_other(items: dict[bytes, bytes]) -> Any:
    other = HexaryTrie({})
    for key, value in items.items():
        other[key] = value
    return other


def prove_by_other(other: Any, key: bytes) -> list[bytes]:
    """Proof by the package, which repeats inlined nodes: those are shorter than a hash, but for the root."""
    nodes = [rlp.encode(node) for node in other.get_proof(key)]
    return [node for place, node in enumerate(nodes) if place == 0 or len(node) >= 32]


def ends_inside_an_extension(items: dict[bytes, bytes], key: bytes) -> bool:
    """Whether an extension's path holds the key's last digit and goes on after it.

    That is where several keys go on from this one, all by the same digit, and no other key shares all but its last
    digit: nothing branches off just before that digit nor just after it.
    """
    digits, keys = key.hex(), [item.hex() for item in items]
    longer = [other for other in keys if other.startswith(digits)]
    beside = [other for other in keys if other.startswith(digits[:-1])]
    next_digits = {other[len(digits) :][:1] for other in longer}
    return digits != "" and len(longer) > 1 and longer == beside and len(next_digits) == 1


@given(tries, short_keys | hashed_keys)
@example({b"\x00\x10": b"one", b"\x00\x11": b"two"}, b"\x00")
@example({b"\x00\x10": b"o" * 40, b"\x00\x11": b"t" * 40, b"\x10": b"ten"}, b"\x00")
@example({b"\x00\x10": b"one", b"\x00\x11": b"two"}, b"")
@examples(150)
def test_trie__any_items__root_proofs_and_values_are_those_of_the_package(
    items: dict[bytes, bytes], key: bytes
) -> None:
    trie, other = build_trie(items), build_other(items)
    assert trie.root == other.root_hash
    for asked in [*items, key]:
        proof = build_trie_proof(trie, asked)
        assert verify_trie_proof(trie.root, asked, proof) == items.get(asked)
        if items:
            assert proof == prove_by_other(other, asked)
            nodes = [rlp.decode(node) for node in proof]
            if ends_inside_an_extension(items, asked):
                # The package takes its own traversal for wrong here, and we have shown the key absent above.
                assert asked not in items
                with pytest.raises(ValidationError, match="should never return an extension node"):
                    HexaryTrie.get_from_proof(trie.root, asked, nodes)
            else:
                assert HexaryTrie.get_from_proof(trie.root, asked, nodes) == items.get(asked, b"")


def test_trie__key_that_ends_inside_an_extension__is_absent_by_that_node_alone() -> None:
    # Written by hand: an extension over 001, then a branch for the last digits 0 and 1.
    leaves = [[b"\x20", b"o" * 40], [b"\x20", b"t" * 40]]
    branch = rlp.encode([*(keccak(rlp.encode(leaf)) for leaf in leaves), *[b""] * 15])
    extension = rlp.encode([b"\x10\x01", keccak(branch)])
    trie = build_trie({b"\x00\x10": b"o" * 40, b"\x00\x11": b"t" * 40})
    assert trie.root == keccak(extension)
    assert build_trie_proof(trie, b"\x00") == [extension]
    assert verify_trie_proof(trie.root, b"\x00", [extension]) is None


@given(tries.filter(bool), st.data())
@examples(150)
def test_verify__another_list_of_nodes__never_shows_another_value(
    items: dict[bytes, bytes], data: st.DataObject
) -> None:
    trie = build_trie(items)
    key = data.draw(st.sampled_from(sorted(items)) | short_keys)
    good = build_trie_proof(trie, key)
    pool = [*trie.nodes.values(), EMPTY_STRING, EMPTY_LIST, b"", *good]
    proof = data.draw(st.lists(st.sampled_from(pool), max_size=5))
    if proof == good:
        return
    with pytest.raises(ProofError):
        verify_trie_proof(trie.root, key, proof)


@given(tries.filter(bool), st.data())
@examples(100)
def test_verify__a_node_changed__is_named(items: dict[bytes, bytes], data: st.DataObject) -> None:
    trie = build_trie(items)
    key = data.draw(st.sampled_from(sorted(items)))
    proof = build_trie_proof(trie, key)
    place = data.draw(st.integers(0, len(proof) - 1))
    node = bytearray(proof[place])
    node[data.draw(st.integers(0, len(node) - 1))] ^= data.draw(st.integers(1, 255))
    proof[place] = bytes(node)
    with pytest.raises(ProofError, match=f"node {place} hashes to 0x"):
        verify_trie_proof(trie.root, key, proof)


def test_empty_trie__no_node_or_its_one_form__shows_every_key_absent() -> None:
    assert build_trie({}) == Trie(EMPTY_ROOT, {})
    assert build_trie_proof(build_trie({}), b"key") == []
    assert verify_trie_proof(EMPTY_ROOT, b"key", []) is None
    assert verify_trie_proof(EMPTY_ROOT, b"key", [EMPTY_STRING]) is None
    for proof in ([EMPTY_LIST], [b""], [EMPTY_STRING] * 2):
        with pytest.raises(ProofError, match="root of an empty trie, expected none"):
            verify_trie_proof(EMPTY_ROOT, b"key", proof)


def test_verify__too_few_or_too_many_nodes__says_which() -> None:
    trie = build_trie({keccak(bytes([number])): b"value" * 9 for number in range(100)})
    key = keccak(b"\x05")
    proof = build_trie_proof(trie, key)
    assert len(proof) == 3
    with pytest.raises(ProofError, match="the proof ends after 2 nodes, expected one more"):
        verify_trie_proof(trie.root, key, proof[:-1])
    with pytest.raises(ProofError, match="found 4 nodes, expected 3"):
        verify_trie_proof(trie.root, key, [*proof, proof[-1]])
    with pytest.raises(ProofError, match="found 100003 nodes, expected 3"):
        verify_trie_proof(trie.root, key, [*proof, *[b"x"] * 100_000])
    with pytest.raises(ProofError, match="node 0 hashes to"):
        verify_trie_proof(trie.root, key, proof[::-1])
    with pytest.raises(ProofError, match="the proof ends after 0 nodes"):
        verify_trie_proof(trie.root, key, [])


def root_of(*nodes: bytes) -> tuple[Hash32, Sequence[bytes]]:
    return keccak(nodes[0]), nodes


LEAF = encode_list([encode_string(pack_path("12", is_leaf=True)), b"v"])
LONG_LEAF = encode_list([encode_string(pack_path("12", is_leaf=True)), encode_string(b"v" * 40)])
EMPTY_CHILDREN = [EMPTY_STRING] * 15


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (b"\x82ab", "node 0: found an RLP string of 2 bytes, expected a list"),
        (EMPTY_LIST, "node 0: found a list of 0 items, expected a node of 2 or 17"),
        (encode_list([b"\x01"] * 3), "list of 3 items"),
        (encode_list([EMPTY_STRING] * 18), "more than 17 items"),
        (LEAF + b"\x00", "1 bytes after"),
        (encode_list([b"\x20", EMPTY_STRING]), "leaf without a value"),
        (encode_list([b"\x20", b"\xc1\x01"]), "expected a string"),
        (encode_list([EMPTY_STRING, b"v"]), "a path that begins with 0x, expected"),
        (encode_list([b"\x40", b"v"]), "a path that begins with 0x40"),
        (encode_list([encode_string(b"\x21\x12"), b"v"]), "a path that begins with 0x21"),
        (encode_list([b"\x00", LEAF]), "extension with an empty path"),
        (encode_list([b"\x11", EMPTY_STRING]), "a child of 1 bytes"),
        (encode_list([b"\x11", LONG_LEAF]), "a child of 45 bytes"),
        (encode_list([b"\x11", encode_string(bytes(31))]), "a child of 32 bytes"),
        (encode_list([EMPTY_STRING, b"\x05", *EMPTY_CHILDREN]), "a child of 1 bytes"),
    ],
)
def test_verify__a_root_over_what_is_no_node__is_refused(node: bytes, words: str) -> None:
    with pytest.raises(ProofError, match=words):
        verify_trie_proof(keccak(node), b"\x11", [node])


def test_verify__nesting_in_one_node__ends_with_the_key() -> None:
    # Nodes inside nodes fit only a few times into 31 bytes; each takes a digit, so that they end before the key does.
    node = encode_list([b"\x11", encode_list([b"\x11", encode_list([b"\x11", encode_list([b"\x31", b"v"])])])])
    assert verify_trie_proof(keccak(node), b"\x11\x11", [node]) == b"v"
    assert verify_trie_proof(keccak(node), b"\x11", [node]) is None
    assert verify_trie_proof(keccak(node), b"", [node]) is None


def test_verify__a_value_at_the_end_of_the_key_in_a_full_branch__is_found() -> None:
    items = {bytes([digit * 16]): b"w" * 40 for digit in range(16)} | {b"": b"own"}
    trie = build_trie(items)
    for key, value in items.items():
        assert verify_trie_proof(trie.root, key, build_trie_proof(trie, key)) == value
    del items[b""]
    trie = build_trie(items)
    assert len(trie.nodes[trie.root]) == 532
    assert verify_trie_proof(trie.root, b"", build_trie_proof(trie, b"")) is None


@given(st.text("0123456789abcdef", max_size=64), st.booleans())
def test_path__packed_and_unpacked__is_the_same(path: str, is_leaf: bool) -> None:
    assert unpack_path(pack_path(path, is_leaf=is_leaf)) == (is_leaf, path)


def test_build__what_a_trie_cannot_hold__is_refused() -> None:
    with pytest.raises(InputError, match="value of at least one"):
        build_trie({b"key": b""})
    with pytest.raises(InputError, match="at most 32 bytes"):
        build_trie({bytes(33): b"value"})
