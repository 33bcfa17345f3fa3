"""One endpoint's circuit breaker, by a clock that the test moves."""

from __future__ import annotations

import pytest

from qballot.chain.breaker import FAILURES_TO_OPEN, FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, Breaker
from qballot.errors import ChainError, EndpointError, QuotaExhaustedError, SlowDownError

pytestmark = pytest.mark.unit

DOWN = EndpointError("node", "down")


class Clock:
    """Seconds that go on when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def fail(breaker: Breaker, error: ChainError = DOWN, times: int = 1) -> None:
    for _ in range(times):
        assert breaker.begin()
        breaker.fail(error)


def test_breaker__few_failures__stays_closed_and_an_answer_forgets_them(clock: Clock) -> None:
    breaker = Breaker(clock)
    fail(breaker, times=FAILURES_TO_OPEN - 1)
    assert breaker.describe("a").failures == FAILURES_TO_OPEN - 1
    breaker.succeed()
    fail(breaker, times=FAILURES_TO_OPEN - 1)
    health = breaker.describe("a")
    assert (health.name, health.healthy, health.last_error) == ("a", True, DOWN)


def test_breaker__failures_in_a_row__opens_for_twice_as_long_each_time(clock: Clock) -> None:
    breaker = Breaker(clock)
    fail(breaker, times=FAILURES_TO_OPEN)
    expected = FIRST_PAUSE_SECONDS
    for _ in range(12):
        assert not breaker.begin()
        assert expected / 2 <= breaker.remaining_seconds() <= expected
        assert not breaker.describe("a").healthy
        clock.now += breaker.remaining_seconds()
        fail(breaker)
        expected = min(2 * expected, MAX_PAUSE_SECONDS)
    assert expected == MAX_PAUSE_SECONDS


def test_breaker__half_open__lets_one_question_through(clock: Clock) -> None:
    breaker = Breaker(clock)
    breaker.trip(DOWN)
    clock.now += FIRST_PAUSE_SECONDS
    assert breaker.begin()
    assert not breaker.begin()
    assert 0 < breaker.remaining_seconds() <= FIRST_PAUSE_SECONDS
    breaker.succeed()
    assert breaker.begin()
    assert breaker.begin()
    # What it went through is forgotten: it opens for a short time again.
    breaker.trip(DOWN)
    assert breaker.remaining_seconds() <= FIRST_PAUSE_SECONDS


def test_breaker__outcome_that_says_nothing__leaves_it_half_open(clock: Clock) -> None:
    breaker = Breaker(clock)
    breaker.trip(DOWN)
    clock.now += FIRST_PAUSE_SECONDS
    assert breaker.begin()
    breaker.doubt(None)
    assert breaker.last_error is DOWN
    assert breaker.begin()
    other = EndpointError("node", "what?", code=1)
    breaker.doubt(other)
    assert breaker.last_error is other


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [(None, 0.5, 1), (0.1, 0.5, 1), (7.0, 7, 7), (3_600.0, MAX_PAUSE_SECONDS, MAX_PAUSE_SECONDS)],
)
def test_breaker__asked_to_slow_down__opens_at_once_for_what_was_asked(
    clock: Clock, asked: float | None, least: float, most: float
) -> None:
    breaker = Breaker(clock)
    fail(breaker, SlowDownError("node", "slow", retry_after_seconds=asked))
    assert least <= breaker.remaining_seconds() <= most


def test_breaker__quota_used_up__opens_at_once_for_long(clock: Clock) -> None:
    breaker = Breaker(clock)
    fail(breaker, QuotaExhaustedError("node", "no more"))
    assert breaker.remaining_seconds() >= MAX_PAUSE_SECONDS / 2


def test_breaker__one_kind_of_question_fails_while_another_is_answered__opens_for_longer_each_time(
    clock: Clock,
) -> None:
    breaker = Breaker(clock)
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.begin()
        breaker.succeed("")
        assert breaker.begin()
        breaker.fail(DOWN, "logs")
    assert not breaker.describe("a").healthy
    expected = FIRST_PAUSE_SECONDS
    for _ in range(8):
        assert expected / 2 <= breaker.remaining_seconds() <= expected
        clock.now += breaker.remaining_seconds()
        assert breaker.begin()
        breaker.succeed("")
        assert breaker.begin()
        breaker.fail(DOWN, "logs")
        expected = min(2 * expected, MAX_PAUSE_SECONDS)
    assert breaker.last_error is DOWN
    clock.now += MAX_PAUSE_SECONDS
    assert breaker.begin()
    breaker.succeed("logs")
    health = breaker.describe("a")
    assert (health.healthy, health.failures, health.last_error) == (True, 0, None)
    fail(breaker, times=FAILURES_TO_OPEN)
    assert breaker.remaining_seconds() <= FIRST_PAUSE_SECONDS
