"""The form of evidence files: one form only, read with bounded memory whatever a stream holds."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat
from random import Random
from typing import Any

import pytest
from evidence_samples import find, read_good

from qballot.core.census import build_census
from qballot.core.census_file import dump_census
from qballot.core.keccak import keccak
from qballot.core.proof import Evidence, GetProofAnswer, HeadProof, Voters, attach_census, read_evidence, write_evidence
from qballot.core.proof.account import Account, AccountProof
from qballot.core.proof.evidence_lines import (
    BATCH_DIGITS_A_LINE,
    HEADERS_A_LINE,
    MAX_BATCH_BYTES,
    MAX_LINE_BYTES,
    VOTERS_A_LINE,
)
from qballot.core.records import Record, pack_record, pack_records
from qballot.core.types import Address, Hash32, VoterIndex, Weight
from qballot.errors import DecodeError, InputError, ProofError

pytestmark = pytest.mark.unit

SMALL = read_good("small")
LINES = SMALL.splitlines(keepends=True)
MEMORY = 40 * 2**20
"""Bytes that reading something hostile may take at most: a line and a few copies of it."""


def small() -> Evidence:
    return read_evidence([SMALL])


def kinds(lines: list[bytes]) -> list[str]:
    return [json.loads(line)["kind"] for line in lines]


def refuse(data: bytes) -> str:
    with pytest.raises(DecodeError) as caught:
        read_evidence([data])
    return str(caught.value)


def change(number: int, **values: Any) -> bytes:
    """Put other values in a line, counted from 1."""
    lines = list(LINES)
    lines[number - 1] = json.dumps({**json.loads(lines[number - 1]), **values}, separators=(",", ":")).encode() + b"\n"
    return b"".join(lines)


def write_line(kind: str, items: list[Any]) -> bytes:
    return json.dumps({"kind": kind, kind: items}, separators=(",", ":")).encode() + b"\n"


def record(ballot: bytes, voter: int = 0) -> Record:
    return Record(VoterIndex(voter), 1_800_000_000, Weight(1), ballot)


def test_file__small_bundle__has_its_lines_in_order() -> None:
    kind = ["evidence", "definition", "block", "proof", "batches", "census", "voters", "end"]
    assert kinds(LINES) == kind
    assert json.loads(LINES[-1]) == {"kind": "end", "batches": 3, "records": 5, "voters": 5, "headers": 0}
    assert kinds(read_good("without-census").splitlines()) == [*kind[:5], "end"]
    assert kinds(read_good("census-referenced").splitlines()) == [*kind[:6], "end"]
    assert kinds(read_good("cancelled").splitlines()) == [*kind[:4], *kind[5:]]
    assert kinds(read_good("lot").splitlines()) == [*kind[:7], "lot", "end"]


def test_file__much_of_everything__fills_its_lines_and_is_read_back() -> None:
    random = Random(1)
    batches = [pack_record(record(random.randbytes(random.choice((10, 5_000, 60_000))))) for _ in range(80)]
    longest = pack_records([record(b"\x01" * 65_512) for _ in range(32)])
    assert len(longest) == MAX_BATCH_BYTES - 32
    addresses = [Address(random.randbytes(20)) for _ in range(2 * VOTERS_A_LINE + 1)]
    voters = Voters(addresses, [Weight(random.choice((1, 2**96 - 1))) for _ in addresses])
    lot = tuple(random.randbytes(600) for _ in range(HEADERS_A_LINE + 1))
    evidence = replace(small(), batches=[*batches, longest, *batches[:2]], voters=voters, lot=lot)
    lines = list(write_evidence(evidence))
    assert read_evidence(lines) == evidence
    assert read_evidence([b"".join(lines)]) == evidence
    found = kinds(lines)
    assert (found.count("voters"), found.count("lot")) == (3, 2)
    assert found.count("batches") > 4
    assert max(map(len, lines)) <= MAX_LINE_BYTES
    for line, kind in zip(lines, found, strict=True):
        if kind == "batches":
            digits = [len(batch) - 2 for batch in json.loads(line)["batches"]]
            assert len(digits) == 1 or sum(digits) <= BATCH_DIGITS_A_LINE


def test_file__lines_that_are_not_filled__are_refused() -> None:
    batches, voters = json.loads(LINES[4])["batches"], json.loads(LINES[6])["voters"]
    cut = [write_line("batches", batches[:1]), write_line("batches", batches[1:])]
    assert "line 6: the line before has room" in refuse(b"".join([*LINES[:4], *cut, *LINES[5:]]))
    assert "line 5: found a line without a batch" in refuse(change(5, batches=[]))
    cut = [write_line("voters", voters[:2]), write_line("voters", voters[2:])]
    assert "line 8: the line before has room for further voters" in refuse(b"".join([*LINES[:6], *cut, *LINES[7:]]))
    assert "found a line of 0 voters" in refuse(change(7, voters=[]))


@pytest.mark.parametrize(
    ("number", "values", "message"),
    [
        (1, {"version": "1"}, "line 1: this is no evidence"),
        (1, {"version": True}, "line 1: this is no evidence"),
        (1, {"kind": "receipt"}, "line 1: this is no evidence"),
        (1, {"chain_id": -1}, "line 1: found the chain id -1"),
        (1, {"chain_id": 2**63}, "line 1: "),
        (1, {"box": "0x00"}, "line 1: box: found 1 bytes, expected 20"),
        (1, {"salt": "0x" + "00" * 33}, "line 1: salt: found 68 characters"),
        (1, {"code": "0x0"}, "line 1: code: found '0x0'"),
        (1, {"more": 1}, "line 1: expected a line of kind evidence: Object contains unknown field `more`"),
        (2, {"kind": "definitions"}, "line 2: expected a line of kind definition: Invalid value 'definitions'"),
        (2, {"bytes": "0xAB"}, "line 2: bytes: found '0xAB', expected bytes as 0x and lower-case hex digits"),
        (2, {"bytes": "0x ab"}, "line 2: bytes: found '0x ab'"),
        (2, {"bytes": "ab"}, "line 2: bytes: found 'ab'"),
        (3, {"header": "0x" + "00" * 1025}, "line 3: header: found 2052 characters, expected at most 1024 bytes"),
        (4, {"box": ["0x00", "0xg0"]}, "line 4: node 1: found '0xg0'"),
        (5, {"batches": ["0x00"]}, "line 5: batch 0: records are cut short at byte 0"),
        (6, {"hash": "0x00"}, "line 6: hash: found 1 bytes, expected 32"),
        (7, {"voters": [["0x" + "01" * 20, "01"]]}, "line 7: voter 0: weight: found '01'"),
        (7, {"voters": [["0x" + "01" * 20, "-1"]]}, "line 7: voter 0: weight: found '-1'"),
        (7, {"voters": [["0x" + "01" * 20, "9" * 5000]]}, "line 7: voter 0: weight: found '999"),
        (7, {"voters": [["0x" + "01" * 20, "\u0661"]]}, "line 7: "),
        (7, {"voters": [["0x" + "01" * 19, "1"], ["0x" + "01" * 21, "1"]]}, "voter 0: address: found 19 bytes"),
        (7, {"voters": [["0x" + "01" * 20, "1", "1"]]}, "line 7: expected a line of kind voters"),
        (8, {"records": 4}, "line 8: the file says that it has 3 batches, 4 records, 5 voters and 0 headers"),
    ],
)  # fmt: skip
def test_file__line_that_is_not_in_its_form__is_named(number: int, values: dict[str, Any], message: str) -> None:
    assert message in refuse(change(number, **values))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1: this is no evidence"),
        (b"\n", "line 1: this is no evidence"),
        (SMALL + b"\n", "line 9: found a line after the one of kind end"),
        (SMALL + b"x", "line 9: found no end of the line after 1 bytes: the file is cut short"),
        (SMALL[:-1], "line 8: found no end of the line"),
        (b"".join(LINES[:-1]), "line 8: found the end, expected a line of kind end: the file is cut short"),
        (b"".join([*LINES[:4], b"\n", *LINES[4:]]), "line 5: expected a line of kind end"),
        (SMALL.replace(b"\n", b"\r\n"), "line 1: the line of kind evidence is not in its one form"),
        (b"\xef\xbb\xbf" + SMALL, "line 1: this is no evidence"),
        (SMALL.replace(b'"bytes":"0x7b', b'"bytes":"0x\\u0037b'), "line 2: the line of kind definition is not"),
        (SMALL.replace(b'{"kind":"block",', b'{"kind":"block","header":"0x00",'), "line 3: the line of kind block is"),
        (b"[" * 200_000 + b"\n", "line 1: this is no evidence"),
        (LINES[0] + b'{"kind":"definition","bytes":' + b"[" * 200_000 + b"\n", "line 2: expected a line of kind"),
        (LINES[0] + b'{"x":' * 200_000 + b"\n", "line 2: expected a line of kind definition"),
    ],
)  # fmt: skip
def test_file__stream_that_is_not_evidence__is_refused_at_its_line(data: bytes, message: str) -> None:
    assert message in refuse(data)


def _hostile() -> Iterator[tuple[str, Iterator[bytes]]]:
    yield "a line without end", repeat(b"0" * 65_536)
    yield "a line of nothing but an opening", repeat(b"[" * 50, 200_000)
    yield "nothing but line ends", repeat(b"\n" * 65_536)
    yield "a line with long text", iter([LINES[0], b'{"kind":"definition","bytes":"0x', *repeat(b"00" * 32_768, 200)])


@pytest.mark.parametrize("name", [name for name, _ in _hostile()])
def test_file__hostile_stream__is_refused_in_bounded_memory(name: str) -> None:
    chunks = dict(_hostile())[name]
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError):
            read_evidence(chunks)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


def test_file__more_than_the_caller_wants__is_refused() -> None:
    assert read_evidence([SMALL], most_bytes=len(SMALL)) == small()
    with pytest.raises(DecodeError, match=f"line 8: found more than {len(SMALL) - 1} bytes in all"):
        read_evidence(LINES, most_bytes=len(SMALL) - 1)


def test_file__what_no_reader_takes__is_not_written() -> None:
    with pytest.raises(InputError, match="batch 1 has 2097153 bytes, expected at most 2097152"):
        list(write_evidence(replace(small(), batches=[b"", bytes(MAX_BATCH_BYTES + 1)])))
    with pytest.raises(InputError, match="both the voters and a reference"):
        list(write_evidence(replace(small(), census_hash=keccak(b""))))
    with pytest.raises(DecodeError):
        list(write_evidence(replace(small(), batches=[b"\x01"])))


def test_census__attached__is_that_of_the_reference() -> None:
    evidence = read_evidence([read_good("census-referenced")])
    full = read_evidence([read_good("small")])
    assert full.voters is not None
    census = build_census(zip(full.voters.addresses, full.voters.weights, strict=True), 10)
    attached = attach_census(evidence, dump_census(census))
    assert attached.voters == Voters.of(census)
    assert attached.census_hash is None
    other = build_census([(Address(b"\x01" * 20), Weight(1))])
    with pytest.raises(ProofError, match="the evidence refers to the one with 0x"):
        attach_census(evidence, dump_census(other))
    assert attach_census(replace(evidence, census_hash=None), dump_census(other)).voters == Voters.of(other)
    with pytest.raises(InputError):
        attach_census(replace(evidence, census_hash=None), b"{}")


def test_head_proof__answer_without_the_slot__is_refused() -> None:
    zero = Hash32(bytes(32))
    answer = GetProofAnswer(AccountProof(Address(bytes(20)), ()), Account(0, 0, zero, zero), {})
    with pytest.raises(ProofError, match="found no proof of slot 0"):
        HeadProof.of(answer, answer)


def test_block_hash__of_evidence__is_of_its_header() -> None:
    assert "0x" + small().block_hash.hex() == find("good", "small")["trusted_block_hash"]
