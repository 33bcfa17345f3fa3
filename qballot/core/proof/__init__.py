"""Proofs against a block hash: whoever believes one block's hash has everything else by computation.

    block hash ──keccak── header ─┬─ stateRoot ──── account of the box ──── its storage root ──── slot 0, the head
                                  └─ receiptsRoot ─ a transaction's receipt ──── its logs, a batch of ballots

Start with `trie.py`, which every proof but the header's goes through; `rlp.py` is the form of all bytes below it. On
these stands the evidence of a whole election: `evidence.py` says what is in it, `evidence_lines.py` how it is a file,
`verify.py` and `evidence_steps.py` what follows from it. `receipt_file.py` is what a single voter keeps. Nothing
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
from qballot.core.proof.evidence import BoxOrigin, Evidence, HeadProof, Voters, attach_census
from qballot.core.proof.evidence_reader import read_evidence
from qballot.core.proof.evidence_writer import digest_evidence, write_evidence
from qballot.core.proof.get_proof import GetProofAnswer, decode_get_proof, verify_get_proof
from qballot.core.proof.head import Pins, ProvenHead, prove_head
from qballot.core.proof.header import Header, decode_header, encode_header, hash_header
from qballot.core.proof.header_answer import decode_header_answer
from qballot.core.proof.lot_headers import find_lot_block
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
from qballot.core.proof.receipt_file import ReceiptFile, read_receipt_file, write_receipt_file
from qballot.core.proof.receipt_verify import ReceiptVerification, verify_receipt_file
from qballot.core.proof.steps import Check, EvidenceCheck, Outcome, ReceiptCheck, StepReport
from qballot.core.proof.trie import EMPTY_ROOT, verify_trie_proof
from qballot.core.proof.trie_build import Trie, build_trie, build_trie_proof
from qballot.core.proof.verification import ResultState, Verification
from qballot.core.proof.verify import Verifier, verify_evidence, verify_evidence_file

__all__ = [
    "EMPTY_CODE_HASH",
    "EMPTY_ROOT",
    "Account",
    "AccountProof",
    "BoxOrigin",
    "Check",
    "Evidence",
    "EvidenceCheck",
    "GetProofAnswer",
    "HeadProof",
    "Header",
    "Log",
    "Outcome",
    "Pins",
    "ProvenAccount",
    "ProvenHead",
    "Receipt",
    "ReceiptCheck",
    "ReceiptFile",
    "ReceiptVerification",
    "ResultState",
    "SlotProof",
    "StepReport",
    "Trie",
    "Verification",
    "Verifier",
    "Voters",
    "attach_census",
    "build_receipt_proof",
    "build_receipts_trie",
    "build_trie",
    "build_trie_proof",
    "decode_get_proof",
    "decode_header",
    "decode_header_answer",
    "decode_receipt",
    "decode_receipt_answers",
    "digest_evidence",
    "encode_header",
    "encode_receipt",
    "find_lot_block",
    "hash_header",
    "prove_head",
    "read_evidence",
    "read_receipt_file",
    "verify_account",
    "verify_account_proof",
    "verify_evidence",
    "verify_evidence_file",
    "verify_get_proof",
    "verify_receipt",
    "verify_receipt_file",
    "verify_slot",
    "verify_trie_proof",
    "write_evidence",
    "write_receipt_file",
]
