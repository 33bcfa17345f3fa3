"""A document of a version that is not known is neither valid nor invalid, whatever else it holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from qballot.cli import exit_status
from qballot.core.census_file import dump_census, load_census
from qballot.core.census_proof import build_voter_proof, dump_voter_proof, load_voter_proof
from qballot.core.definition import (
    MAX_TOTAL_OPTIONS,
    parse_definition,
    parse_definition_document,
    refuse_unknown_definition,
)
from qballot.core.proof import read_evidence, read_receipt_file
from qballot.core.records import MAX_RECORD_BALLOT_BYTES
from qballot.core.signed_ballot import load_signed_ballot
from qballot.errors import DecodeError, DefinitionError, InputError, QballotError, UnknownVersionError
from qballot.testing import make_definition
from qballot.testing.elections import make_census, make_voters

pytestmark = pytest.mark.unit

CENSUS = make_census(make_voters(3))


@pytest.mark.parametrize("version", [0, 2, 7, -1, 2**53 - 1])
@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"title": 5, "contests": "none", "secrecy": {"trustees": 3}},
        json.loads(make_definition()),
        {"contests": [{"id": "a", "method": "lottery"}]},
    ],
)
def test_definition__of_another_version__is_unknown_whatever_it_holds(version: int, rest: dict[str, Any]) -> None:
    data = json.dumps({**rest, "qballot": version}, separators=(",", ":"), sort_keys=True).encode()
    spaced = data.replace(b":", b" : ", 1)
    for read in (parse_definition, parse_definition_document, refuse_unknown_definition):
        for document in (data, spaced):
            with pytest.raises(UnknownVersionError) as caught:
                read(document)
            assert caught.value.found == version
            assert str(caught.value) == (
                f"made for a newer version of QBallot (found definition version {version}, this one knows 1)"
            )
            assert exit_status(caught.value) == 1


@pytest.mark.parametrize(
    "data",
    [
        b'{"qballot":"7"}',
        b'{"qballot":true}',
        b'{"qballot":null}',
        b'{"qballot":[7]}',
        b'{"version":7}',
        b'[{"qballot":7}]',
        b"7",
        b'{"qballot":7.0}',
        b'{"qballot":7e0}',
        b'{"qballot":07}',
        b'{"qballot":9007199254740992}',
        b'{"qballot":1,"qballot":7}',
        b'{"qballot":7}}',
        b'\xef\xbb\xbf{"qballot":7}',
        b'{"qballot":7,"weight":1.5}',
        b'{"qballot":7,"title":"' + b"x" * 65_536 + b'"}',
        b'{"qballot":1,"secrecy":{}}',
    ],
)
def test_definition__without_a_number_in_strict_json__is_invalid(data: bytes) -> None:
    refuse_unknown_definition(data)
    with pytest.raises(DefinitionError):
        parse_definition(data)


def test_definition__longest_ballot__always_fits_in_a_record() -> None:
    definition = parse_definition(make_definition())
    assert definition.longest_ballot == definition.ballot_length == 3
    assert MAX_TOTAL_OPTIONS <= MAX_RECORD_BALLOT_BYTES


Read = Callable[[bytes], Any]


@pytest.mark.parametrize(
    ("read", "key", "what"),
    [
        (load_census, "qballot_census", "census file version"),
        (load_voter_proof, "qballot_census_proof", "version of a voter's proof"),
        (load_signed_ballot, "qballot_signed_ballot", "signed ballot version"),
    ],
)
def test_file__of_another_version__is_unknown_whatever_it_holds(read: Read, key: str, what: str) -> None:
    for rest in ({}, {"new": [1.5, None, {"deep": {}}]}, {"voters": 7}):
        with pytest.raises(UnknownVersionError) as caught:
            read(json.dumps({**rest, key: 2}).encode())
        assert f"(found {what} 2, this one knows 1)" in str(caught.value)
    for data in (
        f'{{"{key}":"2"}}',
        f'{{"{key}":2.0}}',
        f'{{"{key}":true}}',
        f'{{"{key}":1,"new":0}}',
        f'[{{"{key}":2}}]',
    ):
        with pytest.raises(InputError):
            read(data.encode())


def test_file__of_the_known_version_with_an_unknown_key__is_refused() -> None:
    census = json.loads(dump_census(CENSUS))
    with pytest.raises(InputError, match="not a census file: Object contains unknown field `new`"):
        load_census(json.dumps({**census, "new": 1}).encode())
    proof = json.loads(dump_voter_proof(build_voter_proof(CENSUS, CENSUS.addresses[0])))
    with pytest.raises(InputError, match="not a voter's proof: Object contains unknown field `new`"):
        load_voter_proof(json.dumps({**proof, "new": 1}).encode())


def read_lines(data: bytes) -> Any:
    return read_evidence([data + b"\n"])


@pytest.mark.parametrize(("read", "kind"), [(read_lines, "evidence"), (read_receipt_file, "receipt")])
def test_file_with_a_kind__of_another_version_or_kind__is_unknown(read: Read, kind: str) -> None:
    for document, message in (
        ({"kind": kind, "version": 2}, f"found {kind} version 2, this one knows 1"),
        ({"version": 9, "x": [1.5], "kind": kind}, f"found {kind} version 9, this one knows 1"),
        (
            {"kind": "ceremony", "version": 1},
            'found a file of kind "ceremony", this one knows "evidence" and "receipt"',
        ),
    ):
        with pytest.raises(UnknownVersionError) as caught:
            read(json.dumps(document).encode())
        assert message in str(caught.value)
    for document in (
        {"kind": kind},
        {"kind": kind, "version": "2"},
        {"kind": 2, "version": 2},
        {"kind": "ceremony"},
        [],
    ):
        with pytest.raises(DecodeError):
            read(json.dumps(document).encode())
    other = "receipt" if kind == "evidence" else "evidence"
    with pytest.raises(DecodeError, match=f"this is no {kind}"):
        read(json.dumps({"kind": other, "version": 2}).encode())


def test_unknown_version__is_none_of_the_errors_that_call_a_document_wrong() -> None:
    error = UnknownVersionError("definition version", 7, 1)
    assert isinstance(error, QballotError)
    assert not isinstance(error, InputError | DecodeError)
