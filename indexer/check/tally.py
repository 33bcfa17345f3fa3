"""Turnout and groups of ballots, counted anew from all records, in memory that does not grow with the voters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter

from indexer.check.faults import Fault
from indexer.storage.model import Election
from qballot.core.ballot import Group, group_ballots
from qballot.core.effective import VoterBallots
from qballot.core.records import Record


def count_groups(records: Iterable[Record]) -> dict[bytes, Group]:
    """Group the ballots that count. records: each voter's together, in the order of the chain."""
    return group_ballots(_find_counting(own) for _, own in groupby(records, key=attrgetter("voter")))


def find_wrong_tally(election: Election, kept: Mapping[bytes, Group], counted: Mapping[bytes, Group]) -> Fault | None:
    """Compare the turnout and the groups that are kept up with new ballots with those of all records."""
    for name, found, expected in (
        ("voters cast", election.voters_cast, sum(group.ballots for group in counted.values())),
        ("the weight cast", election.weight_cast, sum(group.weight for group in counted.values())),
    ):
        if found != expected:
            return Fault("turnout", f"{name}: found {found}, expected {expected} by its records")
    for ballot in sorted(kept.keys() | counted.keys()):
        if kept.get(ballot) != counted.get(ballot):
            message = f"found {_describe(kept.get(ballot))}, expected {_describe(counted.get(ballot))} by its records"
            return Fault("group", f"the group of the ballot 0x{ballot[:32].hex()}: {message}")
    return None


def _find_counting(own: Iterator[Record]) -> tuple[bytes, int]:
    """Return ballot and weight of the one of a voter's records that counts."""
    voter = VoterBallots(next(own))
    for record in own:
        voter.apply(record)
    return voter.counting.ballot, voter.counting.weight


def _describe(group: Group | None) -> str:
    return "none" if group is None else f"{group.ballots} of weight {group.weight}"
