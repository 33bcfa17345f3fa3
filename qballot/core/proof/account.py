"""Accounts and their storage, proved against a header's state root.

    stateRoot ── keccak(address) ──▶ account = [nonce, balance, storage root, code hash]
                                                               │
                                     keccak(slot) ──▶ the word in that slot

Source: Ethereum Yellow Paper §4.1; EIP-1186.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from qballot.core.bounds import validate_length, validate_uint
from qballot.core.keccak import keccak
from qballot.core.proof.rlp import decode_fixed, decode_string, decode_uint, split_fields
from qballot.core.proof.trie import EMPTY_ROOT, verify_trie_proof
from qballot.core.types import Address, Hash32
from qballot.errors import ProofError

EMPTY_CODE_HASH: Final = keccak(b"")
"""Code hash of an account without code."""

WORD_BYTES: Final = 32
"""Size of what a slot holds."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the state. balance: in wei. storage_root, code_hash: 32 bytes."""

    nonce: int
    balance: int
    storage_root: Hash32
    code_hash: Hash32


@dataclass(frozen=True, slots=True)
class SlotProof:
    """The proof of one slot: the nodes from the account's storage root down. slot: below 2**256."""

    slot: int
    nodes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class AccountProof:
    """The proof of one account: the nodes from the state root down. slots: proofs of some of its slots."""

    address: Address
    nodes: tuple[bytes, ...]
    slots: tuple[SlotProof, ...] = ()


@dataclass(frozen=True, slots=True)
class ProvenAccount:
    """What a proof shows. account: None if there is none at this address. words: 32 bytes each, by slot."""

    address: Address
    account: Account | None
    words: Mapping[int, bytes]


def verify_account(state_root: Hash32, address: Address, proof: Sequence[bytes]) -> Account | None:
    """Prove the account at an address (20 bytes) under a header's state root: None where it is shown that none is.

    Raises ProofError, naming the account and what failed, when the proof shows neither.
    """
    validate_length("address", address, 20)
    try:
        value = verify_trie_proof(state_root, keccak(address), proof)
        return None if value is None else decode_account(value)
    except ProofError as error:
        raise ProofError(f"account proof of 0x{address.hex()}: {error}") from error


def verify_slot(storage_root: Hash32, slot: int, proof: Sequence[bytes]) -> bytes:
    """Prove the word (32 bytes) in a slot under an account's storage root: zeros where the slot is shown to be absent.

    A slot never holds a zero that is written: the two are the same on chain.
    Raises ProofError, naming the slot and what failed, when the proof shows neither.
    """
    validate_uint("slot", slot, 8 * WORD_BYTES)
    try:
        value = verify_trie_proof(storage_root, keccak(slot.to_bytes(WORD_BYTES)), proof)
        return bytes(WORD_BYTES) if value is None else _decode_word(value)
    except ProofError as error:
        raise ProofError(f"storage proof of slot {slot}: {error}") from error


def verify_account_proof(state_root: Hash32, proof: AccountProof) -> ProvenAccount:
    """Prove an account and its slots under a header's state root (32 bytes). An absent account's slots are empty.

    Raises ProofError, naming the account, the slot, the node and what failed.
    """
    account = verify_account(state_root, proof.address, proof.nodes)
    storage_root = EMPTY_ROOT if account is None else account.storage_root
    words: dict[int, bytes] = {}
    for slot in proof.slots:
        try:
            words[slot.slot] = verify_slot(storage_root, slot.slot, slot.nodes)
        except ProofError as error:
            raise ProofError(f"account 0x{proof.address.hex()}: {error}") from error
    return ProvenAccount(proof.address, account, words)


def decode_account(value: bytes) -> Account:
    """Read an account as the state trie has it. Raises ProofError, naming the field."""
    name = "fields"
    try:
        items = split_fields(value, 4)
        name = "nonce"
        nonce = decode_uint(items[0], 64)
        name = "balance"
        balance = decode_uint(items[1], 256)
        name = "storage root"
        storage_root = Hash32(decode_fixed(items[2], 32))
        name = "code hash"
        return Account(nonce, balance, storage_root, Hash32(decode_fixed(items[3], 32)))
    except ProofError as error:
        raise ProofError(f"the account's {name}: {error}") from error


def _decode_word(value: bytes) -> bytes:
    word = decode_string(value)
    if not word or len(word) > WORD_BYTES or word[0] == 0:
        raise ProofError(f"found 0x{word[:40].hex()}, expected 1 … {WORD_BYTES} bytes without leading zeros")
    return word.rjust(WORD_BYTES, b"\x00")
