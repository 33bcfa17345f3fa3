"""Ranges fetched ahead: in order, few at a time, in parts where they are refused, and left alone when told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from indexer.storage.model import Block
from indexer.sync.aside import Stopped
from indexer.sync.range_query import FetchedRange, RangeQuery
from indexer.sync.ranges import FIRST_BLOCKS, RangeSizer
from indexer.sync.read_ahead import AHEAD, LINKED_BLOCKS, RANGES_TO_TRUST, Pace, ReadAhead, Span
from qballot.chain.rpc import Rpc
from qballot.core.keccak import keccak
from qballot.core.types import BlockNumber, UnixSeconds
from qballot.errors import (
    EndpointError,
    MissingBlockError,
    NoAnswerError,
    QuotaExhaustedError,
    RangeTooWideError,
    SlowDownError,
)

pytestmark = pytest.mark.unit

Fetch = Callable[[RangeQuery], FetchedRange]
NAME = "http://endpoint"
RPC = Rpc(NAME)


def fetched(query: RangeQuery, *, logs: int = 0) -> FetchedRange:
    until = Block(BlockNumber(query.end), keccak(b"%d" % query.end), UnixSeconds(query.end))
    return FetchedRange(query, RPC, keccak(b"parent"), until, (), (), (), logs, 0)


def plan(start: int, end: int, linked: bool) -> RangeQuery:
    return RangeQuery(start, end, frozenset(), linked=linked)


def make_reader(fetch: Fetch, *spans: Span) -> ReadAhead:
    return ReadAhead(fetch, plan, RangeSizer(), Pace(), list(spans))


def take_all(reader: ReadAhead) -> list[tuple[int, int]]:
    ranges = []
    while (timed := reader.take(None)) is not None:
        ranges.append((timed.fetched.query.start, timed.fetched.query.end))
    return ranges


def assert_gapless(ranges: list[tuple[int, int]], start: int, end: int) -> None:
    assert ranges[0][0] == start
    assert ranges[-1][1] == end
    assert all(second[0] == first[1] + 1 for first, second in pairwise(ranges))


def test_reader__slow_range__comes_before_the_next_all_the_same() -> None:
    others = threading.Event()

    def fetch(query: RangeQuery) -> FetchedRange:
        if query.start == FIRST_BLOCKS:
            assert others.wait(10)
        elif query.start > FIRST_BLOCKS:
            others.set()
        return fetched(query)

    assert_gapless(take_all(make_reader(fetch, Span(0, 4_999, is_recent=False))), 0, 4_999)


def test_reader__while_nobody_takes__fetches_few_ranges() -> None:
    begun: list[int] = []
    reader = make_reader(lambda query: begun.append(query.start) or fetched(query), Span(0, 99_999, is_recent=False))
    for taken in range(1, 6):
        reader.take(None)
        assert len(begun) <= taken + AHEAD


def test_reader__before_it_knows_how_much_a_range_holds__fetches_nothing_ahead() -> None:
    begun: list[int] = []
    reader = make_reader(lambda query: begun.append(query.start) or fetched(query), Span(0, 99_999, is_recent=False))
    reader.take(None)
    assert begun == [0]


def test_reader__spans__are_read_in_order_and_recent_blocks_by_all_their_headers() -> None:
    queries: list[RangeQuery] = []

    def fetch(query: RangeQuery) -> FetchedRange:
        queries.append(query)
        return fetched(query)

    reader = make_reader(fetch, Span(10, 5_000, is_recent=False), Span(5_001, 5_300, is_recent=True))
    assert_gapless(take_all(reader), 10, 5_300)
    assert all(query.end <= 5_000 or query.start > 5_000 for query in queries)
    assert all(query.blocks <= LINKED_BLOCKS for query in queries if query.start > 5_000)
    assert all(query.linked == (query.blocks <= LINKED_BLOCKS) for query in queries)
    assert max(query.blocks for query in queries) > LINKED_BLOCKS


def test_reader__nothing_to_read__gives_nothing() -> None:
    assert make_reader(fetched).take(None) is None


@pytest.mark.parametrize("hint", [True, False])
def test_reader__limit_of_the_endpoint__is_kept_to(hint: bool) -> None:
    def fetch(query: RangeQuery) -> FetchedRange:
        if query.blocks > 30:
            raise RangeTooWideError(NAME, "too wide", suggested=(query.start, query.start + 29) if hint else None)
        return fetched(query)

    ranges = take_all(make_reader(fetch, Span(0, 999, is_recent=False)))
    assert_gapless(ranges, 0, 999)
    assert len(ranges) < 70


def test_reader__hint_about_other_blocks__is_no_hint() -> None:
    def fetch(query: RangeQuery) -> FetchedRange:
        if query.blocks > 30:
            raise RangeTooWideError(NAME, "too wide", suggested=(query.end, query.end))
        return fetched(query)

    ranges = take_all(make_reader(fetch, Span(0, 499, is_recent=False)))
    assert_gapless(ranges, 0, 499)
    assert len(ranges) < 50


def test_reader__unknown_words_about_one_block__are_searched_out_and_it_grows_back() -> None:
    asked: list[RangeQuery] = []

    def fetch(query: RangeQuery) -> FetchedRange:
        asked.append(query)
        if query.start <= 777 <= query.end and query.blocks > 1:
            raise EndpointError(NAME, "the computer says no", code=-32000)
        return fetched(query)

    ranges = take_all(make_reader(fetch, Span(0, 9_999, is_recent=False)))
    assert_gapless(ranges, 0, 9_999)
    assert (777, 777) in ranges
    assert len(asked) < 60
    assert max(end - start + 1 for start, end in ranges[-4:]) > 1_000


ERRORS = [
    SlowDownError(NAME, "slow down"),
    QuotaExhaustedError(NAME, "no more"),
    MissingBlockError(NAME, "not known", code=-32000),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_reader__errors_that_fewer_blocks_do_not_help__come_out_at_their_range(error: EndpointError) -> None:
    asked: list[RangeQuery] = []

    def fetch(query: RangeQuery) -> FetchedRange:
        asked.append(query)
        if query.start >= FIRST_BLOCKS:
            raise error
        return fetched(query)

    reader = make_reader(fetch, Span(0, 9_999, is_recent=False))
    first = reader.take(None)
    assert first is not None
    assert first.fetched.query.end == FIRST_BLOCKS - 1
    with pytest.raises(type(error)):
        reader.take(None)
    assert len(asked) <= 2 + AHEAD


@pytest.mark.parametrize("error", [NoAnswerError(NAME, timeout_seconds=1), EndpointError(NAME, "found a page")])
def test_reader__failure_without_words__comes_out_and_asks_for_less_the_next_time(error: EndpointError) -> None:
    def fetch(query: RangeQuery) -> FetchedRange:
        raise error

    sizer = RangeSizer()
    for blocks in (FIRST_BLOCKS // 2, FIRST_BLOCKS // 4):
        with pytest.raises(EndpointError):
            ReadAhead(fetch, plan, sizer, Pace(), [Span(0, 9_999, is_recent=False)]).take(None)
        assert sizer.blocks == blocks


def test_reader__refused_even_for_one_block__says_so() -> None:
    def fetch(query: RangeQuery) -> FetchedRange:
        raise EndpointError(NAME, "the computer says no", code=-32000)

    with pytest.raises(EndpointError, match="says no"):
        make_reader(fetch, Span(0, 9_999, is_recent=False)).take(None)


def test_pace__after_a_plea_to_slow_down__grows_back_range_by_range() -> None:
    begun: list[int] = []
    pace = Pace()
    pace.slow_down()
    span = Span(0, 999_999, is_recent=False)
    fetch: Fetch = lambda query: begun.append(query.start) or fetched(query)  # noqa: E731
    reader = ReadAhead(fetch, plan, RangeSizer(), pace, [span])
    for taken in range(1, RANGES_TO_TRUST + 1):
        reader.take(None)
        assert len(begun) == taken
    for _ in range(2 * RANGES_TO_TRUST):
        reader.take(None)
    assert pace.ahead == AHEAD
    assert len(begun) == 3 * RANGES_TO_TRUST + AHEAD


def test_reader__told_to_stop__waits_for_no_endpoint() -> None:
    never, stop = threading.Event(), threading.Event()

    def fetch(query: RangeQuery) -> FetchedRange:
        stop.set()
        never.wait(10)
        return fetched(query)

    with pytest.raises(Stopped):
        make_reader(fetch, Span(0, 9, is_recent=True)).take(stop)
    never.set()
