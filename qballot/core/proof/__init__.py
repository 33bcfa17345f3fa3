"""Proofs against a block hash: whoever believes one block's hash has everything else by computation.

    block hash ──keccak── header ─┬─ stateRoot ──── account of the box ──── its storage root ──── slot 0, the head
                                  └─ receiptsRoot ─ a transaction's receipt ──── its logs, a batch of ballots

Start with `trie.py`, which every step but the first goes through; `rlp.py` is the form of all bytes below it. Nothing
here believes a length, an order or a hash that it was given: what does not follow is a ProofError that names it.
"""

from __future__ import annotations

from qballot.core.proof.account import (
    EMPTY_CODE_HASH,
    Account,
    AccountProof,
    ProvenAccount,
    SlotProof,
    verify_account,
    verify_account_proof,
    verify_slot,
)
from qballot.core.proof.get_proof import GetProofAnswer, decode_get_proof, verify_get_proof
from qballot.core.proof.header import Header, decode_header, encode_header, hash_header
from qballot.core.proof.header_answer import decode_header_answer
from qballot.core.proof.receipt import (
    Log,
    Receipt,
    build_receipt_proof,
    build_receipts_trie,
    decode_receipt,
    encode_receipt,
    verify_receipt,
)
from qballot.core.proof.receipt_answer import decode_receipt_answers
from qballot.core.proof.trie import EMPTY_ROOT, verify_trie_proof
from qballot.core.proof.trie_build import Trie, build_trie, build_trie_proof

__all__ = [
    "EMPTY_CODE_HASH",
    "EMPTY_ROOT",
    "Account",
    "AccountProof",
    "GetProofAnswer",
    "Header",
    "Log",
    "ProvenAccount",
    "Receipt",
    "SlotProof",
    "Trie",
    "build_receipt_proof",
    "build_receipts_trie",
    "build_trie",
    "build_trie_proof",
    "decode_get_proof",
    "decode_header",
    "decode_header_answer",
    "decode_receipt",
    "decode_receipt_answers",
    "encode_header",
    "encode_receipt",
    "hash_header",
    "verify_account",
    "verify_account_proof",
    "verify_get_proof",
    "verify_receipt",
    "verify_slot",
    "verify_trie_proof",
]
