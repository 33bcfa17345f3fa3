"""Who has cast already: what tells a voter's first ballot, which is most of them, from one that may replace another.

One byte a voter says it for the elections that are busy. For any other election the index on voters is asked, until
asking has cost about as much as reading all of them once would.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import ARRAY, BigInteger, Connection, TableValuedAlias, cast, func, select

from indexer.storage.tables import BALLOTS

KEPT_BYTES = 32 * 1024 * 1024
"""How many bytes are kept for all elections, and greatest index of a voter for whom one is; unused ones go first."""

READ_FOR_ONE_LOOKUP = 8
"""About how many voters are read in the time in which one is looked up."""

_GROWS_BY = 1024
_ROWS_AT_ONCE = 10_000


class SeenVoters:
    """The voters of some elections who have a record in the index. Whatever the database does, this must be told."""

    def __init__(self) -> None:
        self._flags: dict[int, bytearray] = {}
        self._lookups: dict[int, int] = {}

    def forget(self) -> None:
        """Forget everything: what is in the database is not known any more."""
        self._flags.clear()
        self._lookups.clear()

    def take(self, connection: Connection, election: int, voters_cast: int, voters: Sequence[int]) -> list[int]:
        """Note that these voters cast, one after another. Returns the places of those who had cast before.

        election: its number. voters_cast: how many had cast in it. The records must not be in the database yet.
        """
        flags = self._find_flags(connection, election, voters_cast, voters)
        if flags is None:
            return _take_known(_look_up(connection, election, set(voters)), voters)
        again = []
        for place, voter in enumerate(voters):
            if flags[voter]:
                again.append(place)
            flags[voter] = 1
        return again

    def _find_flags(
        self, connection: Connection, election: int, voters_cast: int, voters: Sequence[int]
    ) -> bytearray | None:
        """Find or load an election's flags, with room for these voters; None where looking them up costs less."""
        highest = max(voters)
        flags = self._flags.pop(election, None)
        if highest >= KEPT_BYTES:
            return None
        if flags is None:
            lookups = self._lookups.get(election, 0) + len(voters)
            self._lookups[election] = lookups
            if lookups * READ_FOR_ONE_LOOKUP < voters_cast:
                return None
            flags = _load_flags(connection, election) if voters_cast else bytearray()
            if flags is None:
                return None
            self._lookups[election] = 0
        _grow(flags, highest)
        # The last one is the latest used.
        self._flags[election] = flags
        self._evict()
        return flags

    def _evict(self) -> None:
        kept = sum(map(len, self._flags.values()))
        while kept > KEPT_BYTES and len(self._flags) > 1:
            kept -= len(self._flags.pop(next(iter(self._flags))))


def asked(connection: Connection, numbers: Iterable[int]) -> TableValuedAlias:
    """Give numbers as rows of a table with one column `value`: any count of them is one parameter."""
    if connection.dialect.name == "postgresql":
        return func.unnest(cast(list(numbers), ARRAY(BigInteger))).table_valued("value").render_derived()
    return func.json_each(json.dumps(list(numbers))).table_valued("value")


def _take_known(known: set[int], voters: Sequence[int]) -> list[int]:
    again = []
    for place, voter in enumerate(voters):
        if voter in known:
            again.append(place)
        known.add(voter)
    return again


def _look_up(connection: Connection, election: int, voters: set[int]) -> set[int]:
    """Find those of the voters who have a record."""
    wanted = asked(connection, voters)
    own = select(1).where(BALLOTS.c.election_id == election, BALLOTS.c.voter == wanted.c.value)
    return set(connection.scalars(select(wanted.c.value).where(own.exists())))


def _load_flags(connection: Connection, election: int) -> bytearray | None:
    """Read an election's flags; None where a voter's index is too great."""
    own = select(BALLOTS.c.voter).where(BALLOTS.c.election_id == election)
    highest = connection.scalar(own.order_by(BALLOTS.c.voter.desc()).limit(1))
    if highest is None or highest >= KEPT_BYTES:
        return None if highest else bytearray()
    flags = bytearray(highest + 1)
    rows = connection.execute(own, execution_options={"yield_per": _ROWS_AT_ONCE})
    for voter in rows.scalars():
        flags[voter] = 1
    return flags


def _grow(flags: bytearray, highest: int) -> None:
    missing = highest + 1 - len(flags)
    if missing > 0:
        flags.extend(bytes(missing + -missing % _GROWS_BY))
