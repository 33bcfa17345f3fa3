"""Which of a voter's ballots counts.

    1. An exact repeat of a record is ignored; its first occurrence stands.
    2. Of what remains, the voter's record with the greatest `cast_at` counts,
    3. and among those the latest in the chain.

Records come in the chain's order. Rule 1 is what makes replays harmless:

    cast_at     5   7   7   7          A, B: different ballots
    ballot      A   A   B   A
                    └ first └ a repeat of the second record: ignored, B counts

The same holds of a voter's own transactions, whose `cast_at` is their block's time: whoever sends A, B and A again into
blocks of one second has B counted, since the third record equals the first in every byte and nothing tells it from a
replay. From the next second on the choice of A is a record of its own.

Only records at a voter's greatest `cast_at` can still matter, so nothing older is kept. The groups are kept up to date
record by record: a tally after a new ballot does not read the old ones again.
"""

from __future__ import annotations

from qballot.core.ballot import Group
from qballot.core.records import Record


class EffectiveBallots:
    """The ballots that count after some prefix of an election's records."""

    def __init__(self) -> None:
        self._standing: dict[int, Record] = {}
        # Only for voters with several different records at their greatest cast_at: all of those.
        self._rivals: dict[int, set[Record]] = {}
        self._groups: dict[bytes, Group] = {}
        self._weight = 0

    def apply(self, record: Record) -> bool:
        """Take in the next record of the chain. Returns whether it is now the one that counts for its voter."""
        standing = self._standing.get(record.voter)
        if standing is not None:
            if not self._replaces(record, standing):
                return False
            self._change_group(standing, -1)
        self._standing[record.voter] = record
        self._change_group(record, +1)
        return True

    def groups(self) -> dict[bytes, Group]:
        """Return the ballots that count, grouped by their bytes. The caller owns the mapping."""
        return dict(self._groups)

    def record_of(self, voter: int) -> Record | None:
        """Return the record that counts for a voter, or None while the voter has cast nothing."""
        return self._standing.get(voter)

    @property
    def voters(self) -> int:
        """How many different voters have cast."""
        return len(self._standing)

    @property
    def weight(self) -> int:
        """Sum of the weights of the ballots that count."""
        return self._weight

    def _replaces(self, record: Record, standing: Record) -> bool:
        """Decide between a voter's next record and the one that stands, noting what rule 1 needs."""
        if record.cast_at != standing.cast_at:
            if record.cast_at < standing.cast_at:
                return False
            self._rivals.pop(record.voter, None)
            return True
        if record == standing:
            return False
        rivals = self._rivals.setdefault(record.voter, {standing})
        if record in rivals:
            return False
        rivals.add(record)
        return True

    def _change_group(self, record: Record, sign: int) -> None:
        group = self._groups.get(record.ballot, Group(0, 0))
        self._weight += sign * record.weight
        if sign < 0 and group.ballots == 1:
            del self._groups[record.ballot]
        else:
            self._groups[record.ballot] = Group(group.ballots + sign, group.weight + sign * record.weight)
