"""A node's answer to `eth_getProof`: the proof, and the node's own words about what it proves.

The words are not needed, for the proof says it all. They are compared all the same: a node whose words and proof
differ should be known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from qballot.core.proof.account import (
    EMPTY_CODE_HASH,
    WORD_BYTES,
    Account,
    AccountProof,
    ProvenAccount,
    SlotProof,
    verify_account_proof,
)
from qballot.core.proof.json_values import read_bytes, read_fixed, read_list, read_object, read_uint
from qballot.core.proof.trie import EMPTY_ROOT
from qballot.core.types import Address, Hash32
from qballot.errors import ProofError

MAX_NODES: Final = 65
"""Most nodes on the way of a hashed key: one for each of its 64 digits, and a leaf."""

MAX_NODE_BYTES: Final = 532
"""Longest node of a state or storage trie: a branch with all its children."""

MAX_SLOTS: Final = 1024
"""Most slots that are read from one answer."""

_ZERO = Hash32(bytes(32))


@dataclass(frozen=True, slots=True)
class GetProofAnswer:
    """An answer, not verified yet.

    proof: the nodes. account, words: what the node says that they prove; words are 32 bytes each, by slot.
    """

    proof: AccountProof
    account: Account
    words: Mapping[int, bytes]


def decode_get_proof(answer: object) -> GetProofAnswer:
    """Read an answer; `answer` is the parsed `result`. Raises ProofError, naming the field, when it is malformed."""
    found = read_object(answer, "the proof")
    address = Address(read_fixed(found.get("address"), "address", 20))
    slots: list[SlotProof] = []
    words: dict[int, bytes] = {}
    for place, value in enumerate(read_list(found.get("storageProof"), "storageProof", MAX_SLOTS)):
        name = f"storageProof[{place}]"
        item = read_object(value, name)
        slot = read_uint(item.get("key"), f"{name}.key")
        if slot in words:
            raise ProofError(f"{name}.key: found slot {slot} again, expected each slot once")
        slots.append(SlotProof(slot, _read_nodes(item.get("proof"), f"{name}.proof")))
        words[slot] = read_uint(item.get("value"), f"{name}.value").to_bytes(WORD_BYTES)
    claimed = Account(
        nonce=read_uint(found.get("nonce"), "nonce"),
        balance=read_uint(found.get("balance"), "balance"),
        storage_root=Hash32(read_fixed(found.get("storageHash"), "storageHash", 32)),
        code_hash=Hash32(read_fixed(found.get("codeHash"), "codeHash", 32)),
    )
    nodes = _read_nodes(found.get("accountProof"), "accountProof")
    return GetProofAnswer(AccountProof(address, nodes, tuple(slots)), claimed, words)


def verify_get_proof(state_root: Hash32, answer: GetProofAnswer) -> ProvenAccount:
    """Prove what an answer holds under a header's state root (32 bytes), and that the node's own words say the same.

    Raises ProofError, naming what failed. Whether it is the account and the slots that were asked for, see the result.
    """
    proven = verify_account_proof(state_root, answer.proof)
    shown, claimed = proven.account, answer.account
    if shown is None:
        # Of an account that does not exist nodes give either no hash at all or those of nothing.
        shown = Account(
            nonce=0,
            balance=0,
            storage_root=_ZERO if claimed.storage_root == _ZERO else EMPTY_ROOT,
            code_hash=_ZERO if claimed.code_hash == _ZERO else EMPTY_CODE_HASH,
        )
    if claimed != shown:
        raise ProofError(f"account 0x{proven.address.hex()}: the node says {claimed}, but its proof shows {shown}")
    for slot, word in proven.words.items():
        if answer.words[slot] != word:
            raise ProofError(
                f"account 0x{proven.address.hex()}, slot {slot}: the node says 0x{answer.words[slot].hex()}, but its "
                f"proof shows 0x{word.hex()}"
            )
    return proven


def _read_nodes(value: object, name: str) -> tuple[bytes, ...]:
    return tuple(
        read_bytes(node, f"{name}[{place}]", MAX_NODE_BYTES)
        for place, node in enumerate(read_list(value, name, MAX_NODES))
    )
