"""Elections' tallies, kept up as ballots come in, in the transaction that writes the ballots.

    new records ──▶ by voters who had not cast ──────────────────────────────▶ added to their groups
                └─▶ by the others ──▶ the rule of `qballot.core.effective` ──▶ moved from group to group

So a new ballot costs the same in the first and in the millionth: its voter is looked up, its group is changed. Of the
voters who come again their earlier records are read once and then remembered, as far as they can still matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import compress, groupby, islice

from sqlalchemy import ColumnElement, Connection, and_, delete, select

from indexer.storage.bulk import GroupValues, insert_groups
from indexer.storage.model import Block
from indexer.storage.tables import BALLOT_GROUPS, BALLOTS
from indexer.storage.voters_seen import SeenVoters, asked
from qballot.core.ballot import Group
from qballot.core.effective import VoterBallots
from qballot.core.records import Record, RecordColumns
from qballot.core.types import Weight

KEPT_BYTES = 16 * 1024 * 1024
"""About how much memory the records of voters who came again may take before they are forgotten."""

RECORD_BYTES = 400
"""About what a remembered record takes beside its ballot."""

KEY_BYTES = 32
"""A ballot with fewer bytes is its group's key; the key of a longer one is its hash, which has these."""

_KEYS_AT_ONCE = 500
_ROWS_AT_ONCE = 5_000


class TallyChange:
    """How an election's tally changes. voters: how many cast for the first time, or no longer have cast.

    groups: change of number and weight, by ballot.
    """

    def __init__(self) -> None:
        self.voters = 0
        self.groups: dict[bytes, list[int]] = {}

    @property
    def weight(self) -> int:
        """Change of the weight of all ballots that count."""
        return sum(weight for _, weight in self.groups.values())

    def add(self, ballot: bytes, ballots: int, weight: int) -> None:
        """Change one group."""
        group = self.groups.setdefault(ballot, [0, 0])
        group[0] += ballots
        group[1] += weight

    def add_first(self, ballots: Sequence[bytes], weights: Sequence[int]) -> None:
        """Count ballots of voters who had not cast. weights: of each one's voter."""
        groups = self.groups
        if len(set(weights)) == 1:
            for ballot, number in Counter(ballots).items():
                self.add(ballot, number, number * weights[0])
            return
        for ballot, weight in zip(ballots, weights, strict=True):
            if ballot in groups:
                group = groups[ballot]
                group[0] += 1
                group[1] += weight
            else:
                groups[ballot] = [1, weight]

    def replace(self, before: Record, after: Record) -> None:
        """Count another record of the same voter."""
        self.add(before.ballot, -1, -before.weight)
        self.add(after.ballot, 1, after.weight)


class TallyKeeper:
    """What is remembered of elections from transaction to transaction, so that little has to be read."""

    def __init__(self) -> None:
        self._seen = SeenVoters()
        self._again: dict[tuple[int, int], VoterBallots] = {}
        self._bytes = 0
        self._at: Block | None = None

    def forget(self) -> None:
        """Forget everything, since the database may hold something else."""
        self._seen.forget()
        self._forget_again()

    @contextmanager
    def moving(self, after: Block | None, until: Block) -> Iterator[None]:
        """Hold for a transaction that moves the index from one block to another; a failed one is forgotten."""
        if self._at != after:
            self.forget()
        try:
            yield
        except BaseException:
            self.forget()
            raise
        self._at = until

    def take(
        self, connection: Connection, election: int, voters_cast: int, start: int, records: RecordColumns
    ) -> tuple[TallyChange, list[tuple[int, Record]]]:
        """Count an election's next records, before they are written.

        voters_cast: how many had cast before. start: the first one's position. Returns the change by those who cast for
        the first time, and the records of the others with their positions: for `take_again`, when all is written.
        """
        change = TallyChange()
        if not len(records):
            return change, []
        places = self._seen.take(connection, election, voters_cast, records.voters)
        change.voters = len(records) - len(places)
        ballots, weights = records.ballots, records.weights
        if places:
            first = bytearray(b"\1") * len(records)
            for place in places:
                first[place] = 0
            ballots, weights = list(compress(ballots, first)), list(compress(weights, first))
        change.add_first(ballots, weights)
        return change, [(start + place, records.at(place)) for place in places]

    def take_again(
        self, connection: Connection, election: int, again: Sequence[tuple[int, Record]], change: TallyChange
    ) -> None:
        """Add what records of voters who had cast before change. They and all before them are written."""
        if self._bytes > KEPT_BYTES:
            self._forget_again()
        first: dict[int, int] = {}
        for position, record in again:
            if (election, record.voter) not in self._again:
                first.setdefault(record.voter, position)
        for record in self._load(connection, election, first):
            self._remember(election, record)
        for _, record in again:
            standing = self._again[election, record.voter]
            before = standing.counting
            if standing.apply(record):
                change.replace(before, record)
            self._bytes += RECORD_BYTES + len(record.ballot)

    def _load(self, connection: Connection, election: int, first: Mapping[int, int]) -> Iterator[Record]:
        """Read voters' records, each one's before a position."""
        for record, position in stream_by_voter(connection, election, first):
            if position < first[record.voter]:
                yield record

    def _remember(self, election: int, record: Record) -> None:
        standing = self._again.get((election, record.voter))
        if standing is None:
            self._again[election, record.voter] = VoterBallots(record)
        else:
            standing.apply(record)
        self._bytes += RECORD_BYTES + len(record.ballot)

    def _forget_again(self) -> None:
        self._again.clear()
        self._bytes = 0


def compute_removal(connection: Connection, election: int, start: int) -> TallyChange:
    """Compute what an election's tally changes by when its records from the position `start` on are taken away."""
    change = TallyChange()
    chosen = and_(BALLOTS.c.election_id == election, BALLOTS.c.position >= start)
    voters = connection.scalars(select(BALLOTS.c.voter).where(chosen).distinct()).all()
    for _, own in groupby(stream_by_voter(connection, election, voters), key=lambda row: row[0].voter):
        before: VoterBallots | None = None
        after: VoterBallots | None = None
        for record, position in own:
            before = _apply(before, record)
            if position < start:
                after = _apply(after, record)
        if before is not None and after is None:
            change.add(before.counting.ballot, -1, -before.counting.weight)
            change.voters -= 1
        elif before is not None and after is not None:
            change.replace(before.counting, after.counting)
    return change


def stream_by_voter(connection: Connection, election: int, voters: Iterable[int]) -> Iterator[tuple[Record, int]]:
    """Give some voters' records with their positions, one voter's after another's, each in the order of the chain."""
    rest = iter(voters)
    columns = (BALLOTS.c.position, BALLOTS.c.voter, BALLOTS.c.cast_at, BALLOTS.c.weight, BALLOTS.c.ballot)
    while part := list(islice(rest, _ROWS_AT_ONCE)):
        wanted = asked(connection, part)
        own = and_(BALLOTS.c.election_id == election, BALLOTS.c.voter.in_(select(wanted.c.value)))
        query = select(*columns).where(own).order_by(BALLOTS.c.voter, BALLOTS.c.position)
        with connection.execute(query, execution_options={"yield_per": _ROWS_AT_ONCE}) as rows:
            for position, voter, cast_at, weight, ballot in rows:
                yield Record(voter, cast_at, Weight(int(weight)), bytes(ballot)), position


def write_groups(connection: Connection, election: int, change: TallyChange) -> None:
    """Write a change of an election's groups. A group without ballots is none."""
    changed = ((ballot, group) for ballot, group in change.groups.items() if group != [0, 0])
    while part := {key_of(ballot): (ballot, group) for ballot, group in islice(changed, _KEYS_AT_ONCE)}:
        own = and_(BALLOT_GROUPS.c.election_id == election, BALLOT_GROUPS.c.key.in_(list(part)))
        kept = _load_groups(connection, own)
        if kept:
            # Written anew: changing them one by one costs more.
            connection.execute(delete(BALLOT_GROUPS).where(own))
        rows: list[GroupValues] = []
        for key, (ballot, (ballots, weight)) in part.items():
            before = kept.get(key, Group(0, 0))
            if before.ballots + ballots:
                rows.append((election, key, ballot, before.ballots + ballots, str(before.weight + weight)))
        insert_groups(connection, rows)


def key_of(ballot: bytes) -> bytes:
    """Compute a group's key: short for any ballot, and of two different ballots never the same."""
    return ballot if len(ballot) < KEY_BYTES else sha256(ballot).digest()


def _load_groups(connection: Connection, own: ColumnElement[bool]) -> dict[bytes, Group]:
    groups = BALLOT_GROUPS.c
    rows = connection.execute(select(groups.key, groups.ballots, groups.weight).where(own))
    return {bytes(key): Group(ballots, int(weight)) for key, ballots, weight in rows}


def _apply(standing: VoterBallots | None, record: Record) -> VoterBallots:
    if standing is None:
        return VoterBallots(record)
    standing.apply(record)
    return standing
