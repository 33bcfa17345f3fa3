"""Files of evidence are written once, given to many however slow, and put away when they are too many."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from proving import keep_proof
from scenes import follow, hold_election
from served import serve
from sqlalchemy import Engine

from indexer.api import build_app
from indexer.results import EvidenceFiles, EvidenceName, EvidenceSource, NotReadyError
from indexer.storage.ledger import Ledger
from indexer.storage.repository import Repository
from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address
from qballot.core.types import Hash32
from qballot.errors import StorageError
from qballot.testing import ElectionOnDevnet, make_election

pytestmark = pytest.mark.integration

SECONDS = 20


@pytest.fixture
def held(devnet: Devnet, sqlite_engine: Engine) -> ElectionOnDevnet:
    """An election that is over, indexed and proven."""
    scene = hold_election(devnet)
    scene.close()
    follow(devnet, sqlite_engine).sync_once()
    keep_proof(devnet, sqlite_engine, scene.deployment.box)
    return scene


@pytest.fixture
def source(sqlite_engine: Engine) -> EvidenceSource:
    return EvidenceSource(Repository(sqlite_engine), Ledger(sqlite_engine))


@pytest.fixture
def files(source: EvidenceSource) -> Iterator[EvidenceFiles]:
    files = EvidenceFiles(source, kept_bytes=1)
    yield files
    files.close()


def find_name(source: EvidenceSource, scene: ElectionOnDevnet) -> EvidenceName:
    name = source.find_name(scene.deployment.box, is_census_apart=False)
    assert isinstance(name, EvidenceName)
    return name


def path(scene: ElectionOnDevnet) -> str:
    return f"/elections/{checksum_address(scene.deployment.box)}/evidence"


class SlowLines:
    """The real lines, the last of which does not come before it is let go."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.runs = 0
        real = EvidenceSource.write_lines

        def write_lines(source: EvidenceSource, name: EvidenceName) -> Generator[bytes, None, None]:
            self.runs += 1
            self.begun.release()
            yield from real(source, name)
            assert self.go_on.wait(SECONDS)
            yield b""

        patch.setattr(EvidenceSource, "write_lines", write_lines)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowLines]:
    slow = SlowLines(monkeypatch)
    yield slow
    slow.go_on.set()


def test_files__more_than_are_kept__the_newest_stays_and_open_ones_are_read_to_their_end(
    devnet: Devnet, sqlite_engine: Engine, source: EvidenceSource, files: EvidenceFiles, held: ElectionOnDevnet
) -> None:
    first = find_name(source, held)
    assert files.open(first) is None
    files.write(first).result(SECONDS)
    reading = files.open(first)
    assert reading is not None
    folder = Path(reading.name).parent
    assert folder.stat().st_mode & 0o077 == 0
    other = make_election(devnet, salt=1)
    follow(devnet, sqlite_engine).sync_once()
    second = find_name(source, other)
    files.write(second).result(SECONDS)
    assert files.open(first) is None
    assert [file.name for file in folder.iterdir()] == [f"{second.digest}.jsonl"]
    with reading:
        assert reading.read().endswith(b'{"kind":"end","batches":3,"records":6,"voters":0,"headers":0}\n')
    (folder / f"{second.digest}.jsonl").unlink()
    assert files.open(second) is None
    files.write(second).result(SECONDS)
    files.close()
    assert not folder.exists()


@pytest.mark.parametrize("change", [{"head": Hash32(bytes(32))}, {"has_lot": True}, {"is_census_apart": True}])
def test_files__name_of_what_is_no_longer_so__is_not_written(
    source: EvidenceSource, files: EvidenceFiles, held: ElectionOnDevnet, change: dict[str, Any]
) -> None:
    stale = replace(find_name(source, held), **change)
    assert stale.digest != find_name(source, held).digest
    if "is_census_apart" in change:
        files.write(stale).result(SECONDS)  # nothing changed: the ledger has no census to name
        return
    with pytest.raises(NotReadyError, match="has changed while its evidence was written"):
        files.write(stale).result(SECONDS)
    assert files.open(stale) is None


def test_files__folder_cannot_be_written__is_an_error_that_may_pass(
    source: EvidenceSource, files: EvidenceFiles, held: ElectionOnDevnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = find_name(source, held)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(EvidenceFiles, "_write_lines", full)
        with pytest.raises(StorageError, match="No space left on device") as caught:
            files.write(name).result(SECONDS)
    assert caught.value.retryable
    files.write(name).result(SECONDS)
    file = files.open(name)
    assert file is not None
    file.close()


def test_api__many_ask_while_it_is_written__it_is_written_once_and_others_are_answered(
    sqlite_engine: Engine, held: ElectionOnDevnet, slow: SlowLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.api.downloads.WAIT_SECONDS", 0.3)
    with serve(build_app(sqlite_engine)) as client, ThreadPoolExecutor(60) as executor:
        asked = [executor.submit(client.get, path(held), timeout=SECONDS) for _ in range(60)]
        assert slow.begun.acquire(timeout=SECONDS)
        assert client.get("/elections", timeout=SECONDS).status_code == 200
        answers = [future.result(SECONDS) for future in asked]
        assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {(503, "5")}
        assert answers[0].json()["detail"] == "the evidence is being written: ask again soon"
        slow.go_on.set()
        monkeypatch.setattr("indexer.api.downloads.WAIT_SECONDS", SECONDS)
        found = list(executor.map(lambda _: client.get(path(held), timeout=SECONDS), range(60)))
    assert {answer.status_code for answer in found} == {200}
    assert len({answer.content for answer in found}) == 1
    assert slow.runs == 1


def test_api__more_elections_than_wait__are_told_to_ask_again(
    devnet: Devnet, sqlite_engine: Engine, slow: SlowLines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.results.evidence_files.WAITING_AT_ONCE", 2)
    scenes = [make_election(devnet, salt=salt) for salt in range(3)]
    follow(devnet, sqlite_engine).sync_once()
    with serve(build_app(sqlite_engine)) as client, ThreadPoolExecutor() as executor:
        asked = [executor.submit(client.get, path(scene), timeout=SECONDS) for scene in scenes[:2]]
        for _ in asked:
            assert slow.begun.acquire(timeout=SECONDS)
        refused = client.get(path(scenes[2]))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert "too many elections" in refused.json()["detail"]
        slow.go_on.set()
        assert [future.result(SECONDS).status_code for future in asked] == [200, 200]


def test_api__clients_that_read_nothing__hold_nobody_up(
    sqlite_engine: Engine, held: ElectionOnDevnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.api.downloads.AT_ONCE", 50)
    real = EvidenceSource.write_lines

    def write_lines(source: EvidenceSource, name: EvidenceName) -> Generator[bytes, None, None]:
        # More than the kernel's buffers hold for a client that reads nothing.
        yield from real(source, name)
        yield bytes(20_000_000)

    monkeypatch.setattr(EvidenceSource, "write_lines", write_lines)
    with serve(build_app(sqlite_engine)) as client:
        assert len(client.get(path(held), timeout=SECONDS).content) > 20_000_000
        silent = [ask_and_read_nothing(client, path(held)) for _ in range(50)]
        try:
            # Each has its slot once its answer has begun.
            for connection in silent:
                assert connection.recv(15) == b"HTTP/1.1 200 OK"
            for _ in range(10):
                assert client.get(path(held).replace("evidence", "results"), timeout=SECONDS).status_code == 200
            assert sqlite_engine.pool.checkedout() == 0  # type: ignore[attr-defined]
            refused = client.get(path(held), timeout=SECONDS)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        finally:
            for connection in silent:
                connection.close()
        assert client.get(path(held).replace("evidence", "verification"), timeout=SECONDS).status_code == 200


def test_api__client_that_is_too_slow__is_given_up(
    sqlite_engine: Engine, held: ElectionOnDevnet, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody is as fast as this asks for.
    monkeypatch.setattr("indexer.api.downloads.GRACE_SECONDS", 0.0)
    monkeypatch.setattr("indexer.api.downloads.LEAST_BYTES_A_SECOND", 10**12)
    real = EvidenceSource.write_lines

    def write_lines(source: EvidenceSource, name: EvidenceName) -> Generator[bytes, None, None]:
        yield from real(source, name)
        yield bytes(20_000_000)

    monkeypatch.setattr(EvidenceSource, "write_lines", write_lines)
    with serve(build_app(sqlite_engine)) as client:
        with ask_and_read_nothing(client, path(held)) as connection:
            received = 0
            while piece := connection.recv(2**20):
                received += len(piece)
        assert received < 20_000_000
        assert client.get(path(held).replace("evidence", "verification"), timeout=SECONDS).status_code == 200


def ask_and_read_nothing(client: httpx.Client, path: str) -> socket.socket:
    host, port = client.base_url.host, client.base_url.port
    assert port is not None
    connection = socket.create_connection((host, port), timeout=SECONDS)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return connection
