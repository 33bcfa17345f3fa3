"""What puts an election's records right: the list that ends in its proven head, from the first difference on."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.storage.model import Batch, Block, Election, Source
from indexer.storage.replace import Contradicted
from indexer.sync.events import BoxEvent
from indexer.sync.fold import fold_range
from indexer.sync.repair_goal import Goal
from qballot.core.keccak import keccak
from qballot.core.provenance import BoxArguments
from qballot.core.records import CANCELLED_HEAD, Record, compute_head, count_records, pack_records
from qballot.core.types import Address, BlockNumber, Hash32, UnixSeconds, VoterIndex, Weight

pytestmark = pytest.mark.unit

BOX = Address(b"\xb0" * 20)
DEFINITION = keccak(b"a definition")
ARGUMENTS = BoxArguments(
    definition_hash=DEFINITION,
    organizer=Address(b"\x01" * 20),
    opens_at=UnixSeconds(10),
    closes_at=UnixSeconds(20),
    sheet_bits=1,
    voters=10,
    max_ballot_bytes=3,
    sheet_roots=(keccak(b"root"),) * 5,
)
CREATED = Source(BlockNumber(1), keccak(b"1"), 0, keccak(b"creation"))
AT = Block(BlockNumber(100), keccak(b"100"), UnixSeconds(15))
NEW = Election(
    number=1,
    box=BOX,
    salt=Hash32(bytes(32)),
    source=CREATED,
    arguments=ARGUMENTS,
    definition=b"",
    head=DEFINITION,
    batches=0,
    records=0,
    cancelled=False,
    invalid_reason=None,
)


def cast(place: int, *voters: int) -> BoxEvent:
    """A batch. place: two of them share a block."""
    packed = pack_records(Record(VoterIndex(voter), 5, Weight(1), b"\1") for voter in voters)
    number = 2 + place // 2
    source = Source(BlockNumber(number), keccak(b"%d" % number), place % 2, keccak(b"tx%d" % place))
    return BoxEvent(BOX, source, packed, count_records(packed), keccak(packed))


def cancel() -> BoxEvent:
    return BoxEvent(BOX, Source(BlockNumber(2), keccak(b"2"), 0, keccak(b"tx")))


def index(events: list[BoxEvent]) -> tuple[Election, tuple[Batch, ...]]:
    """What an index has that was told of these."""
    change = fold_range(AT, known={BOX: NEW}, created=(), events=events)
    return change.updated[BOX], tuple(new.batch for new in change.batches)


def aim(told: list[BoxEvent], proven: Hash32) -> Goal:
    election, batches = index(told)
    return Goal(Contradicted(election, proven, batches), AT)


def head_of(events: list[BoxEvent]) -> Hash32:
    return compute_head(DEFINITION, [event.packed or b"" for event in events])


Ballots = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3), max_size=8)


@given(true=Ballots, told=Ballots, data=st.data())
def test_plan__of_any_wrong_list__leaves_what_an_index_of_the_right_one_has(
    true: list[list[int]], told: list[list[int]], data: st.DataObject
) -> None:
    right = [cast(place, *voters) for place, voters in enumerate(true)]
    same = data.draw(st.integers(0, min(len(true), len(told))))
    wrong = right[:same] + [cast(place, *voters) for place, voters in enumerate(told)][same:]
    goal = aim(wrong, head_of(right))
    blocks = [event.source.block_number for event in right]
    ends = [0, *(place for place, (one, other) in enumerate(pairwise(blocks), 1) if one != other)]
    kept = data.draw(st.sampled_from([place for place in ends if place <= same]))
    assert goal.is_met(kept, right[kept:])
    replacement = goal.plan(kept, right[kept:], "a test")
    election, batches = index(right)
    first = replacement.first_sequence
    assert (*goal.batches[:first], *(new.batch for new in replacement.change.batches)) == batches
    assert replacement.change.updated[BOX] == election
    assert replacement.removed_batches == len(wrong) - first
    assert replacement.removed_records == goal.election.records - sum(batch.records for batch in batches[:first])
    assert first == len(batches) or first == len(goal.batches) or goal.batches[first] != batches[first]


def test_goal__list_with_another_end__is_not_met() -> None:
    right = [cast(0, 1), cast(2, 2), cast(4, 3)]
    goal = aim(right[:2], head_of(right))
    assert goal.is_met(0, right)
    assert goal.is_met(2, right[2:])
    assert not goal.is_met(0, right[:2])
    assert not goal.is_met(0, [right[1], right[0], right[2]])
    assert not goal.is_met(0, [*right, right[2]])
    assert not goal.is_met(1, right)


def test_goal__cancelled_box__is_met_by_a_cancellation_and_nothing_else() -> None:
    goal = aim([], CANCELLED_HEAD)
    assert goal.is_met(0, [cancel()])
    assert not goal.is_met(0, [])
    assert not goal.is_met(0, [cast(0, 1), cancel()])
    assert not goal.is_met(0, [cancel(), cancel()])
    replacement = goal.plan(0, [cancel()], "a test")
    election = replacement.change.updated[BOX]
    assert (election.cancelled, election.cancelled_at_block, election.head) == (True, 2, CANCELLED_HEAD)
    assert (replacement.removed_batches, len(replacement.change.batches)) == (0, 0)


def test_goal__forged_cancellation__is_met_by_the_ballots_without_it() -> None:
    right = [cast(0, 1), cast(2, 2)]
    goal = aim([cancel()], head_of(right))
    assert not goal.is_met(0, [*right, cancel()])
    assert goal.is_met(0, right)
    election = goal.plan(0, right, "a test").change.updated[BOX]
    assert (election.cancelled, election.cancelled_at_block, election.records) == (False, None, 2)


def test_first_block__of_what_is_read_anew__is_the_one_after_what_is_kept() -> None:
    goal = aim([cast(0, 1), cast(1, 2), cast(4, 3)], keccak(b"another head"))
    assert goal.first_block(0) == CREATED.block_number
    assert goal.first_block(2) == 3
