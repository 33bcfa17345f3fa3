"""Answers of the API that stay small, cursors beyond everything, and HEAD."""

from __future__ import annotations

import pytest
from index_rows import CHAIN, FACTORY, add_batch, make_change, make_record, make_row_election
from scenes import follow, hold_election
from served import serve
from sqlalchemy import Engine

from indexer.api import build_app
from indexer.storage.writer import IndexWriter
from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address
from qballot.core.types import ChainId
from qballot.testing import ElectionOnDevnet

pytestmark = pytest.mark.integration


def path(scene: ElectionOnDevnet) -> str:
    return f"/elections/{checksum_address(scene.deployment.box)}"


def test_ballots__large_ones__come_in_pages_of_bounded_size(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.results.service.MAX_PAGE_BYTES", 1_000)
    records = [make_record(voter, bytes(size)) for voter, size in enumerate((600, 400, 1, 5_000, 5_000, 3, 4))]
    election, batch = add_batch(make_row_election(), records, block=2)
    IndexWriter(sqlite_engine, chain_id=ChainId(CHAIN), factory=FACTORY).apply(
        make_change(5, election, batch), after=None
    )
    pages, after = [], None
    with serve(build_app(sqlite_engine)) as client:
        while True:
            parameters = {"limit": 3} | ({} if after is None else {"after": after})
            page = client.get(f"/elections/{checksum_address(election.box)}/ballots", params=parameters).json()
            pages.append([ballot["position"] for ballot in page["ballots"]])
            after = page["next"]
            if after is None:
                break
    assert pages == [[0, 1], [2], [3], [4], [5, 6]]


def test_cursors__beyond_everything__give_empty_or_whole_answers(devnet: Devnet, engine: Engine) -> None:
    scene = hold_election(devnet)
    follow(devnet, engine).sync_once()
    with serve(build_app(engine)) as client:
        for after in (2**31 - 1, 2**31, 2**63 - 1):
            assert len(client.get("/elections", params={"after": after}).json()["elections"]) == 1
            assert client.get("/", params={"after": after}).status_code == 200
            assert client.get(f"{path(scene)}/ballots", params={"after": after}).json()["ballots"] == []


def test_head__every_page_and_answer__is_get_without_the_body(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    follow(devnet, sqlite_engine).sync_once()
    paths = ["/", path(scene).replace("elections", "e"), "/elections", f"{path(scene)}/results", "/health/live"]
    paths += [f"{path(scene)}/{what}" for what in ("verification", "evidence", "evidence?census=false")]
    with serve(build_app(sqlite_engine)) as client:
        for asked_path in [*paths, "/openapi.json", "/static/style.css", "/nothing/here"]:
            asked, told = client.get(asked_path), client.head(asked_path)
            assert told.status_code == asked.status_code
            assert told.content == b""
            for name in ("content-type", "content-length", "etag", "content-security-policy"):
                assert told.headers.get(name) == asked.headers.get(name)
        assert client.post("/elections").headers["allow"] == "GET, HEAD"
