"""All records of some evidence: chained, checked against the box's rules and the electorate, grouped; steps 10 to 13.

A million of them are a few columns, not a million objects. Columns are looked at as a whole, and only where one does
not hold are its records gone through, to name the first that is to blame.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import compress, islice, pairwise
from operator import eq, lt

from qballot.core.ballot import Group, group_ballots, group_columns
from qballot.core.effective import VoterBallots
from qballot.core.proof.head import ProvenHead
from qballot.core.records import DIRECT_BIT, Record, RecordColumns, advance_head, unpack_columns
from qballot.core.types import Hash32, VoterIndex, Weight
from qballot.errors import DecodeError, ProofError


def check_chain(definition_hash: Hash32, batches: Iterable[bytes], expected: Hash32) -> int:
    """Check that the chain from the definition's hash over these batches ends in the head. Returns their number.

    Raises ProofError: with where the head stands, if batches follow it, else with the end that was found.
    """
    head = definition_hash
    reached = 0 if head == expected else None
    count = 0
    for batch in batches:
        head = advance_head(head, batch)
        count += 1
        if head == expected:
            reached = count
    if head == expected:
        return count
    if reached is not None:
        raise ProofError(f"the chain is at the proven head after {reached} batches, but found {count}: the rest is not")
    raise ProofError(
        f"the chain over {count} batches ends in 0x{head.hex()}, but the proven head is 0x{expected.hex()}: a batch is "
        "missing, changed, added or out of its place"
    )


class Ballots:
    """The records of all batches, column by column, in the chain's order."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        """Place of each batch's first record."""
        self.voters: list[int] = []
        self.cast_ats: list[int] = []
        self.weights: list[int] = []
        self.ballots: list[bytes] = []

    def __len__(self) -> int:
        return len(self.voters)

    def add(self, columns: RecordColumns) -> None:
        """Add the records of one batch."""
        self.starts.append(len(self.voters))
        self.voters.extend(columns.voters)
        self.cast_ats.extend(columns.cast_ats)
        self.weights.extend(columns.weights)
        self.ballots.extend(columns.ballots)


def read_ballots(batches: Iterable[bytes], proven: ProvenHead) -> Ballots:
    """Read all records and check each against the rules of the box and the time of the block.

    Raises ProofError, naming batch and record, for the first that the box cannot have admitted, and DecodeError for
    a batch that is not whole records.
    """
    found = Ballots()
    for place, batch in enumerate(batches):
        try:
            columns = unpack_columns(batch)
        except DecodeError as error:
            raise DecodeError(f"batch {place}: {error}") from error
        if not _are_plain(columns, proven):
            _check_each(place, columns, proven)
        found.add(columns)
    return found


def check_membership(ballots: Ballots, weights: Sequence[Weight]) -> None:
    """Check that every record's voter is in the census with the record's weight. weights: of the census, by index.

    Raises ProofError, naming batch and record. Every voter is below the census's size by `read_ballots`.
    """
    expected = map(weights.__getitem__, ballots.voters)
    if all(map(eq, expected, ballots.weights)):
        return
    record = next(
        place
        for place, (voter, weight) in enumerate(zip(ballots.voters, ballots.weights, strict=True))
        if weights[voter] != weight
    )
    batch = bisect_right(ballots.starts, record) - 1
    voter = ballots.voters[record]
    raise ProofError(
        f"batch {batch}, record {record - ballots.starts[batch]}: voter {voter} has the weight "
        f"{ballots.weights[record]}, expected {weights[voter]}, as the census says"
    )


def group_effective(ballots: Ballots) -> tuple[dict[bytes, Group], int]:
    """Group the ballots that count, one a voter (`qballot.core.effective`), by their bytes.

    Returns the groups, and how many voters have cast.
    """
    counts = Counter(ballots.voters)
    if len(counts) == len(ballots):
        return group_columns(ballots.ballots, ballots.weights), len(counts)
    # Most voters cast once, and their ballot counts whatever else is in the chain.
    once = [counts[voter] == 1 for voter in ballots.voters]
    counting = list(compress(zip(ballots.ballots, ballots.weights, strict=True), once))
    several: dict[int, VoterBallots] = {}
    rows = zip(ballots.voters, ballots.cast_ats, ballots.weights, ballots.ballots, strict=True)
    for voter, cast_at, weight, ballot in compress(rows, [not alone for alone in once]):
        record = Record(VoterIndex(voter), cast_at, Weight(weight), ballot)
        before = several.get(voter)
        if before is None:
            several[voter] = VoterBallots(record)
        else:
            before.apply(record)
    counting += [(found.counting.ballot, found.counting.weight) for found in several.values()]
    return group_ballots(counting), len(counts)


def _are_plain(columns: RecordColumns, proven: ProvenHead) -> bool:
    """Say whether all records of a batch are admitted, as far as whole columns tell: all signed, or one direct."""
    if not len(columns):
        return False
    arguments = proven.arguments
    first, last = min(columns.cast_ats), max(columns.cast_ats)
    if first >= DIRECT_BIT and len(columns) == 1:
        first, last = first - DIRECT_BIT, last - DIRECT_BIT
    return (
        _find_disorder(columns.voters, arguments.sheet_bits) is None
        and max(columns.voters) < arguments.voters
        and min(columns.weights) > 0
        and arguments.opens_at <= first
        and last < arguments.closes_at
        and last <= proven.header.timestamp
        and max(map(len, columns.ballots)) <= arguments.max_ballot_bytes
    )


def _check_each(batch: int, columns: RecordColumns, proven: ProvenHead) -> None:
    """Check every record of a batch by itself, and then their order."""
    if not len(columns):
        raise ProofError(f"batch {batch}: found no record, expected one at least")
    for place, record in enumerate(columns):
        fault = _find_fault(record, proven)
        if fault is None and record.is_direct and len(columns) > 1:
            fault = f"found a voter's own transaction among {len(columns)} records, expected it alone in its batch"
        if fault is not None:
            raise ProofError(f"batch {batch}, record {place}: {fault}")
    disorder = _find_disorder(columns.voters, proven.arguments.sheet_bits)
    if disorder is not None:
        raise ProofError(f"batch {batch}, {disorder}")


def _find_disorder(voters: Sequence[VoterIndex], sheet_bits: int) -> str | None:
    """Say where the voters of a batch are not ascending, or not of one sheet; None where they are both."""
    if not all(map(lt, voters, islice(voters, 1, None))):
        place = next(place for place, (one, other) in enumerate(pairwise(voters), start=1) if one >= other)
        return f"record {place}: found voter {voters[place]} after voter {voters[place - 1]}, expected them ascending"
    if voters[0] >> sheet_bits != voters[-1] >> sheet_bits:
        place = next(place for place, voter in enumerate(voters) if voter >> sheet_bits != voters[0] >> sheet_bits)
        return (
            f"record {place}: found voter {voters[place]}, expected one of sheet {voters[0] >> sheet_bits}, as before"
        )
    return None


def _find_fault(record: Record, proven: ProvenHead) -> str | None:
    """Say why the box cannot have admitted a record; None where it can."""
    arguments, latest = proven.arguments, proven.header.timestamp
    at, length = record.cast_at_unix, len(record.ballot)
    if record.voter >= arguments.voters:
        return f"found voter {record.voter}, expected one below {arguments.voters}, the number of voters"
    if record.weight == 0:
        return f"voter {record.voter} has the weight 0, expected 1 at least: the organizer's census is invalid"
    if not arguments.opens_at <= at < arguments.closes_at:
        window = f"{arguments.opens_at} … {arguments.closes_at - 1}"
        return f"found a ballot of second {at}, expected {window}, when the box was open"
    if at > latest:
        return f"found a ballot of second {at}, expected {latest} at most, the time of the block"
    if length > arguments.max_ballot_bytes:
        return f"found a ballot of {length} bytes, expected at most {arguments.max_ballot_bytes}"
    return None
