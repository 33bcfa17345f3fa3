"""An election's census in the ledger: let in after a check, served as proofs, and not lost with the index."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from index_rows import make_row_election, read_rows
from scenes import follow, hold_election
from served import serve
from sqlalchemy import Engine, func, select, text
from typer.testing import CliRunner, Result

from indexer.api import build_app
from indexer.ledger import import_census
from indexer.storage.engine import open_database
from indexer.storage.ledger import Ledger
from indexer.storage.ledger_tables import LEDGER_CENSUS_VOTERS, LEDGER_CENSUSES
from indexer.storage.writer import reset_index
from qballot.chain.devnet import Devnet
from qballot.cli.census import app as census_app
from qballot.core.address import checksum_address
from qballot.core.census import Census, CensusEntry, build_census
from qballot.core.census_file import dump_census
from qballot.core.census_proof import build_voter_proof, check_voter_proof, dump_voter_proof, load_voter_proof
from qballot.core.census_recipe import TokenKind, TokenRecipe
from qballot.core.keccak import keccak
from qballot.core.types import Address, BlockNumber, ChainId, Weight
from qballot.errors import DecodeError, InputError, ProofError, StorageError
from qballot.testing import ElectionOnDevnet, make_election

pytestmark = pytest.mark.integration

WEIGHTS = (1, 2**96 - 1, 3, 4, 5)


@pytest.fixture
def election(devnet: Devnet) -> ElectionOnDevnet:
    return make_election(devnet, weights=WEIGHTS, sheet_bits=1)


@pytest.fixture
def data(election: ElectionOnDevnet) -> bytes:
    return dump_census(election.census)


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    with serve(build_app(engine)) as client:
        yield client


def path_of(election: ElectionOnDevnet, address: Address) -> str:
    return f"/elections/{checksum_address(election.deployment.box)}/census/{checksum_address(address)}"


def count_rows(engine: Engine) -> tuple[int, int]:
    with engine.connect() as connection:
        censuses = connection.scalar(select(func.count()).select_from(LEDGER_CENSUSES))
        voters = connection.scalar(select(func.count()).select_from(LEDGER_CENSUS_VOTERS))
    return int(censuses or 0), int(voters or 0)


def test_import__census_of_the_box__is_served_as_proof_files(
    devnet: Devnet, engine: Engine, election: ElectionOnDevnet, data: bytes, client: httpx.Client
) -> None:
    follow(devnet, engine).sync_once()
    done = import_census(engine, election.deployment.box, data)
    assert (done.voters, done.sheets, done.new, done.census_hash) == (5, 3, True, keccak(data))
    for entry in election.census:
        answer = client.get(path_of(election, entry.address))
        assert answer.status_code == 200
        assert answer.content == dump_voter_proof(build_voter_proof(election.census, entry.address))
        assert answer.headers["content-type"] == "application/json"
        check_voter_proof(load_voter_proof(answer.content), election.deployment.arguments)


def test_import__again_and_for_another_box__is_kept_once(
    devnet: Devnet, engine: Engine, election: ElectionOnDevnet, data: bytes, client: httpx.Client
) -> None:
    second = make_election(devnet, weights=WEIGHTS, sheet_bits=1, salt=1)
    follow(devnet, engine).sync_once()
    assert import_census(engine, election.deployment.box, data).new
    assert not import_census(engine, election.deployment.box, data).new
    assert client.get(path_of(second, second.census.addresses[0])).status_code == 404
    assert not import_census(engine, second.deployment.box, data).new
    assert count_rows(engine) == (1, 5)
    assert client.get(path_of(second, second.census.addresses[0])).status_code == 200


def test_import__another_census__is_refused_and_not_kept(
    devnet: Devnet, engine: Engine, election: ElectionOnDevnet, data: bytes
) -> None:
    with pytest.raises(InputError, match="the index holds no election at"):
        import_census(engine, election.deployment.box, data)
    follow(devnet, engine).sync_once()
    rows = list(zip(election.census.addresses, election.census.weights, strict=True))
    others = [
        build_census(rows[:4], 1),
        build_census(rows, 2),
        build_census([(rows[0][0], Weight(2)), *rows[1:]], 1),
        build_census([rows[1], rows[0], *rows[2:]], 1),
    ]
    for other in others:
        with pytest.raises(ProofError):
            import_census(engine, election.deployment.box, dump_census(other))
    with pytest.raises(InputError, match="not a census file"):
        import_census(engine, election.deployment.box, b"{}")
    assert count_rows(engine) == (0, 0)


def test_reset__index__is_forgotten_and_read_again_while_the_ledger_stays(
    devnet: Devnet, engine: Engine, client: httpx.Client
) -> None:
    election = hold_election(devnet)
    follow(devnet, engine).sync_once()
    import_census(engine, election.deployment.box, dump_census(election.census))
    before = read_rows(engine)
    reset_index(engine)
    assert all(rows == [] for rows in read_rows(engine).values())
    missing = client.get(path_of(election, election.census.addresses[0]))
    assert (missing.status_code, missing.json()["detail"]) == (404, "this index holds no election at this address")
    follow(devnet, engine).sync_once()
    assert read_rows(engine) == before
    assert client.get(path_of(election, election.census.addresses[0])).status_code == 200
    assert count_rows(engine) == (1, 5)


def test_api__what_is_missing__is_said(
    devnet: Devnet, engine: Engine, election: ElectionOnDevnet, data: bytes, client: httpx.Client
) -> None:
    stranger = Address(b"\1" * 20)

    def ask(path: str, status: int) -> str:
        answer = client.get(path)
        assert answer.status_code == status
        return str(answer.json()["detail"])

    assert "no election at this address" in ask(path_of(election, stranger), 404)
    follow(devnet, engine).sync_once()
    assert "was not imported here" in ask(path_of(election, election.census.addresses[0]), 404)
    import_census(engine, election.deployment.box, data)
    assert "has no voter with this address" in ask(path_of(election, stranger), 404)
    assert "expected an address" in ask(path_of(election, stranger)[:-1], 422)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_census_voters SET weight = '9' WHERE voter = 1",
        "DELETE FROM ledger_census_voters WHERE voter = 0",
        "UPDATE ledger_censuses SET sheet_bits = 2",
        "UPDATE ledger_censuses SET voters = 6",
    ],
)
def test_api__ledger_tampered_with__serves_no_proof(
    devnet: Devnet, engine: Engine, election: ElectionOnDevnet, data: bytes, client: httpx.Client, *, statement: str
) -> None:
    follow(devnet, engine).sync_once()
    import_census(engine, election.deployment.box, data)
    with engine.begin() as connection:
        connection.execute(text(statement))
    assert client.get(path_of(election, election.census.addresses[1])).status_code == 503


def test_ledger__census_with_a_recipe__keeps_its_bytes(engine: Engine) -> None:
    recipe = TokenRecipe(
        ChainId(1), Address(b"\2" * 20), TokenKind.ERC20, BlockNumber(2), keccak(b"block"), BlockNumber(1)
    )
    rows = [(Address(keccak(b"%d" % index)[:20]), Weight(2**96 - 1 - index)) for index in range(5)]
    census = build_census(rows, 1, recipe)
    box = make_row_election().box
    ledger = Ledger(engine)
    assert ledger.load_census(box) is None
    assert ledger.save_census(box, census, keccak(b"file"), b'{"kind":"erc20"}')
    kept = ledger.load_census(box)
    assert kept is not None
    assert (kept.census_hash, kept.voters, kept.sheet_bits, kept.recipe) == (keccak(b"file"), 5, 1, b'{"kind":"erc20"}')
    assert ledger.load_sheet(kept, 0) == [census.entry(0), census.entry(1)]
    assert ledger.load_sheet(kept, 2) == [census.entry(4)]
    assert ledger.load_sheet(kept, 3) == []
    assert ledger.load_voter(kept, rows[3][0]) == CensusEntry(census.entry(3).index, rows[3][0], rows[3][1])
    assert ledger.load_voter(kept, Address(b"\1" * 20)) is None


def test_ledger__database_gone__is_a_storage_error(new_database: Callable[[], str]) -> None:
    engine = open_database(new_database())
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE ledger_election_censuses"))
    ledger = Ledger(engine)
    census: Census = build_census([(Address(b"\1" * 20), Weight(1))])
    with pytest.raises(StorageError, match="cannot read the ledger"):
        ledger.load_census(Address(b"\2" * 20))
    with pytest.raises(StorageError, match="cannot write the ledger"):
        ledger.save_census(Address(b"\2" * 20), census, keccak(b""), None)
    assert count_rows(engine) == (0, 0)
    engine.dispose()


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(census_app, list(map(str, arguments)))


def test_cli_import_and_check__file_and_proof__agree_with_the_box(
    devnet: Devnet, engine: Engine, database_url: str, election: ElectionOnDevnet, *, data: bytes, tmp_path: Path
) -> None:
    follow(devnet, engine).sync_once()
    box = checksum_address(election.deployment.box)
    file, proof = tmp_path / "census.json", tmp_path / "proof.json"
    file.write_bytes(data)
    proof.write_bytes(dump_voter_proof(build_voter_proof(election.census, election.census.addresses[2])))
    chosen = ("--election", box)
    result = run("import", file, *chosen, "--database", database_url)
    assert result.stdout == "ok: all 3 sheet roots agree; census of 5 voters imported\n", result.exception
    again = json.loads(run("import", file, *chosen, "--database", database_url, "--json").stdout)
    expected = {"election": box, "census_hash": "0x" + keccak(data).hex(), "voters": 5, "sheets": 3, "new": False}
    assert again == expected
    checked = run("check", file, *chosen, "--rpc-url", devnet.url)
    assert checked.stdout == f"ok: all 3 sheet roots agree: this is the census of 5 voters of {box}\n"
    checked = run("check", proof, *chosen, "--rpc-url", devnet.url)
    assert "is voter 2 with the weight 3 of" in checked.stdout
    report = json.loads(run("check", proof, *chosen, "--rpc-url", devnet.url, "--json").stdout)
    assert (report["agrees"], report["index"], report["weight"]) == (True, 2, "3")


def test_cli_check__another_election_or_no_box__is_refused(
    devnet: Devnet, election: ElectionOnDevnet, data: bytes, tmp_path: Path
) -> None:
    other = make_election(devnet, voters=4, salt=1)
    file, proof = tmp_path / "census.json", tmp_path / "proof.json"
    file.write_bytes(data)
    proof.write_bytes(dump_voter_proof(build_voter_proof(election.census, election.census.addresses[2])))
    for item in (file, proof):
        chosen = ("--election", checksum_address(other.deployment.box), "--rpc-url", devnet.url)
        assert isinstance(run("check", item, *chosen).exception, ProofError)
        error = run("check", item, "--election", "0x" + "11" * 20, "--rpc-url", devnet.url).exception
        assert "is no ballot box" in str(error)
        assert not isinstance(error, DecodeError)
