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


class VoterBallots:
    """One voter's records, as far as they can still matter. Made of the first one; the others follow in chain order."""

    __slots__ = ("_rivals", "counting")

    def __init__(self, first: Record) -> None:
        self.counting = first
        """The record that counts."""
        # Only where several different records have the greatest cast_at: all of those.
        self._rivals: set[Record] | None = None

    def apply(self, record: Record) -> bool:
        """Take in the voter's next record. Returns whether it is now the one that counts."""
        if record.cast_at != self.counting.cast_at:
            if record.cast_at < self.counting.cast_at:
                return False
            self._rivals = None
        elif record == self.counting:
            return False
        else:
            if self._rivals is None:
                self._rivals = {self.counting}
            if record in self._rivals:
                return False
            self._rivals.add(record)
        self.counting = record
        return True


class EffectiveBallots:
    """The ballots that count after some prefix of an election's records."""

    def __init__(self) -> None:
        self._voters: dict[int, VoterBallots] = {}
        self._groups: dict[bytes, Group] = {}
        self._weight = 0

    def apply(self, record: Record) -> bool:
        """Take in the next record of the chain. Returns whether it is now the one that counts for its voter."""
        voter = self._voters.get(record.voter)
        if voter is None:
            self._voters[record.voter] = VoterBallots(record)
        else:
            before = voter.counting
            if not voter.apply(record):
                return False
            self._change_group(before, -1)
        self._change_group(record, +1)
        return True

    def groups(self) -> dict[bytes, Group]:
        """Return the ballots that count, grouped by their bytes. The caller owns the mapping."""
        return dict(self._groups)

    def record_of(self, voter: int) -> Record | None:
        """Return the record that counts for a voter, or None while the voter has cast nothing."""
        found = self._voters.get(voter)
        return None if found is None else found.counting

    @property
    def voters(self) -> int:
        """How many different voters have cast."""
        return len(self._voters)

    @property
    def weight(self) -> int:
        """Sum of the weights of the ballots that count."""
        return self._weight

    def _change_group(self, record: Record, sign: int) -> None:
        group = self._groups.get(record.ballot, Group(0, 0))
        self._weight += sign * record.weight
        if sign < 0 and group.ballots == 1:
            del self._groups[record.ballot]
        else:
            self._groups[record.ballot] = Group(group.ballots + sign, group.weight + sign * record.weight)
