"""Trying a liar: an index is made from what he says, alone or beside an honest operator, and judged by its results.

                                 liar alone          liar, then an honest operator
at `witnessed` or above          never               only what an honest index has, row for row
at `proven`                      that, or a chain    that, or a chain of his own and a disagreement
                                 of his own
anything else                    it is said why      it is said why
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fault_proxy import Behaviour, FaultProxy, run_proxy
from indexes import Clock, Rows, open_url, read_content, read_cursor
from lies import make_lie
from lying_chain import World
from sqlalchemy import Engine, delete, event

from indexer.journal import LOGGER_NAME
from indexer.results import Results
from indexer.storage.engine import open_database
from indexer.storage.proof_tables import LEDGER_PROOFS
from indexer.storage.repository import Repository
from indexer.storage.tables import BATCHES
from indexer.storage.writer import reset_index
from indexer.sync import Follower
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.errors import ChainError, DecodeError, QballotError

LOOKS = 6
"""How often the chain is looked at."""

REQUEST_SECONDS = 5.0

LEVELS = ("indexed", "consistent", "proven", "witnessed", "final")
WITNESSED = LEVELS.index("witnessed")

ALONE, BESIDE = "alone", "beside an honest operator"

OWN_WORD = ("block_number", "block_hash", "log_index", "transaction_hash")
"""What a head does not tell of a batch: which block and transaction it came with."""


@dataclass
class Finding:
    """What came of one trial. documents: the results, by box; None of an election that the index does not have.

    errors: that the looks at the chain ended with. said: what was logged.
    """

    documents: dict[str, dict[str, Any] | None]
    rows: Rows
    cursor: int
    errors: list[QballotError] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def levels(self) -> list[str]:
        return ["none" if document is None else document["level"] for document in self.documents.values()]

    @property
    def is_named(self) -> bool:
        """Whether anything at all was said against what the endpoint gave."""
        alarms = [document for document in self.documents.values() if document is not None and document["alarm"]]
        invalid = [
            document for document in self.documents.values() if document is not None and document["state"] == "invalid"
        ]
        return bool(alarms or invalid or self.errors or self.said)


class Court:
    """Tries liars. Not to be shared between threads."""

    def __init__(self, worlds: tuple[World, World], folder: Path, proxies: tuple[FaultProxy, FaultProxy]) -> None:
        self.true, self.invented = worlds
        self._folder = folder
        self._liar, self._honest = proxies
        self._empty = folder / "empty.sqlite3"
        with open_url(f"sqlite:///{self._empty}"):
            pass
        self._engine = open_database(f"sqlite:///{folder / 'index.sqlite3'}")
        # A trial's database outlives no crash.
        event.listen(self._engine, "checkout", lambda connection, *_: connection.execute("PRAGMA synchronous = OFF"))
        self._known: dict[int, tuple[dict[str, Any], Rows]] = {}
        self.outcomes: Counter[str] = Counter()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def try_seed(self, seed: str, url: str | None = None) -> None:
        """Try a seed's liar alone, and beside an honest operator. Raises AssertionError that names the seed."""
        lie = make_lie(self.true, seed)
        for alone in (True, False):
            try:
                outcome = self.judge(self.hear(lie.behaviour, alone=alone, url=url), alone=alone)
                self.outcomes[f"{outcome} ({ALONE if alone else BESIDE})"] += 1
            except AssertionError as error:
                who = ALONE if alone else BESIDE
                raise AssertionError(f"seed {seed}, {who}, {lie.text}: {error}") from error

    def try_honest(self, url: str | None = None) -> None:
        """Hear two honest operators. Raises AssertionError for a false alarm."""
        found = self.hear(self.true.node, alone=False, url=url)
        assert not found.errors, found.errors
        assert not found.said, found.said
        assert all(level in {"witnessed", "final"} for level in found.levels), found.levels
        assert not any(document and document["alarm"] for document in found.documents.values())
        self._assert_true(found)

    def hear(self, behaviour: Behaviour, *, alone: bool, url: str | None = None) -> Finding:
        """Index what an endpoint says, in a new database. alone: without the honest one after it."""
        self._liar.behaviour = behaviour
        proxies = [self._liar] if alone else [self._liar, self._honest]
        for proxy in proxies:
            proxy.calls.clear()
        with self._open(url) as engine, _listening() as said:
            errors = _look(engine, [proxy.url for proxy in proxies])
            found = self._read(engine)
        found.errors, found.said = errors, said
        return found

    def judge(self, found: Finding, *, alone: bool) -> str:
        """Judge what came of a liar. Returns what it was; raises AssertionError where it must not be."""
        is_true = self._is_true(found)
        highest = max((LEVELS.index(level) for level in found.levels if level != "none"), default=0)
        if alone:
            assert highest < WITNESSED, f"found {found.levels} with one operator"
        for box, document in found.documents.items():
            if document is None or document["level"] not in LEVELS[WITNESSED - 1 :]:
                continue
            if document["level"] == "proven":
                assert "Not witnessed" in document["next_level_text"], document["next_level_text"]
                if self._is_invented(document["block"]):
                    # One endpoint can invent a whole chain, and what follows from its blocks.
                    assert alone or document["alarm"], f"proven at {document['block']} without an alarm"
                    continue
            self._assert_result(found, box, document)
        if any(
            document and document["level"] == "proven" and self._is_invented(document["block"])
            for document in found.documents.values()
        ):
            return "proven on a chain of his own" if alone else "named"
        if is_true:
            repaired = any(document and document["repaired"] for document in found.documents.values())
            return "repaired" if repaired else "true all the same"
        assert found.is_named, f"nothing was said of it: {found.levels}"
        return "named"

    def _is_invented(self, block: dict[str, Any]) -> bool:
        header = self.true.headers.get(block["number"])
        return header is None or block["hash"] != header["hash"]

    def _assert_true(self, found: Finding) -> None:
        for box, document in found.documents.items():
            assert document is not None, box
            self._assert_result(found, box, document)

    def _is_true(self, found: Finding) -> bool:
        try:
            self._assert_true(found)
        except AssertionError:
            return False
        return True

    def _assert_result(self, found: Finding, box: str, document: dict[str, Any]) -> None:
        """Check that a result is what an honest index has at the same block, and so are the rows behind it."""
        documents, rows = self._expect(found.cursor)
        true = documents[box]
        assert true is not None, f"{box} is not there at block {found.cursor}"
        for name in ("state", "definition_hash", "head", "turnout", "records", "contests", "title"):
            assert document[name] == true[name], (
                f"{document['level']}, but {name} is {document[name]}, expected {true[name]}"
            )
        at = document["block"]
        header = self.true.headers[at["number"]]
        if document["level"] != "indexed":
            named = {"hash": header["hash"], "timestamp": int(header["timestamp"], 16)}
            assert {name: at[name] for name in named} == named, f"{document['level']} at {at}, expected {named}"
        assert _rows_of(found.rows, box) == _rows_of(rows, box), f"{document['level']}, but other rows"

    def _expect(self, cursor: int) -> tuple[dict[str, Any], Rows]:
        """What two honest operators give up to a block."""
        if cursor not in self._known:
            with self._open(None) as engine, _listening():
                self._liar.behaviour = self.true.node
                _look(engine, [self._liar.url, self._honest.url], until=cursor)
                found = self._read(engine)
            self._known[cursor] = (found.documents, found.rows)
        return self._known[cursor]

    def _read(self, engine: Engine) -> Finding:
        results = Results(Repository(engine), needed=2)
        documents = {checksum_address(box): results.find_result(box) for box in self.true.boxes}
        return Finding(documents, read_content(engine), read_cursor(engine))

    @contextmanager
    def _open(self, url: str | None) -> Iterator[Engine]:
        if url is not None:
            with open_url(url) as engine:
                yield engine
                reset_index(engine)
                with engine.begin() as connection:
                    connection.execute(delete(LEDGER_PROOFS))
            return
        # The same engine each time: what it has learned about our questions is worth half of a trial's time.
        self._engine.dispose()
        for old in self._folder.glob("index.sqlite3*"):
            old.unlink()
        shutil.copy(self._empty, self._folder / "index.sqlite3")
        yield self._engine


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect the warnings and errors that are logged."""
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(str(record.msg))  # type: ignore[method-assign]
    logger = logging.getLogger(LOGGER_NAME)
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)


@contextmanager
def open_court(worlds: tuple[World, World], folder: Path) -> Iterator[Court]:
    """Open one."""
    with ExitStack() as stack:
        proxies = [stack.enter_context(run_proxy(worlds[0].node)) for _ in range(2)]
        court = Court(worlds, folder, (proxies[0], proxies[1]))
        stack.callback(court.close)
        yield court


def _look(engine: Engine, urls: list[str], until: int | None = None) -> list[QballotError]:
    """Look at the chain some times, while time passes for those that are left alone. Returns what went wrong."""
    clock = Clock()
    errors: list[QballotError] = []
    operators = ["first", "second"][: len(urls)]
    rpcs = [Rpc(url, REQUEST_SECONDS, attempts=1) for url in urls]
    with Endpoints(rpcs, operators=operators, clock=clock) as endpoints:
        follower = Follower(endpoints, engine)
        for _ in range(LOOKS):
            try:
                follower.sync_once(until)
            except (ChainError, DecodeError) as error:
                errors.append(error)
                if not getattr(error, "retryable", False):
                    break
            else:
                break
            clock.now += max(endpoints.wait_seconds() + 0.01, 1.0)
    return errors


def _rows_of(rows: Rows, box: str) -> dict[str, list[tuple[Any, ...]]]:
    """Take an election's rows of batches, records and groups, without what is the endpoint's own word in them."""
    address = bytes.fromhex(box[2:])
    election = next(row for row in rows["elections"] if address in row)
    number = election[0]
    kept = [place for place, column in enumerate(BATCHES.columns) if column.name not in OWN_WORD]
    own = {name: [row[1:] for row in rows[name] if row[0] == number] for name in ("ballots", "ballot_groups")}
    batches = [tuple(row[place] for place in kept if place) for row in rows["batches"] if row[0] == number]
    return {**own, "batches": batches}
