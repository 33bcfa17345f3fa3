"""From grouped ballots to a result: each contest of a ballot is counted, blank or spoiled, and its method counts."""

from __future__ import annotations

from collections.abc import Mapping

from qballot.core.ballot import Group
from qballot.core.election import Definition
from qballot.core.tally.requirements import UNKNOWN_ELECTORATE, Electorate
from qballot.core.tally.result import ElectionResult
from qballot.core.tally.running import RunningCount, judge_marks
from qballot.core.types import Hash32

__all__ = ["count_election", "judge_marks"]


def count_election(
    definition: Definition,
    groups: Mapping[bytes, Group],
    lot: Hash32 | None = None,
    electorate: Electorate = UNKNOWN_ELECTORATE,
) -> ElectionResult:
    """Count every contest of an election.

    groups: the ballots that count, by their bytes, as `EffectiveBallots.groups` or `group_ballots` give them. Any bytes
    are allowed: what breaks a rule is spoiled, never an error. The result does not depend on the mapping's order.
    lot: the mix that lots are drawn by (`lot.py`); without it a count that needs it ends waiting for it.
    electorate: what turnout and a majority of the electorate are measured by.

    A weight of 0 comes from an invalid census, whose weights are 1 … 2**96 - 1, and may be on chain all the same. Its
    ballot is a ballot like others, counted, blank or spoiled, and adds 0 to every total.
    """
    count = RunningCount(definition)
    count.add_groups(groups)
    return count.result(lot, electorate)
