"""What a result is worth, at every moment of an election and after every kind of check."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.results.verdict import Level, Phase, State, compute_phase, describe_time, judge
from indexer.storage.model import Block, Election, HeadCheck, Source
from qballot.core.keccak import keccak
from qballot.core.provenance import BoxArguments
from qballot.core.types import Address, BlockNumber, Hash32, UnixSeconds

pytestmark = pytest.mark.unit

OPENS_AT, CLOSES_AT = 1_000, 2_000
HEAD, OTHER = keccak(b"head"), keccak(b"other")


def block(number: int, timestamp: int) -> Block:
    return Block(BlockNumber(number), keccak(b"%d" % number), UnixSeconds(timestamp))


BEFORE, OPENING, LAST, CLOSE, AFTER = (
    block(1, OPENS_AT - 1),
    block(2, OPENS_AT),
    block(3, CLOSES_AT - 1),
    block(4, CLOSES_AT),
    block(5, CLOSES_AT + 1),
)
ELECTION = Election(
    number=1,
    box=Address(b"\x01" * 20),
    salt=Hash32(bytes(32)),
    source=Source(BlockNumber(1), keccak(b"1"), 0, keccak(b"tx")),
    arguments=BoxArguments(
        keccak(b"definition"), Address(b"\x02" * 20), UnixSeconds(OPENS_AT), UnixSeconds(CLOSES_AT), 10, 5, 3, ()
    ),
    definition=b"",
    head=HEAD,
    batches=1,
    records=1,
    cancelled=False,
    invalid_reason=None,
)


@pytest.mark.parametrize(
    ("at", "phase", "state"),
    [
        (BEFORE, Phase.UPCOMING, State.PARTIAL),
        (OPENING, Phase.OPEN, State.PARTIAL),
        (LAST, Phase.OPEN, State.PARTIAL),
        (CLOSE, Phase.CLOSED, State.COMPLETE),
        (AFTER, Phase.CLOSED, State.COMPLETE),
    ],
)
def test_judge__at_each_moment__follows_the_chains_clock(at: Block, phase: Phase, state: State) -> None:
    assert compute_phase(ELECTION, at.timestamp) is phase
    assert judge(ELECTION, at).state is state
    assert judge(ELECTION, at).block == at
    cancelled = replace(ELECTION, cancelled=True)
    assert compute_phase(cancelled, at.timestamp) is Phase.CANCELLED
    assert judge(cancelled, at).state is State.CANCELLED
    invalid = replace(cancelled, invalid_reason="no contests")
    assert compute_phase(invalid, at.timestamp) is Phase.INVALID
    assert judge(invalid, at).state is State.INVALID
    assert "no contests" in judge(invalid, at).state_text


@pytest.mark.parametrize(
    ("check", "at", "level", "words"),
    [
        (None, LAST, Level.INDEXED, "has not been read yet"),
        (HeadCheck(LAST, HEAD, None, "secret"), LAST, Level.INDEXED, "gave no head() of the box"),
        (HeadCheck(LAST, HEAD, OTHER), LAST, Level.INDEXED, "MISMATCH"),
        (HeadCheck(OPENING, OTHER, OTHER), LAST, Level.INDEXED, "has changed since head() was read at block 2"),
        (HeadCheck(LAST, HEAD, HEAD), AFTER, Level.INDEXED, "has not been read since the election closed"),
        (HeadCheck(BEFORE, HEAD, HEAD), OPENING, Level.INDEXED, "has not been read since the election opened"),
        (HeadCheck(OPENING, HEAD, HEAD), LAST, Level.CONSISTENT, "at block 2"),
        (HeadCheck(OPENING, HEAD, HEAD), LAST, Level.CONSISTENT, "Up to block 3 the logs hold no later ballot"),
        (HeadCheck(CLOSE, HEAD, HEAD), AFTER, Level.CONSISTENT, "Not proven"),
    ],
)  # fmt: skip
def test_judge__after_each_kind_of_check__names_the_level_and_why(
    check: HeadCheck | None, at: Block, level: Level, words: str
) -> None:
    verdict = judge(replace(ELECTION, head_check=check), at)
    assert verdict.level is level
    assert words in verdict.level_text
    assert "secret" not in verdict.level_text
    assert bool(verdict.alarm) is (words == "MISMATCH")
    # A consistent result holds at the block of the check, any other at the last indexed one.
    assert verdict.block == (check.block if check is not None and level is Level.CONSISTENT else at)


@pytest.mark.parametrize("check", [None, HeadCheck(OPENING, HEAD, HEAD), HeadCheck(OPENING, HEAD, OTHER)])
def test_judge__invalid__claims_nothing_about_its_ballots(check: HeadCheck | None) -> None:
    verdict = judge(replace(ELECTION, invalid_reason="no contests", head_check=check), AFTER)
    assert (verdict.level, verdict.block, verdict.alarm) == (Level.INDEXED, AFTER, None)
    assert "Nothing was compared with the chain" in verdict.level_text


def test_judge__complete__stays_as_it_is_at_later_blocks() -> None:
    election = replace(ELECTION, head_check=HeadCheck(CLOSE, HEAD, HEAD))
    assert judge(election, AFTER) == judge(election, CLOSE)


def test_judge__partial__says_until_when_and_that_nobody_has_won() -> None:
    text = judge(ELECTION, LAST).state_text
    assert "until 1970-01-01 00:33:20 UTC" in text
    assert "names no winner" in text


@pytest.mark.parametrize("seconds", [2**39 - 1, 2**40 - 1])
def test_describe_time__beyond_our_calendar__is_a_number(seconds: int) -> None:
    assert describe_time(UnixSeconds(seconds)) == f"second {seconds} since 1970"
