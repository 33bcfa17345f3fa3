"""What a result is worth, at every moment of an election and after every kind of check."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.results.phase import Phase, State, compute_phase, describe_time
from indexer.results.proven import Proofs
from indexer.results.verdict import AlarmKind, Level, Verdict
from indexer.results.verdict import judge as judge_with
from indexer.storage.model import Block, Election, HeadCheck, Source
from indexer.storage.proof_model import Naming, ProofMark, Repair
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


def judge(election: Election, at: Block, proofs: Proofs | None = None, *, draws_lots: bool = False) -> Verdict:
    return judge_with(election, at, proofs or Proofs(), draws_lots=draws_lots)


def mark(at: Block, head: Hash32 = HEAD, *, has_lot: bool = False) -> ProofMark:
    return ProofMark(ELECTION.box, at, head, "a", has_lot)


def name(at: Block, operator: str, *, other: bool = False, final: bool = False) -> Naming:
    return Naming(at.number, at.hash, operator, OTHER if other else at.hash, final, 1.0)


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
    unknown = replace(invalid, unknown_version=7)
    assert compute_phase(unknown, at.timestamp) is Phase.UNKNOWN
    assert judge(unknown, at).state is None
    assert judge(unknown, at).state_text == "Not judged, and not counted here: no contests."
    assert "cannot judge the election" in str(judge(unknown, at).next_level_text)


@pytest.mark.parametrize(
    ("check", "at", "level", "words"),
    [
        (None, LAST, Level.INDEXED, "has not been read yet"),
        (HeadCheck(LAST, HEAD, None, "secret"), LAST, Level.INDEXED, "no endpoint gave the box's head"),
        (HeadCheck(LAST, HEAD, OTHER), LAST, Level.INDEXED, "MISMATCH"),
        (HeadCheck(LAST, HEAD, OTHER, "no one has the logs", True), LAST, Level.INDEXED, "MISMATCH"),
        (HeadCheck(OPENING, OTHER, OTHER), LAST, Level.INDEXED, "has changed since its head was read at block 2"),
        (HeadCheck(OPENING, OTHER, HEAD), LAST, Level.INDEXED, "has changed since its head was read at block 2"),
        (HeadCheck(LAST, HEAD, HEAD), AFTER, Level.INDEXED, "has not been read since the election closed"),
        (HeadCheck(BEFORE, HEAD, HEAD), OPENING, Level.INDEXED, "has not been read since the election opened"),
        (HeadCheck(OPENING, HEAD, HEAD), LAST, Level.CONSISTENT, "at block 2"),
        (HeadCheck(OPENING, HEAD, HEAD), LAST, Level.CONSISTENT, "Up to block 3 the logs hold no later ballot"),
        (HeadCheck(CLOSE, HEAD, HEAD), AFTER, Level.CONSISTENT, "Not proven: no endpoint has shown"),
        (HeadCheck(CLOSE, HEAD, HEAD, None, True), AFTER, Level.CONSISTENT, "the proof of block 4 is no longer kept"),
    ],
)  # fmt: skip
def test_judge__after_each_kind_of_check__names_the_level_and_why(
    check: HeadCheck | None, at: Block, level: Level, words: str
) -> None:
    verdict = judge(replace(ELECTION, head_check=check), at)
    assert verdict.level is level
    shown = f"{verdict.level_text} {verdict.next_level_text} {verdict.alarm}"
    assert words in shown
    assert "secret" not in shown
    assert "verified" not in shown.lower()
    assert (verdict.alarm is not None and verdict.alarm.kind is AlarmKind.MISMATCH) is (words == "MISMATCH")
    assert verdict.proven is None
    # A consistent result holds at the block of the check, any other at the last indexed one.
    assert verdict.block == (check.block if check is not None and level is Level.CONSISTENT else at)


@pytest.mark.parametrize("check", [None, HeadCheck(OPENING, HEAD, HEAD), HeadCheck(OPENING, HEAD, OTHER)])
def test_judge__invalid__claims_nothing_about_its_ballots(check: HeadCheck | None) -> None:
    verdict = judge(replace(ELECTION, invalid_reason="no contests", head_check=check), AFTER)
    assert (verdict.level, verdict.block, verdict.alarm) == (Level.INDEXED, AFTER, None)
    assert "nothing was compared with the chain" in str(verdict.next_level_text)


A, B, C = (name(CLOSE, operator) for operator in "abc")
FINAL_A, FINAL_B = (name(CLOSE, operator, final=True) for operator in "ab")


@pytest.mark.parametrize(
    ("namings", "needed", "level", "words"),
    [
        ((), 2, Level.PROVEN, "nobody has named the hash of block 4 yet, and 2 different operators must"),
        ((A,), 2, Level.PROVEN, "a alone names the hash of block 4, and 2 different operators must"),
        ((A, B), 3, Level.PROVEN, "a and b alone name the hash"),
        ((name(LAST, "a"), name(LAST, "b")), 2, Level.PROVEN, "nobody has named"),
        ((A, B), 2, Level.WITNESSED, "Not final: a and b do not call block 4 finalized yet."),
        ((A, B, C), 2, Level.WITNESSED, "which a, b and c name."),
        ((FINAL_A, B), 2, Level.WITNESSED, "Not final: b does not call block 4 finalized yet."),
        ((FINAL_A, FINAL_B), 2, Level.FINAL, "which a and b name and call finalized."),
        ((FINAL_A, FINAL_B, C), 2, Level.FINAL, "which a, b and c name"),
        ((A,), 1, Level.WITNESSED, "which a alone names."),
        ((FINAL_A,), 1, Level.FINAL, "which a alone names and calls finalized."),
        ((A, name(CLOSE, "b", other=True)), 2, Level.PROVEN, "operators name different hashes for block 4"),
        ((FINAL_A, FINAL_B, name(CLOSE, "c", other=True)), 2, Level.PROVEN, "operators name different hashes"),
    ],
)
def test_judge__proven__is_raised_by_operators_and_stopped_by_any_contradiction(
    namings: tuple[Naming, ...], needed: int, level: Level, words: str
) -> None:
    proofs = Proofs((mark(CLOSE),), namings, needed=needed)
    verdict = judge(ELECTION, AFTER, proofs)
    shown = f"{verdict.level_text} {verdict.next_level_text}"
    assert (verdict.level, verdict.block, verdict.state) == (level, CLOSE, State.COMPLETE)
    assert words in shown
    assert ("verified" in shown.lower()) is (level in (Level.WITNESSED, Level.FINAL))
    assert (verdict.next_level_text is None) is (level is Level.FINAL)
    contradicted = any(not naming.agrees for naming in namings)
    assert (verdict.alarm is not None and verdict.alarm.kind is AlarmKind.DISAGREEMENT) is contradicted


@pytest.mark.parametrize(
    ("marks", "at", "found"),
    [
        ((mark(LAST), mark(OPENING)), LAST, LAST),
        # Of another head, or from before the close: neither shows the result.
        ((mark(AFTER, OTHER), mark(CLOSE)), AFTER, CLOSE),
        ((mark(LAST), mark(OPENING)), AFTER, None),
        ((mark(BEFORE),), OPENING, None),
    ],
)
def test_judge__several_proofs__takes_the_newest_of_its_own_head_and_phase(
    marks: tuple[ProofMark, ...], at: Block, found: Block | None
) -> None:
    verdict = judge(ELECTION, at, Proofs(marks))
    assert (None if verdict.proven is None else verdict.proven.mark.block) == found
    assert verdict.level is (Level.INDEXED if found is None else Level.PROVEN)


def test_judge__older_proof_better_named__is_taken_unless_the_newer_one_shows_the_lot() -> None:
    proofs = Proofs((mark(AFTER, has_lot=True), mark(CLOSE)), (A, B))
    assert judge(ELECTION, AFTER, proofs).block == CLOSE
    assert judge(ELECTION, AFTER, proofs, draws_lots=True).block == AFTER
    assert judge(ELECTION, AFTER, proofs, draws_lots=True).level is Level.PROVEN


@pytest.mark.parametrize(
    ("check", "is_alarm"),
    [
        (HeadCheck(CLOSE, HEAD, OTHER, None, True), False),
        (HeadCheck(AFTER, HEAD, OTHER, None, True), True),
        (HeadCheck(AFTER, HEAD, OTHER), True),
        (HeadCheck(AFTER, OTHER, HEAD, None, True), False),
    ],
)
def test_judge__contradicted_head__is_settled_by_a_later_proof_alone(check: HeadCheck, is_alarm: bool) -> None:
    verdict = judge(replace(ELECTION, head_check=check), AFTER, Proofs((mark(AFTER),), (name(AFTER, "a"),)))
    assert (verdict.alarm is not None) is is_alarm
    assert verdict.level is (Level.INDEXED if is_alarm else Level.PROVEN)


def test_judge__repaired__says_what_gave_way_to_what() -> None:
    repair = Repair(1, ELECTION.box, 1.0, BlockNumber(4), 2, 1, 3, 2, 4, "b.example")
    verdict = judge(ELECTION, AFTER, Proofs((mark(CLOSE),), repairs=(repair,)))
    (text,) = verdict.repaired
    assert "from batch 2 on" in text
    assert "1 batch of 3 records gave way to 2 batches of 4 records" in text
    assert "b.example" in text


def test_judge__partial_and_proven__says_that_no_later_ballot_is_known() -> None:
    verdict = judge(ELECTION, LAST, Proofs((mark(OPENING),)))
    assert (verdict.state, verdict.block) == (State.PARTIAL, OPENING)
    assert "Up to block 3 the logs hold no later ballot" in verdict.level_text


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
