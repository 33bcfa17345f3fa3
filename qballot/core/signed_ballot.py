"""A signed ballot as a file: what a voter hands to whoever brings it to the box.

    {"qballot_signed_ballot": 1, "chain_id": 1, "box": "0x…", "voter": 7, "account": "0x…", "weight": "1",
     "cast_at": 1798761600, "ballot": "0x…", "signature": "0x…", "words": ["Chair: 1. Ada"], "proof": ["0x…"]}

The signature covers chain, box, voter, `cast_at` and ballot (`qballot.core.signing`); weight and account are the
census's, `words` are for people and nothing reads them. `proof`, which may be left out, is the voter's in the census.
`"form": "text"` comes last where the box takes ballots that are signed as text, and is left out otherwise.
Whoever holds the file can bring the ballot, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from qballot.core.address import checksum_address, parse_address
from qballot.core.census import MAX_WEIGHT
from qballot.core.records import DIRECT_BIT, MAX_RECORD_BALLOT_BYTES, Record, SignedRecord
from qballot.core.signing import COMPACT_SIGNATURE_BYTES, BallotForm, ballot_digest, compact_signature, recover_signer
from qballot.core.types import Address, ChainId, Hash32, VoterIndex, Weight
from qballot.core.versions import refuse_unknown_version
from qballot.errors import InputError, ProofError

SIGNED_BALLOT_VERSION = 1
"""Value of `qballot_signed_ballot`; a change of the form is a new number."""

MAX_SIGNED_BALLOT_BYTES = 1_000_000
"""Longest file that is read."""

FULL_SIGNATURE_BYTES = 65
"""A signature as wallets give it: `r`, `s`, `v`."""


@dataclass(frozen=True, slots=True)
class SignedBallot:
    """One ballot that its voter signed, for one box on one chain.

    account: who signed, as is checked when one is read. words: for people. proof: in the census, or None. form: how it
    was signed.
    """

    chain_id: ChainId
    box: Address
    account: Address
    signed: SignedRecord
    words: tuple[str, ...] = ()
    proof: tuple[Hash32, ...] | None = None
    form: BallotForm = BallotForm.BYTES


class _Document(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    qballot_signed_ballot: int
    chain_id: int
    box: str
    voter: int
    account: str
    weight: str
    cast_at: int
    ballot: str
    signature: str
    words: list[str]
    proof: list[str] | None = None
    form: Literal["text"] | None = None


def dump_signed_ballot(ballot: SignedBallot) -> bytes:
    """Write the file: JSON with a line a field and a newline at the end."""
    record = ballot.signed.record
    document = _Document(
        qballot_signed_ballot=SIGNED_BALLOT_VERSION,
        chain_id=ballot.chain_id,
        box=checksum_address(ballot.box),
        voter=record.voter,
        account=checksum_address(ballot.account),
        weight=str(record.weight),
        cast_at=record.cast_at,
        ballot="0x" + record.ballot.hex(),
        signature="0x" + (ballot.signed.r + ballot.signed.vs).hex(),
        words=list(ballot.words),
        proof=None if ballot.proof is None else ["0x" + node.hex() for node in ballot.proof],
        form="text" if ballot.form is BallotForm.TEXT else None,
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def load_signed_ballot(data: bytes) -> SignedBallot:
    """Read a file and check that its account signed it. A signature may also be of 65 bytes, as wallets give it.

    Raises InputError when it is no such file or a value does not fit, ProofError when the signature is not the
    account's.
    """
    document = _decode(data)
    record = Record(
        voter=VoterIndex(_check("voter", document.voter, 0, 2**32 - 1)),
        cast_at=_check("cast_at", document.cast_at, 0, DIRECT_BIT - 1),
        weight=Weight(_read_weight(document.weight)),
        ballot=_read_bytes("ballot", document.ballot, MAX_RECORD_BALLOT_BYTES),
    )
    signature = _read_signature(document.signature)
    chain_id = ChainId(_check("chain_id", document.chain_id, 1, 2**63))
    box, account = parse_address(document.box), parse_address(document.account)
    form = BallotForm.of(document.form is not None)
    digest = ballot_digest(chain_id, box, record.voter, record.cast_at, record.ballot, form=form)
    signer = recover_signer(digest, signature)
    if signer != account:
        raise ProofError(
            f"the signature is not that of {checksum_address(account)} over this ballot: found that of "
            f"{checksum_address(signer)}; the file was altered, or signed for another box or chain"
        )
    proof = None if document.proof is None else tuple(_read_node(node) for node in document.proof)
    signed = SignedRecord(record, signature[:32], signature[32:])
    return SignedBallot(chain_id, box, account, signed, tuple(document.words), proof, form)


def _decode(data: bytes) -> _Document:
    if len(data) > MAX_SIGNED_BALLOT_BYTES:
        raise InputError(f"not a signed ballot: found {len(data)} bytes")
    refuse_unknown_version(data, "qballot_signed_ballot", SIGNED_BALLOT_VERSION, "signed ballot version")
    try:
        return msgspec.json.decode(data, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not a signed ballot as `qballot sign` writes it: {error}") from error


def _check(name: str, value: int, lowest: int, highest: int) -> int:
    if not lowest <= value <= highest:
        raise InputError(f"{name} of the signed ballot is {value}, expected {lowest} … {highest}")
    return value


def _read_weight(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 30 and 0 < int(text) <= MAX_WEIGHT):
        raise InputError(f"weight of the signed ballot is {text[:40]!r}, expected a whole number 1 … 2**96 - 1")
    return int(text)


def _read_bytes(name: str, text: str, most: int) -> bytes:
    try:
        value = bytes.fromhex(text[2:])
    except ValueError:
        value = None
    if value is None or not text.startswith("0x") or " " in text or len(value) > most:
        raise InputError(f"{name} of the signed ballot is {text[:40]!r}, expected at most {most} bytes as 0x-hex")
    return value


def _read_node(text: str) -> Hash32:
    node = _read_bytes("proof", text, 32)
    if len(node) != 32:
        raise InputError(f"proof of the signed ballot has a node of {len(node)} bytes, expected 32")
    return Hash32(node)


def _read_signature(text: str) -> bytes:
    value = _read_bytes("signature", text, FULL_SIGNATURE_BYTES)
    if len(value) == FULL_SIGNATURE_BYTES:
        return compact_signature(int.from_bytes(value[:32]), int.from_bytes(value[32:64]), value[64])
    if len(value) != COMPACT_SIGNATURE_BYTES:
        raise InputError(
            f"signature of the signed ballot has {len(value)} bytes, expected {COMPACT_SIGNATURE_BYTES} or "
            f"{FULL_SIGNATURE_BYTES}"
        )
    return value
