from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qballot.cli.census import app
from qballot.cli.census_report import describe_census
from qballot.core.address import checksum_address
from qballot.core.census import build_census
from qballot.core.census_file import dump_census, load_census
from qballot.core.keccak import keccak
from qballot.core.provenance import MAX_SHEETS
from qballot.core.types import Address, Weight
from qballot.errors import CensusError, InputError

pytestmark = pytest.mark.unit

ROWS = [(Address(keccak(b"voter %d" % index)[:20]), Weight(index + 1)) for index in range(20)]
CSV = "address,weight\n" + "".join(f"{checksum_address(address)},{weight}\n" for address, weight in ROWS)


@pytest.fixture
def voters(tmp_path: Path) -> Path:
    path = tmp_path / "voters.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def build(*arguments: str | Path) -> tuple[int, str, BaseException | None]:
    result = CliRunner().invoke(app, ["build", *map(str, arguments)])
    return result.exit_code, result.stdout, result.exception


def test_census_build__list_of_voters__writes_the_census_and_says_what_is_in_it(voters: Path, tmp_path: Path) -> None:
    output = tmp_path / "census.json"
    status, printed, _ = build(voters, "-o", output)
    assert status == 0
    census = build_census(ROWS)
    assert output.read_bytes() == dump_census(census)
    assert "voters        20\n" in printed
    assert "total weight  210\n" in printed
    assert "1 of up to 1,024 voters: cheapest if most ballots are brought in batches" in printed
    assert "0x" + census.root_of(0).hex() in printed
    assert "0x" + keccak(output.read_bytes()).hex() in printed


def test_census_build__many_sheets__are_cut_short_for_people_and_whole_in_json(voters: Path, tmp_path: Path) -> None:
    output = tmp_path / "census.json"
    _, printed, _ = build(voters, "-o", output, "--sheet-size", "2")
    assert "… and 2 more" in printed
    status, printed, _ = build(voters, "-o", output, "--sheet-size", "2", "--json")
    census = load_census(output.read_bytes())
    assert status == 0
    assert json.loads(printed) == {
        "census_file": str(output),
        "census_hash": "0x" + keccak(output.read_bytes()).hex(),
        "voters": 20,
        "total_weight": "210",
        "sheet_bits": 1,
        "sheet_count": 10,
        "sheet_size_reason": "as asked",
        "sheet_roots": ["0x" + root.hex() for root in census.sheet_roots],
    }


def test_census_build__no_output_named__is_census_json_here(
    voters: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert build(voters)[0] == 0
    assert len(load_census((tmp_path / "census.json").read_bytes())) == 20


def test_census_build__another_file_there__is_kept_unless_forced(voters: Path, tmp_path: Path) -> None:
    output = tmp_path / "census.json"
    assert build(voters, "-o", output)[0] == 0
    assert build(voters, "-o", output)[0] == 0
    first = output.read_bytes()
    _, _, error = build(voters, "-o", output, "--sheet-size", "4")
    assert isinstance(error, InputError)
    assert "exists and is another file" in str(error)
    assert output.read_bytes() == first
    assert build(voters, "-o", output, "--sheet-size", "4", "--force")[0] == 0
    assert load_census(output.read_bytes()).sheet_bits == 2


def test_census_build__bad_row__is_named_and_nothing_is_written(voters: Path, tmp_path: Path) -> None:
    voters.write_text(CSV + f"{checksum_address(ROWS[4][0])},1\n", encoding="utf-8")
    output = tmp_path / "census.json"
    _, printed, error = build(voters, "-o", output)
    assert isinstance(error, CensusError)
    assert error.row == 22
    assert "in row 6" in str(error)
    assert not printed
    assert not output.exists()


def test_census_build__not_utf_8__is_refused(voters: Path, tmp_path: Path) -> None:
    voters.write_text(CSV, encoding="utf-16")
    _, _, error = build(voters, "-o", tmp_path / "census.json")
    assert isinstance(error, InputError)
    assert "is not UTF-8 text: see byte 0" in str(error)


def test_census_build__folder_that_is_not_there__is_refused(voters: Path, tmp_path: Path) -> None:
    _, _, error = build(voters, "-o", tmp_path / "missing" / "census.json")
    assert isinstance(error, InputError)
    assert "cannot be written: No such file or directory" in str(error)


def test_census_build__no_list__is_wrong_usage(tmp_path: Path) -> None:
    assert build()[0] == 2
    _, _, error = build(tmp_path / "missing.csv")
    assert isinstance(error, InputError)
    assert "missing.csv cannot be read: No such file or directory" in str(error)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ("0", "found sheets of 0 voters, expected a power of two from 1 to 65,536"),
        ("-4", "found sheets of -4 voters, expected a power of two from 1 to 65,536"),
        ("131072", "found sheets of 131072 voters, expected a power of two from 1 to 65,536"),
        ("300", "found sheets of 300 voters, expected a power of two, such as 256 or 512"),
    ],
)
def test_census_build__sheet_size_that_is_none__is_refused(voters: Path, tmp_path: Path, size: str, words: str) -> None:
    _, _, error = build(voters, "-o", tmp_path / "census.json", "--sheet-size", size)
    assert isinstance(error, InputError)
    assert str(error) == words


def test_describe_census__sheets_that_had_to_be_larger__says_why() -> None:
    report = describe_census(build_census(ROWS, sheet_bits=11), Path("census.json"), b"", is_size_chosen=False)
    assert report["sheet_size_reason"] == "smaller ones would be more than 764, the most that a box holds"


def test_census_build__sheets_too_small_for_a_box__are_refused_with_what_fits(tmp_path: Path) -> None:
    addresses = (checksum_address(Address(number.to_bytes(20))) for number in range(1, MAX_SHEETS * 2 + 2))
    voters = tmp_path / "voters.csv"
    voters.write_text("address\n" + "\n".join(addresses), encoding="utf-8")
    _, _, error = build(voters, "-o", tmp_path / "census.json", "--sheet-size", "2")
    assert isinstance(error, InputError)
    assert str(error) == (
        "1,529 voters in sheets of 2 make 765 sheets; a ballot box holds 764: choose sheets of at least 4"
    )
