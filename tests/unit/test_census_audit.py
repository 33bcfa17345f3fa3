"""Two lists of voters compared, by the library and by the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from qballot.census.codes import AccountCode, read_code
from qballot.cli.census import app
from qballot.core.address import checksum_address
from qballot.core.census import CensusEntry, build_census
from qballot.core.census_audit import Difference, Repeat, compare_voters
from qballot.core.census_file import dump_census, list_voters
from qballot.core.keccak import keccak
from qballot.core.types import Address, VoterIndex, Weight
from qballot.errors import CensusError, InputError, ProofError

pytestmark = pytest.mark.unit

PEOPLE = tuple(Address(keccak(b"voter %d" % index)[:20]) for index in range(30))
A, B, C, D = PEOPLE[:4]
Rows = list[tuple[Address, Weight]]
voter_lists = st.lists(st.tuples(st.sampled_from(PEOPLE[:8]), st.integers(1, 3).map(Weight)), max_size=10)


def rows(*pairs: tuple[Address, int]) -> Rows:
    return [(address, Weight(weight)) for address, weight in pairs]


def entry(index: int, address: Address, weight: int) -> CensusEntry:
    return CensusEntry(VoterIndex(index), address, Weight(weight))


def test_compare__every_kind_of_difference__is_found() -> None:
    audit = compare_voters(rows((A, 1), (B, 2), (C, 3)), rows((C, 3), (B, 5), (D, 4), (D, 4)))
    assert audit.added == (entry(2, D, 4),)
    assert audit.removed == (entry(0, A, 1),)
    assert audit.changed == (Difference(entry(1, B, 2), entry(1, B, 5)),)
    assert audit.moved == (Difference(entry(2, C, 3), entry(0, C, 3)),)
    assert audit.after.repeats == (Repeat(D, (2, 3)),)
    assert (audit.before.voters, audit.before.weight) == (3, 6)
    assert (audit.after.voters, audit.after.weight) == (3, 12)
    assert audit.unchanged == 0
    assert not audit.is_same


@given(voter_lists, voter_lists)
def test_compare__any_lists__every_voter_is_told_once(before: Rows, after: Rows) -> None:
    audit = compare_voters(before, after)
    both = len(audit.changed) + len(audit.moved) + audit.unchanged
    assert len(audit.removed) + both == len(dict(before)) == audit.before.voters
    assert len(audit.added) + both == len(dict(after)) == audit.after.voters
    assert audit.is_same == (before == after and len(dict(before)) == len(before))
    back = compare_voters(after, before)
    assert (back.added, back.removed, back.unchanged) == (audit.removed, audit.added, audit.unchanged)


@given(voter_lists)
def test_list_voters__csv_with_repeats__is_read_whole(voters: Rows) -> None:
    if not voters:
        return
    text = "address,weight\n" + "".join(f"{checksum_address(address)},{weight}\n" for address, weight in voters)
    assert list_voters(text.encode()) == voters


def test_list_voters__census_file__is_checked_but_for_repeats() -> None:
    data = dump_census(build_census(rows((A, 1), (B, 2)), 0))
    assert list_voters(data) == rows((A, 1), (B, 2))
    document = json.loads(data)
    document["voters"].append(document["voters"][0])
    assert list_voters(json.dumps(document).encode()) == rows((A, 1), (B, 2), (A, 1))
    document = json.loads(data) | {"sheet_roots": document["sheet_roots"][::-1]}
    with pytest.raises(ProofError, match="as root of sheet 0"):
        list_voters(json.dumps(document, separators=(",", ":"), sort_keys=True).encode())


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"{", b"address\nnobody\n"])
def test_list_voters__neither_form__is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        list_voters(data)


def test_read_code__eip_7702__is_told_from_a_contract() -> None:
    assert read_code(A, b"\xef\x01\x00" + B) == AccountCode(A, 23, B)
    for code in (b"\x60", b"\xef\x01\x00" + B + b"\0", b"\xef\x01\x01" + B, b"\xef\x01\x00" + B[:19]):
        assert read_code(A, code) == AccountCode(A, len(code), None)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


def test_census_audit__two_files__prints_what_differs(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.json"
    first.write_text(f"address,weight\n{checksum_address(A)},1\n{checksum_address(B)},2\n{checksum_address(A)},1\n")
    second.write_bytes(dump_census(build_census(rows((B, 3), (C, 1)))))
    printed = run(first, second).stdout
    assert printed.splitlines() == [
        "A          2 voters, total weight 3",
        "B          2 voters, total weight 4",
        "listed more than once in A: 1",
        f"  {checksum_address(A)} at 0, 2",
        "added: 1",
        f"  {checksum_address(C)}  voter 1, weight 1",
        "removed: 1",
        f"  {checksum_address(A)}  voter 0, weight 1",
        "changed weight: 1",
        f"  {checksum_address(B)}  weight 2 → 3, voter 1 → 0",
        "moved index: 0",
        "unchanged  0",
    ]
    report = json.loads(run(first, second, "--json").stdout)
    assert report["same"] is False
    assert report["before"]["duplicates"] == [{"address": checksum_address(A), "indices": [0, 2]}]
    assert report["changed"] == [
        {"address": checksum_address(B), "index_before": 1, "index": 0, "weight_before": "2", "weight": "3"}
    ]
    assert "with_code" not in report


def test_census_audit__many_differences__are_cut_short_for_people(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text("address\n" + "".join(f"{checksum_address(item)}\n" for item in PEOPLE))
    second.write_text("address\n" + "".join(f"{checksum_address(item)}\n" for item in PEOPLE[1:]))
    printed = run(first, second).stdout
    assert "moved index: 29\n" in printed
    assert "  … and 9 more: --json has them all\n" in printed
    assert len(json.loads(run(first, second, "--json").stdout)["moved"]) == 29


def test_census_audit__file_that_is_no_list__is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("name\nAda\n")
    assert isinstance(run(file, file).exception, CensusError)
    assert isinstance(run(tmp_path / "none", file).exception, InputError)
