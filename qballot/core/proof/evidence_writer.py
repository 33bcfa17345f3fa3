"""Writing evidence as a file: `evidence_lines.py` says what its lines are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from qballot.core.keccak import keccak_chunks
from qballot.core.proof.evidence import Evidence, Voters
from qballot.core.proof.evidence_lines import (
    BATCH_DIGITS_A_LINE,
    HEADERS_A_LINE,
    MAX_BATCH_BYTES,
    VERSION,
    VOTERS_A_LINE,
    BatchesLine,
    BlockLine,
    CensusLine,
    DefinitionLine,
    EndLine,
    EvidenceLine,
    LotLine,
    ProofLine,
    VotersLine,
    encode_line,
)
from qballot.core.proof.hex_values import encode_hex
from qballot.core.records import count_records
from qballot.core.types import Hash32
from qballot.errors import InputError


def write_evidence(evidence: Evidence) -> Iterator[bytes]:
    """Write evidence line by line, each with its end; the same evidence is always the same bytes.

    The batches are passed over once, so they may come from wherever they are kept, a few at a time.
    Raises InputError for a batch that is too long, or both voters and a reference to them; DecodeError for a batch
    that is not whole records.
    """
    origin, proof = evidence.origin, evidence.proof
    yield encode_line(
        EvidenceLine(
            VERSION,
            origin.chain_id,
            encode_hex(origin.factory),
            encode_hex(origin.box),
            encode_hex(origin.salt),
            encode_hex(origin.code),
        )
    )
    yield encode_line(DefinitionLine(encode_hex(evidence.definition)))
    yield encode_line(BlockLine(encode_hex(evidence.header)))
    yield encode_line(ProofLine(_encode_all(proof.box), _encode_all(proof.implementation), _encode_all(proof.head)))
    batches = records = 0
    for part in _cut_batches(evidence.batches):
        batches += len(part)
        records += sum(count_records(batch) for batch in part)
        yield encode_line(BatchesLine(_encode_all(part)))
    yield from _write_census(evidence)
    for start in range(0, len(evidence.lot), HEADERS_A_LINE):
        yield encode_line(LotLine(_encode_all(evidence.lot[start : start + HEADERS_A_LINE])))
    voters = 0 if evidence.voters is None else len(evidence.voters)
    yield encode_line(EndLine(batches, records, voters, len(evidence.lot)))


def digest_evidence(lines: Iterable[bytes]) -> Hash32:
    """Hash an evidence file, in pieces of any size: keccak256 of its bytes, a name for its content."""
    return keccak_chunks(lines)


def _cut_batches(batches: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Cut batches into lines, each as full as it can be."""
    part: list[bytes] = []
    digits = 0
    for place, batch in enumerate(batches):
        if len(batch) > MAX_BATCH_BYTES:
            raise InputError(f"batch {place} has {len(batch)} bytes, expected at most {MAX_BATCH_BYTES}")
        if part and digits + 2 * len(batch) > BATCH_DIGITS_A_LINE:
            yield part
            part, digits = [], 0
        part.append(batch)
        digits += 2 * len(batch)
    if part:
        yield part


def _write_census(evidence: Evidence) -> Iterator[bytes]:
    voters, reference = evidence.voters, evidence.census_hash
    if voters is None:
        if reference is not None:
            yield encode_line(CensusLine(encode_hex(reference)))
        return
    if reference is not None:
        raise InputError("found both the voters and a reference to their file, expected one of the two at most")
    yield encode_line(CensusLine(None))
    yield from _write_voters(voters)


def _write_voters(voters: Voters) -> Iterator[bytes]:
    rows = (
        (encode_hex(address), str(weight)) for address, weight in zip(voters.addresses, voters.weights, strict=True)
    )
    while part := list(islice(rows, VOTERS_A_LINE)):
        yield encode_line(VotersLine(part))


def _encode_all(items: Sequence[bytes]) -> list[str]:
    return [encode_hex(item) for item in items]
