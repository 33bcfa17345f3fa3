"""What the indexer says of its progress, by a clock that the test turns."""

from __future__ import annotations

import pytest

from indexer.storage.model import Block
from qballot.cli.index_progress import WINDOW_SECONDS, Progress, format_span
from qballot.cli.live import LOG_SECONDS, Observers, ProgressLog
from qballot.core.types import BlockNumber, Hash32, UnixSeconds

pytestmark = pytest.mark.unit


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def block(number: int) -> Block:
    return Block(BlockNumber(number), Hash32(bytes(32)), UnixSeconds(12 * number))


def index(progress: Progress | Observers, start: int, end: int, ballots: int) -> None:
    progress.range_indexed(
        start, end, logs=1, ballots=ballots, fetch_seconds=0.1, write_seconds=0.1, range_blocks=end - start + 1
    )


def test_line__before_anything__says_what_it_waits_for(clock: Clock) -> None:
    progress = Progress(clock)
    assert progress.describe() == "looking for the chain"
    progress.chain_seen(block(1_200), None, None)
    assert progress.describe() == "no block yet of 1,200  1,201 behind  0 ballots/s  0 ballots"


def test_line__catching_up__has_height_lag_speed_and_time_left(clock: Clock) -> None:
    progress = Progress(clock)
    progress.chain_seen(block(100_000), block(9_999), block(99_936))
    for start in range(10_000, 20_000, 1_000):
        clock.now += 1
        index(progress, start, start + 999, 5_000)
    assert progress.describe() == ("block 19,999 of 100,000  80,001 behind  5,000 ballots/s  50,000 ballots  80 s left")


def test_line__speed__is_of_the_last_seconds_only(clock: Clock) -> None:
    progress = Progress(clock)
    progress.chain_seen(block(100_000), block(0), None)
    for start in range(1, 1_001, 10):
        clock.now += 1
        index(progress, start, start + 9, 1_000)
    for start in range(1_001, 1_101):
        clock.now += 1
        index(progress, start, start, 10)
    line = progress.describe()
    assert "block 1,100 of 100,000  98,900 behind  10 ballots/s  101,000 ballots" in line
    assert line.endswith("27 h left")
    # An endpoint that no longer answers shows as a speed that falls.
    clock.now += 10 * WINDOW_SECONDS
    assert "  1 ballots/s" in progress.describe()


def test_line__caught_up__says_so(clock: Clock) -> None:
    progress = Progress(clock)
    progress.chain_seen(block(1_234_567), block(1_234_567), block(1_234_503))
    assert progress.describe() == "block 1,234,567  up to date  final 1,234,503  0 ballots"
    progress.chain_seen(block(1_234_568), block(1_234_567), None)
    index(progress, 1_234_568, 1_234_568, 3)
    assert progress.describe() == "block 1,234,568  up to date  3 ballots"


def test_line__standing_by__says_so(clock: Clock) -> None:
    progress = Progress(clock)
    progress.leading(False)
    assert progress.describe() == "standing by: another indexer leads this database"
    progress.leading(True)
    assert progress.describe() == "looking for the chain"


def test_line__after_a_reorganisation__speed_begins_anew(clock: Clock) -> None:
    progress = Progress(clock)
    progress.chain_seen(block(100), block(0), None)
    clock.now += 1
    index(progress, 1, 50, 100)
    progress.reorged(7)
    progress.chain_seen(block(100), block(43), None)
    assert progress.describe() == "block 43 of 100  57 behind  0 ballots/s  100 ballots"


def test_line__failure__is_there_until_something_works(clock: Clock) -> None:
    progress = Progress(clock)
    progress.failed("endpoint failed")
    assert progress.describe() == "endpoint failed, trying again"
    progress.chain_seen(block(10), block(10), None)
    assert progress.describe() == "block 10  up to date  0 ballots"
    progress.failed("database failed")
    assert progress.describe() == "block 10  database failed, trying again"
    index(progress, 11, 12, 1)
    assert progress.describe() == "block 12  up to date  1 ballots"


class Journal:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def info(self, event: str, **values: object) -> None:
        self.lines.append((event, values))


def test_log__catching_up__says_so_now_and_then_and_once_when_it_has(clock: Clock) -> None:
    progress, journal = Progress(clock), Journal()
    observers = Observers([progress, ProgressLog(progress, journal, clock)])
    observers.leading(True)
    observers.chain_seen(block(3_000), block(0), block(2_936))
    for start in range(1, 3_001, 100):
        clock.now += 1
        index(observers, start, start + 99, 50)
    events = [event for event, _ in journal.lines]
    assert events == ["catching up", "catching up", "caught up"]
    assert journal.lines[0][1] == {
        "block": LOG_SECONDS * 100,
        "latest": 3_000,
        "behind": 2_000,
        "ballots": 500,
        "ballots_per_second": 50,
        "seconds_left": 20,
    }
    assert journal.lines[-1][1] == {"block": 3_000, "final": 2_936, "ballots": 1_500}
    # Every later block is behind for a moment: that is worth no line.
    for number in range(3_001, 3_100):
        clock.now += 12
        observers.chain_seen(block(number), block(number - 1), None)
        index(observers, number, number, 0)
    assert len(journal.lines) == 3


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (45.4, "45 s"), (119, "119 s"), (120, "2 min"), (7_199, "120 min"), (7_200, "2 h"), (864_000, "10 d")],
)
def test_span__greatest_unit__is_used(seconds: float, words: str) -> None:
    assert format_span(seconds) == words
