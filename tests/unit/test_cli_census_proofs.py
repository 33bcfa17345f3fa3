"""`qballot census proof` and `proofs`, and the folder that the latter fills."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from qballot.census.proofs import MANIFEST, proof_path, write_proof_files
from qballot.cli.census import app
from qballot.core.address import checksum_address
from qballot.core.census import Census, build_census
from qballot.core.census_file import dump_census
from qballot.core.census_proof import build_voter_proof, dump_voter_proof
from qballot.core.keccak import keccak
from qballot.core.types import Address, Weight
from qballot.errors import InputError, NotInCensusError

pytestmark = pytest.mark.unit


def make_census(voters: int = 50, sheet_bits: int = 1) -> Census:
    rows = ((Address(keccak(b"voter %d" % index)[:20]), Weight(index + 1)) for index in range(voters))
    return build_census(rows, sheet_bits)


CENSUS = make_census()
DATA = dump_census(CENSUS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "census.json"
    path.write_bytes(DATA)
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)))


def read_all(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*/0x*.json")}


EXPECTED = {f"0x{item.hex()}.json": dump_voter_proof(build_voter_proof(CENSUS, item)) for item in CENSUS.addresses}


def test_census_proof__voter__prints_the_file(file: Path, tmp_path: Path) -> None:
    voter = CENSUS.addresses[7]
    expected = dump_voter_proof(build_voter_proof(CENSUS, voter))
    for spelled in (checksum_address(voter), "0x" + voter.hex()):
        assert run("proof", spelled, "--census", file).stdout.encode() == expected + b"\n"
    output = tmp_path / "proof.json"
    assert run("proof", checksum_address(voter), "--census", file, "-o", output).stdout == ""
    assert output.read_bytes() == expected
    error = run("proof", checksum_address(CENSUS.addresses[8]), "--census", file, "-o", output).exception
    assert isinstance(error, InputError)
    assert output.read_bytes() == expected


def test_census_proof__somebody_else__is_refused(file: Path) -> None:
    stranger = checksum_address(Address(b"\1" * 20))
    assert isinstance(run("proof", stranger, "--census", file).exception, NotInCensusError)
    assert isinstance(run("proof", "0x12", "--census", file).exception, InputError)


def test_census_proofs__every_voter__has_a_file(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "proofs"
    result = run("proofs", file, "-o", folder)
    assert result.stdout == f"{folder} holds the proofs of 50 voters, 50 of them written now\n"
    assert read_all(folder) == EXPECTED
    assert proof_path(folder, CENSUS.addresses[0]).read_bytes() == next(iter(EXPECTED.values()))
    assert json.loads((folder / MANIFEST).read_text()) == {
        "qballot_census_proofs": 1,
        "census_hash": "0x" + keccak(DATA).hex(),
        "voters": 50,
        "sheet_bits": 1,
        "sheets": 25,
        "sheets_written": 25,
    }
    report = json.loads(run("proofs", file, "-o", folder, "--json").stdout)
    assert report == {"folder": str(folder), "files": 50, "written": 0}


class _InterruptError(Exception):
    pass


def interrupt_at(voters: int) -> Callable[[str, int, int], None]:
    def report(_step: str, done: int, _total: int) -> None:
        if done >= voters:
            raise _InterruptError

    return report


@pytest.mark.parametrize("voters", [0, 2, 16, 30, 49])
def test_write_proof_files__interrupted__goes_on_and_ends_the_same(tmp_path: Path, voters: int) -> None:
    folder = tmp_path / "proofs"
    with pytest.raises(_InterruptError):
        write_proof_files(CENSUS, keccak(DATA), folder, interrupt_at(voters))
    before = len(read_all(folder))
    done = write_proof_files(CENSUS, keccak(DATA), folder)
    assert read_all(folder) == EXPECTED
    # No more than the last sheets that were not noted yet is written again.
    assert 50 - before <= done.written <= 50 - before + 16


def test_write_proof_files__folder_of_something_else__is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "proofs"
    folder.mkdir()
    (folder / "letter.txt").write_text("Dear committee")
    with pytest.raises(InputError, match=r"is not empty, and holds no manifest\.json"):
        write_proof_files(CENSUS, keccak(DATA), folder)
    (folder / "letter.txt").unlink()
    write_proof_files(CENSUS, keccak(DATA), folder)
    with pytest.raises(InputError, match="holds the proofs of another census"):
        write_proof_files(CENSUS, keccak(b"other"), folder)
    for text in ("", "[]", "{}", '{"qballot_census_proofs":2,"census_hash":"","sheets_written":0}'):
        (folder / MANIFEST).write_text(text)
        with pytest.raises(InputError, match="is not the manifest"):
            write_proof_files(CENSUS, keccak(DATA), folder)
    assert read_all(folder) == EXPECTED


def test_write_proof_files__place_that_cannot_be_written__is_an_input_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        write_proof_files(CENSUS, keccak(DATA), blocked / "proofs")
