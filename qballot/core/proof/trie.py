"""Merkle-Patricia tries: that a key has a value under a root, or has none, shown by the nodes on its way.

A key is read as hex digits, from the root down. A node is one of

    branch     [child of digit 0, …, child of digit f, value]     takes one digit of the key
    extension  [path, child]                                      takes the digits of its path
    leaf       [path, value]                                      ends the key

A child is the hash of its node, or the node itself where that has fewer than 32 bytes, or the empty string where no
key goes on. A path is packed with a digit before it that says leaf or extension (2 or 0, and 1 more if the number of
digits is odd, with a digit 0 after it if it is even).

A proof is the nodes on the way that are named by their hash, root first: all that are needed, nothing else, in order.
It shows absence just as well: the way ends at an empty child or at a path that the key does not have.
Source: Ethereum Yellow Paper, appendix D; tests/unit/proof compares it with the package `trie`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from qballot.core.keccak import keccak
from qballot.core.proof.rlp import EMPTY_STRING, decode_string, split_list
from qballot.core.types import Hash32
from qballot.errors import ProofError

EMPTY_ROOT: Final = keccak(EMPTY_STRING)
"""Root of the trie that has no key: an account without storage, a block without transactions."""

BRANCH_ITEMS: Final = 17
"""Items of a branch: sixteen children and a value."""

# A branch with all sixteen children and no value is most of a large trie. All its lengths stand in these bytes, the
# first three and then every 33rd.
_FULL_START = b"\xf9\x02\x11"
_FULL_BYTES = 3 + 16 * 33 + 1
_FULL_PREFIXES = b"\xa0" * 16 + EMPTY_STRING

_DIGITS = {digit: value for value, digit in enumerate("0123456789abcdef")}


def verify_trie_proof(root: Hash32, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Follow `key` from `root` (32 bytes) through the nodes of `proof`: its value, or None where it is shown absent.

    key: as the trie has it, hashed already where it hashes its keys. proof: encoded nodes, root first; for an empty
    trie none, or its one form 0x80 as some nodes have it.
    Raises ProofError, naming the node by its place in the proof, when the proof shows neither: a node does not hash to
    what its parent says, is not a node, is missing, or is more than the way needs.
    """
    if root == EMPTY_ROOT:
        if len(proof) > 1 or (proof and proof[0] != EMPTY_STRING):
            raise ProofError(f"found a proof of {len(proof)} nodes under the root of an empty trie, expected none")
        return None
    digits = key.hex()
    value, used = _follow(b"\xa0" + root, digits, proof)
    if used != len(proof):
        raise ProofError(f"found {len(proof)} nodes, expected {used}: the key's way ends there")
    return value


def _follow(child: bytes, digits: str, proof: Sequence[bytes]) -> tuple[bytes | None, int]:
    """Walk down from a child as its parent writes it. Returns the value, and how many nodes of the proof were used."""
    depth = used = 0
    while True:
        # An inlined node stands in the child's place: only a node that is named by its hash is part of the proof.
        node = child
        if child[0] == 0xA0:
            node = _take_node(proof, used, child[1:])
            used += 1
        try:
            value, child, depth = step_down(node, digits, depth)
        except ProofError as error:
            raise ProofError(f"node {used - 1}: {error}") from error
        if not child:
            return value, used


def _take_node(proof: Sequence[bytes], place: int, expected: bytes) -> bytes:
    if place == len(proof):
        raise ProofError(
            f"the proof ends after {place} nodes, expected one more: the node with hash 0x{expected.hex()}"
        )
    node = proof[place]
    if (found := keccak(node)) != expected:
        raise ProofError(f"node {place} hashes to 0x{found.hex()}, expected 0x{expected.hex()}")
    return node


def step_down(node: bytes, digits: str, depth: int) -> tuple[bytes | None, bytes, int]:
    """Go through one node on the way of a key.

    node: encoded. digits: the key's, in lower case hex. depth: how many of them were taken before.
    Returns the key's value if it ends here (None if it is absent), the child to go on with if it does not (empty if it
    ends: a child is a 0xa0 and its hash, or the encoding of the node itself), and how many digits were taken by then.
    Raises ProofError when the bytes are not a node.
    """
    if len(node) == _FULL_BYTES and node[:3] == _FULL_START and node[3::33] == _FULL_PREFIXES and depth < len(digits):
        start = 3 + 33 * _DIGITS[digits[depth]]
        return None, node[start : start + 33], depth + 1
    items = split_list(node, BRANCH_ITEMS)
    if len(items) == BRANCH_ITEMS:
        if depth == len(digits):
            return decode_string(items[16]) or None, b"", depth
        child = items[_DIGITS[digits[depth]]]
        return None, b"" if child == EMPTY_STRING else _check_child(child), depth + 1
    if len(items) != 2:
        raise ProofError(f"found a list of {len(items)} items, expected a node of 2 or {BRANCH_ITEMS}")
    is_leaf, path = unpack_path(decode_string(items[0]))
    if is_leaf:
        value = decode_string(items[1])
        if not value:
            raise ProofError("found a leaf without a value, expected a value of at least one byte")
        return value if path == digits[depth:] else None, b"", len(digits)
    child = _check_child(items[1])
    if not path:
        raise ProofError("found an extension with an empty path, expected at least one digit")
    return None, child if digits.startswith(path, depth) else b"", depth + len(path)


def pack_path(path: str, *, is_leaf: bool) -> bytes:
    """Pack the hex digits of a leaf's or an extension's path."""
    flag = 2 * is_leaf + len(path) % 2
    return bytes.fromhex(f"{flag}{'' if len(path) % 2 else '0'}{path}")


def unpack_path(packed: bytes) -> tuple[bool, str]:
    """Read a packed path: whether it is a leaf's, and its hex digits. Raises ProofError when it is not one."""
    text = packed.hex()
    if text[:1] in ("1", "3"):
        return text[0] == "3", text[1:]
    if text[:2] in ("00", "20"):
        return text[0] == "2", text[2:]
    raise ProofError(f"found a path that begins with 0x{text[:2]}, expected 0x00, 0x20, 0x1… or 0x3…")


def _check_child(child: bytes) -> bytes:
    is_hash = child[0] == 0xA0
    is_inlined = child[0] >= 0xC0 and len(child) < 32
    if not (is_hash or is_inlined):
        raise ProofError(f"found a child of {len(child)} bytes, expected a hash, or a node of fewer than 32 bytes")
    return child
