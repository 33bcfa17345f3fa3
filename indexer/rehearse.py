"""An election from end to end on a local chain of its own: from a definition and a file of ballots to a checked result.

    definition + ballots ─▶ voters ─▶ census ─▶ box ─▶ casts ─▶ index ─▶ close ─┬▶ result   ═ count of the file ?
                                                                                └▶ evidence ═ count of the file ?

Nothing here is special to rehearsals but the chain and the voters, which are made up: every other step is the service
that a real election uses.
"""

from __future__ import annotations

import secrets
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine

from indexer.results import result_document
from indexer.storage.engine import open_database
from indexer.storage.repository import Repository
from indexer.sync import Follower
from qballot.cast import cast_batch, cast_direct_many, next_cast_at, plan_batches, sign_ballot
from qballot.chain.accounts import LocalSigner, devnet_account
from qballot.chain.contracts import BallotBoxContract
from qballot.chain.devnet import Devnet
from qballot.chain.pins import default_pins
from qballot.core.ballot import group_ballots
from qballot.core.ballot_csv import BallotRow, effective_rows
from qballot.core.census import Census, build_census
from qballot.core.election import Definition
from qballot.core.proof import Evidence, ResultState, Verification, verify_evidence_file, write_evidence
from qballot.core.records import SignedRecord
from qballot.core.signing import CURVE_ORDER, address_of_key
from qballot.core.tally import ElectionResult, count_election
from qballot.core.tally import Electorate as ElectorateSize
from qballot.core.types import Address, Hash32, UnixSeconds, Weight
from qballot.deploy import ElectionDeployment, create_election, deploy_factory
from qballot.errors import InputError, ProofError
from qballot.evidence import collect_evidence

OPENS_AFTER_SECONDS = 600
"""From the creation to the opening, by the chain's clock, which is then moved."""

OPEN_SECONDS = 7 * 24 * 3600
"""From the opening to the close."""

DIRECT_BALANCE_WEI = 10**18
"""What each voter who casts directly is given for gas."""

LEVELS = ("indexed", "consistent", "proven", "witnessed", "final")
"""Levels of verification, each above the one before."""

LEAST_LEVEL = "proven"
"""What the index must reach. One endpoint alone is never a witness."""

NOT_COMPARED = frozenset({"leading", "verdict", "requirements"})
"""Parts of an index's count that a file's does not have, or that depend on what is known of the electorate."""

DIRECT_CASTS_AT_ONCE = 200
"""Own transactions sent before waiting for their receipts."""


class Progress(Protocol):
    """Hears what goes on: a step begins, some of its parts are done, it ends."""

    def begin(self, step: str, total: int) -> None:
        """Start a step of so many parts."""

    def advance(self, done: int) -> None:
        """Say that so many more parts are done."""

    def end(self) -> None:
        """Say that the whole step is done."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is to be rehearsed.

    canonical: the definition's bytes. rows: the file of ballots. direct: how many of its first rows are cast by the
    voters' own transactions. A voter who casts directly does so for all of their rows, since a direct cast outranks
    every signed ballot, and in the file the later row counts.
    """

    definition: Definition
    canonical: bytes
    rows: Sequence[BallotRow]
    direct: int = 0


@dataclass(frozen=True, slots=True)
class Electorate:
    """Made-up voters: a key (32 bytes) and a place in the census each. voter_of: the voter's index, by row."""

    keys: tuple[bytes, ...] = field(repr=False)
    census: Census
    voter_of: tuple[int, ...]


@dataclass(slots=True)
class Report:
    """What a rehearsal did and found.

    document: the API's result document. checks: what was verified, in words. gas: spent by kind; ballots: cast by kind.
    batches: calls that brought signed ballots. seconds: by step, in the order of the steps.
    """

    election: ElectionDeployment
    document: dict[str, Any] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    gas: dict[str, int] = field(default_factory=dict)
    ballots: dict[str, int] = field(default_factory=dict)
    batches: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A rehearsal that is over, with its chain and index still there.

    evidence: built from the chain alone. verification: of it as a file, against the hash that the chain names.
    """

    report: Report
    result: ElectionResult
    evidence: Evidence
    verification: Verification
    devnet: Devnet
    engine: Engine
    follower: Follower


@contextmanager
def rehearse(
    script: Script, progress: Progress, *, database_url: str | None = None, anvil: str | None = None
) -> Iterator[Rehearsal]:
    """Rehearse an election; its chain and index are there until the `with` is left, and nothing of them after.

    database_url: an empty database; by default a SQLite file that is removed at the end. anvil: path of the program.
    Raises InputError, ToolError and StorageError before the chain starts where it can, and ProofError when anything
    about the result is not as it must be.
    """
    if not 0 <= script.direct <= len(script.rows):
        raise InputError(f"found {script.direct} direct casts, expected 0 … {len(script.rows)}, the number of rows")
    with tempfile.TemporaryDirectory(prefix="qballot-rehearsal-") as folder:
        engine = open_database(database_url or f"sqlite:///{Path(folder) / 'index.sqlite3'}")
        try:
            _require_empty(engine)
            with Devnet(anvil) as devnet:
                yield _Run(script, progress, devnet, engine).run()
        finally:
            engine.dispose()


def make_electorate(rows: Sequence[BallotRow]) -> Electorate:
    """Make a voter with a fresh key for every name in the file, or for every row where it names none."""
    indices: dict[str | int, int] = {}
    weights: list[Weight] = []
    voter_of = []
    for row in rows:
        name = row.row if row.voter is None else row.voter
        if name not in indices:
            indices[name] = len(indices)
            weights.append(row.weight)
        voter_of.append(indices[name])
    keys = tuple((secrets.randbelow(CURVE_ORDER - 1) + 1).to_bytes(32) for _ in indices)
    census = build_census(zip(map(address_of_key, keys), weights, strict=True))
    return Electorate(keys, census, tuple(voter_of))


def count_rows(definition: Definition, rows: Sequence[BallotRow], census: Census) -> ElectionResult:
    """Count a file of ballots without any chain, as `qballot tally` does. census: of all its voters."""
    groups = group_ballots((row.ballot, row.weight) for row in effective_rows(rows))
    return count_election(definition, groups, electorate=ElectorateSize(len(census), sum(census.weights)))


def _split_rounds(electorate: Electorate, places: Sequence[int]) -> list[list[int]]:
    """Part rows into rounds: everyone's first one, then second ones, and so on.

    A batch holds a voter once, and of a voter's ballots a later one must have a later time: two of the same second that
    say the same are one record, of which the first occurrence stands.
    """
    rounds: defaultdict[int, list[int]] = defaultdict(list)
    seen: defaultdict[int, int] = defaultdict(int)
    for place in places:
        voter = electorate.voter_of[place]
        rounds[seen[voter]].append(place)
        seen[voter] += 1
    return [part for _, part in sorted(rounds.items())]


def _require_empty(engine: Engine) -> None:
    with Repository(engine).snapshot() as snapshot:
        cursor = snapshot.load_cursor()
    if cursor is not None:
        raise InputError(
            f"the database holds an index of chain {cursor.chain_id} already, expected an empty one: "
            "a rehearsal's chain is new every time"
        )


class _Run:
    """The steps, in order. Time is the devnet's; the machine's is only measured."""

    def __init__(self, script: Script, progress: Progress, devnet: Devnet, engine: Engine) -> None:
        self._script = script
        self._progress = progress
        self._devnet = devnet
        self._rpc = devnet.rpc
        self._chain_id = devnet.rpc.chain_id()
        self._engine = engine
        self._organizer = devnet_account(0)
        self._relayer = devnet_account(1)
        self._seconds: dict[str, float] = {}

    def run(self) -> Rehearsal:
        """Do all of it and check the result."""
        with self._step("making voters and their census", 1):
            electorate = make_electorate(self._script.rows)
        with self._step("deploying the factory and creating the election", 2):
            election = self._deploy(electorate.census)
        report = Report(election, seconds=self._seconds)
        self._devnet.warp(election.arguments.opens_at)
        self._cast(electorate, report)
        with self._step("indexing", 1):
            follower = Follower(self._rpc, self._engine, factory=election.factory)
            follower.sync_once()
        with self._step("closing the election and counting", 2):
            self._devnet.warp(election.arguments.closes_at)
            follower.sync_once()
            self._progress.advance(1)
            document = result_document(Repository(self._engine), election.box)
            expected = count_rows(self._script.definition, self._script.rows, electorate.census)
        if document is None:
            raise ProofError("the index does not have the election")
        with self._step("building the evidence and verifying it", 1):
            evidence = collect_evidence(self._rpc, election.box, census=electorate.census).evidence
            found = verify_evidence_file(
                write_evidence(evidence), evidence.block_hash, default_pins(), chain_id=self._chain_id
            )
        report.document = document
        report.checks = [
            *self._check(electorate, election, document, expected),
            *_check_evidence(found, expected),
        ]
        return Rehearsal(report, expected, evidence, found, self._devnet, self._engine, follower)

    @contextmanager
    def _step(self, name: str, total: int) -> Iterator[None]:
        self._progress.begin(name, total)
        started = time.perf_counter()
        yield
        self._seconds[name] = time.perf_counter() - started
        self._progress.end()

    def _deploy(self, census: Census) -> ElectionDeployment:
        deploy_factory(self._rpc, self._organizer)
        self._progress.advance(1)
        opens_at = self._rpc.block("latest").timestamp + OPENS_AFTER_SECONDS
        return create_election(
            self._rpc,
            self._organizer,
            self._script.canonical,
            census,
            opens_at=opens_at,
            closes_at=opens_at + OPEN_SECONDS,
            salt=Hash32(bytes(32)),
        )

    def _cast(self, electorate: Electorate, report: Report) -> None:
        direct, signed = self._split(electorate)
        with self._step("casting directly", len(direct)):
            self._cast_direct(electorate, direct, report)
        with self._step("signing and casting in batches", len(signed)):
            self._cast_signed(electorate, signed, report)

    def _split(self, electorate: Electorate) -> tuple[list[int], list[int]]:
        """Part the rows (by their place in the file) into those cast directly and those signed."""
        direct_voters = set(electorate.voter_of[: self._script.direct])
        direct: list[int] = []
        signed: list[int] = []
        for place, voter in enumerate(electorate.voter_of):
            (direct if voter in direct_voters else signed).append(place)
        return direct, signed

    def _cast_direct(self, electorate: Electorate, places: Sequence[int], report: Report) -> None:
        keys = {place: electorate.keys[electorate.voter_of[place]] for place in places}
        self._devnet.set_balances({address_of_key(key): DIRECT_BALANCE_WEI for key in keys.values()})
        gas, last = 0, None
        for part in _split_rounds(electorate, places):
            last = self._next_cast_at(last)
            for start in range(0, len(part), DIRECT_CASTS_AT_ONCE):
                casts = [
                    (LocalSigner(keys[place]), self._script.rows[place].ballot)
                    for place in part[start : start + DIRECT_CASTS_AT_ONCE]
                ]
                receipts = cast_direct_many(self._rpc, report.election.box, electorate.census, casts)
                gas += sum(receipt.gas_used for receipt in receipts)
                self._progress.advance(len(receipts))
            last = self._rpc.block("latest").timestamp
        report.gas["direct"], report.ballots["direct"] = gas, len(places)

    def _cast_signed(self, electorate: Electorate, places: Sequence[int], report: Report) -> None:
        gas, last = 0, None
        for part in _split_rounds(electorate, places):
            last = self._next_cast_at(last)
            signed = [self._sign(electorate, place, report.election.box, last) for place in part]
            for batch in plan_batches(signed, electorate.census.sheet_bits):
                gas += cast_batch(self._rpc, self._relayer, report.election.box, electorate.census, batch).gas_used
                report.batches += 1
                self._progress.advance(len(batch.ballots))
        report.gas["signed"], report.ballots["signed"] = gas, len(places)

    def _next_cast_at(self, last: UnixSeconds | None) -> UnixSeconds:
        """Time of a round, later than the one before; the chain is moved there where it lies after the latest block."""
        latest = self._rpc.block("latest").timestamp
        cast_at = next_cast_at(latest, last)
        if cast_at > latest:
            self._devnet.warp(cast_at)
        return cast_at

    def _sign(self, electorate: Electorate, place: int, box: Address, cast_at: UnixSeconds) -> SignedRecord:
        voter = electorate.voter_of[place]
        return sign_ballot(
            LocalSigner(electorate.keys[voter]),
            electorate.census.entry(voter),
            self._script.rows[place].ballot,
            chain_id=self._chain_id,
            box=box,
            cast_at=cast_at,
        )

    def _check(
        self, electorate: Electorate, election: ElectionDeployment, document: dict[str, Any], expected: ElectionResult
    ) -> list[str]:
        """Compare what the index serves with the file and the chain. Returns what was verified, in words."""
        rows, voters = len(self._script.rows), len(electorate.keys)
        block = document["block"]["number"]
        head = "0x" + BallotBoxContract(self._rpc, election.box).head(block).hex()
        level = document["level"]
        comparisons = [
            (f"every row of the file is in the box: {rows}", document["records"], rows),
            (f"every voter is in the count: {voters}", document["turnout"]["voters_cast"], voters),
            ("the chain of hashes over all records ends in head() of the box", document["head"], head),
            (f"the result is {level}", LEVELS.index(level) >= LEVELS.index(LEAST_LEVEL), True),
            (f"the election is closed at block {block}", document["state"], "complete"),
            ("the result equals the count of the file alone", _list_counts(document["contests"]), _count(expected)),
        ]
        return _compare(comparisons)


def _check_evidence(found: Verification, expected: ElectionResult) -> list[str]:
    """Compare what the evidence proves with the file. Returns what was verified, in words."""
    return _compare(
        [
            (
                "the evidence holds, with the whole electorate in it",
                (found.holds, found.is_electorate_checked),
                (True,) * 2,
            ),
            ("the evidence proves the same count", found.result, expected),
            ("the evidence shows that no ballot can follow", found.state, ResultState.COMPLETE),
        ]
    )


def _count(result: ElectionResult) -> list[dict[str, Any]]:
    contests: Any = result.to_json()["contests"]
    return _list_counts(contests)


def _list_counts(contests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in contest.items() if key not in NOT_COMPARED} for contest in contests]


def _compare(comparisons: Sequence[tuple[str, object, object]]) -> list[str]:
    """Compare what was found with what was expected. Returns the words of each. Raises ProofError."""
    for words, found, wanted in comparisons:
        if found != wanted:
            raise ProofError(f"not so: {words}\n  found    {found}\n  expected {wanted}")
    return [words for words, _, _ in comparisons]
