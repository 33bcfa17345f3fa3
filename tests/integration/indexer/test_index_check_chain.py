"""`qballot index check --rpc-url`: what of an index only the chain can tell, and what an endpoint does not tell."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest
from checking import change, check, find_fault
from commands import Commands
from scenes import SALAD, drop_one_cast, follow, hold_election, lying_endpoint
from sqlalchemy import Engine, text

from indexer.check import check_index
from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address
from qballot.testing import make_election

pytestmark = pytest.mark.integration

TABLES_OF_ELECTIONS = ("head_checks", "ballot_groups", "ballots", "batches")


@pytest.fixture
def commands(
    devnet: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    return Commands(tmp_path, devnet.url, monkeypatch, capsys, key=None)


def test_check__whole_election_deleted__the_factory_remembers_it(devnet: Devnet, engine: Engine) -> None:
    before = devnet.rpc.block("latest").number
    scene = hold_election(devnet)
    make_election(devnet, salt=1)
    follow(devnet, engine).sync_once()
    with engine.begin() as connection:
        for table in TABLES_OF_ELECTIONS:
            connection.execute(text(f"DELETE FROM {table} WHERE election_id = 1"))
        connection.execute(text("DELETE FROM elections WHERE id = 1"))
    assert check(engine).faults == 0
    report = check(engine, rpc=devnet.rpc)
    box = checksum_address(scene.deployment.box)
    assert report.index == (
        f"1 elections that the factory has created are missing: {box} of block {scene.deployment.block_number}",
    )
    assert (report.faults, report.unchecked) == (1, ())
    # What was there before reading began is not missed.
    later = check_index(engine, box=None, rpc=devnet.rpc, report=lambda *_: None, from_block=before + 2)
    assert later.faults == 0


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE batches SET block_hash = :zeros WHERE sequence = 1", "the block hash of batch 1 is 0x0000"),
        ("UPDATE batches SET transaction_hash = :zeros WHERE sequence = 0", "the transaction hash of batch 0 is 0x00"),
        ("UPDATE batches SET block_number = block_number + 1 WHERE sequence = 2", "the block number of batch 2 is "),
        ("UPDATE batches SET log_index = log_index + 1 WHERE sequence = 2", "the log index of batch 2 is 1, expected"),
        ("UPDATE elections SET transaction_hash = :zeros", "the transaction hash of its creation is 0x00"),
        ("UPDATE elections SET block_hash = :zeros", "the block hash of its creation is 0x00"),
        ("UPDATE elections SET block_number = block_number - 1", "its creation is kept as of block "),
    ],
)  # fmt: skip
def test_check__where_a_log_stands_changed__only_the_chain_tells(
    devnet: Devnet, engine: Engine, statement: str, message: str
) -> None:
    hold_election(devnet)
    follow(devnet, engine).sync_once()
    change(engine, statement, **({"zeros": bytes(32)} if ":zeros" in statement else {}))
    assert check(engine).faults == 0
    fault = find_fault(engine, devnet.rpc)
    assert fault.what == "source"
    assert message in fault.message


def test_check__last_indexed_block_changed_throughout__the_chain_tells_once_it_is_final(
    devnet: Devnet, engine: Engine
) -> None:
    hold_election(devnet)
    follow(devnet, engine).sync_once()
    for statement in (
        "UPDATE chain_cursor SET block_hash = :zeros",
        "UPDATE blocks SET hash = :zeros WHERE number = (SELECT max(number) FROM blocks)",
    ):
        change(engine, statement, zeros=bytes(32))
    assert check(engine).faults == 0
    unsettled = check(engine, rpc=devnet.rpc)
    assert (unsettled.faults, len(unsettled.unchecked)) == (0, 1)
    devnet.mine(100)
    (found,) = check(engine, rpc=devnet.rpc).index
    assert f"and the index 0x{'00' * 32}; the endpoint calls its own final" in found


def test_check__invalid_without_a_census_and_really_the_factorys__is_said(devnet: Devnet, engine: Engine) -> None:
    hold_election(devnet)
    follow(devnet, engine).sync_once()
    change(engine, "UPDATE elections SET invalid_reason = 'because', sheet_roots = :nothing", nothing=b"")
    fault = find_fault(engine, devnet.rpc)
    assert fault.what == "validity"


def test_check__chain_reorganised_and_not_followed_yet__is_not_checked(
    devnet: Devnet, commands: Commands, engine: Engine, database_url: str
) -> None:
    scene = hold_election(devnet)
    follow(devnet, engine).sync_once()
    devnet.rpc.call("anvil_setCoinbase", ["0x" + secrets.token_hex(20)])
    devnet.rpc.call("anvil_reorg", [1, []])
    report = check(engine, rpc=devnet.rpc)
    assert [election.fault for election in report.elections] == [None]
    (reason,) = report.unchecked
    assert "the chain was reorganised, which the index has not followed yet" in reason
    options = ("--database", database_url, "--rpc-url", devnet.url)
    done = commands.run("index", "check", *options)
    assert done.status == 1
    assert f"NOT CHECKED  {reason}" in done.stdout
    assert f"not all was compared with the chain: {reason}" in done.stderr
    follow(devnet, engine).sync_once()
    scene.cast(1, SALAD)
    follow(devnet, engine).sync_once()
    assert commands.run("index", "check", *options).status == 0


def test_check__endpoint_behind_or_leaving_logs_out__is_not_checked(devnet: Devnet, sqlite_engine: Engine) -> None:
    hold_election(devnet)
    follow(devnet, sqlite_engine).sync_once()
    latest = hex(devnet.rpc.block("latest").number)

    def lag(method: str, params: list[Any], result: Any) -> Any:
        return None if method == "eth_getBlockByNumber" and params[0] == latest else result

    for tamper, message in (
        (lag, f"does not have block {int(latest, 16)}, the last indexed one: it lags behind"),
        (drop_one_cast, "has no log of batch 2 in block "),
    ):
        with lying_endpoint(devnet, tamper) as rpc:
            report = check(sqlite_engine, rpc=rpc)
        assert report.faults == 0
        (reason,) = report.unchecked
        assert message in reason
