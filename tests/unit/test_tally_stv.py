"""Single transferable vote: against a count ballot by ballot, published examples, ties, and arithmetic at its ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qballot.core.election import Contest, Method, Option, TieRule
from qballot.core.tally import stv, stv_count
from qballot.core.tally.lot import draw_order
from qballot.core.tally.outcome import LogEntry, Outcome, TiedFor, Total
from qballot.core.tally.rules import count_ballots
from qballot.core.tally.stv import RULES, find_variants_fault
from qballot.core.tally.ties import Decision, Fate, Ties
from qballot.core.types import Hash32

pytestmark = pytest.mark.unit

MIX = Hash32(bytes(range(32)))
SCOTTISH = {"rules": "scottish", "quota": "droop"}
EXACT = {"rules": "weighted-inclusive-gregory", "quota": "droop"}
EXACT_HARE = {"rules": "weighted-inclusive-gregory", "quota": "hare"}

Ballots = list[tuple[tuple[int, ...], int]]


def _contest(options: int, seats: int, variants: dict[str, str], tie: TieRule) -> Contest:
    titles = tuple(Option(chr(97 + index), chr(65 + index)) for index in range(options))
    limits = {"max_ranks": options}
    return Contest("c", "C", "", Method.STV, titles, seats=seats, tie=tie, limits=limits, variants=variants)


def _count(
    options: int,
    seats: int,
    ballots: Ballots,
    variants: dict[str, str] = SCOTTISH,
    *,
    tie: TieRule = TieRule.REPORT,
    lot: Hash32 | None = None,
) -> Outcome:
    contest = _contest(options, seats, variants, tie)
    return _count_by(contest, ballots, Ties(contest, lot))


def _count_by(contest: Contest, ballots: Ballots, ties: Ties) -> Outcome:
    options = range(len(contest.options))
    marked = [
        (tuple(order.index(option) + 1 if option in order else 0 for option in options), weight)
        for order, weight in ballots
    ]
    return count_ballots(RULES, contest, marked, ties)


def _entries(outcome: Outcome, kind: str) -> list[LogEntry]:
    return [entry for entry in outcome.log if entry.kind == kind]


class _Ballot:
    def __init__(self, order: tuple[int, ...]) -> None:
        self.order = order
        self.value = Fraction(1)
        self.holder: int | None = order[0]

    def pass_on(self, continuing: set[int]) -> None:
        self.holder = next((option for option in self.order if option in continuing), None)


def _count_ballot_by_ballot(
    contest: Contest, ballots: Ballots, places: int | None, quota: Fraction
) -> tuple[set[int], dict[int, Fraction]]:
    """Every single vote is a paper of its own; ties go to the earlier stages and then to the lot."""
    papers = [_Ballot(order) for order, weight in ballots for _ in range(weight)]
    favour = draw_order(contest, MIX)
    continuing = set(range(len(contest.options)))
    elected: list[int] = []
    waiting: list[int] = []
    fixed: dict[int, Fraction] = {}
    history: list[dict[int, Fraction]] = []
    last: dict[int, Fraction] = {}

    def choose(tied: list[int], highest: bool) -> int:
        sign = 1 if highest else -1
        for stage in reversed(history[:-1]):
            best = max(sign * stage[option] for option in tied)
            tied = [option for option in tied if sign * stage[option] == best]
            if len(tied) == 1:
                return tied[0]
        ordered = sorted(tied, key=favour.index)
        return ordered[0] if highest else ordered[-1]

    while True:
        votes = {option: Fraction(0) for option in continuing | set(elected)}
        for paper in papers:
            if paper.holder is not None and paper.holder not in fixed:
                votes[paper.holder] += paper.value
        votes |= fixed
        last |= votes
        history.append(votes)
        reached = [option for option in continuing if votes[option] >= quota and votes[option] > 0]
        elected += reached
        waiting += reached
        continuing -= set(reached)
        if len(elected) == contest.seats:
            return set(elected), last
        if len(continuing) == contest.seats - len(elected):
            return set(elected) | continuing, last
        waiting = [option for option in waiting if votes[option] > quota]
        if waiting:
            most = max(votes[option] for option in waiting)
            source = choose([option for option in waiting if votes[option] == most], True)
            waiting.remove(source)
            fixed[source] = quota
            for paper in papers:
                if paper.holder == source:
                    value = (votes[source] - quota) * paper.value / votes[source]
                    paper.value = value if places is None else Fraction(int(value * 10**places), 10**places)
                    paper.pass_on(continuing)
        else:
            fewest = min(votes[option] for option in continuing)
            source = choose([option for option in continuing if votes[option] == fewest], False)
            continuing.discard(source)
            if len(continuing) == contest.seats - len(elected):
                return set(elected) | continuing, last
            for paper in papers:
                if paper.holder == source:
                    paper.pass_on(continuing)


_orders = st.permutations(range(5)).flatmap(lambda order: st.integers(1, 5).map(lambda depth: tuple(order[:depth])))
_ballots = st.lists(st.tuples(_orders, st.integers(0, 7)), min_size=1, max_size=12)


@given(_ballots, st.integers(1, 4), st.sampled_from([SCOTTISH, EXACT, EXACT_HARE]))
def test_stv__any_ballots__equals_a_count_ballot_by_ballot(
    ballots: Ballots, seats: int, variants: dict[str, str]
) -> None:
    rule = TieRule.PREVIOUS_ROUNDS_THEN_LOT
    outcome = _count(5, seats, ballots, variants, tie=rule, lot=MIX)
    cast = sum(weight for _, weight in ballots)
    quota = Fraction(cast, seats) if variants is EXACT_HARE else Fraction(cast // (seats + 1) + 1)
    places = 5 if variants is SCOTTISH else None
    winners, totals = _count_ballot_by_ballot(_contest(5, seats, variants, rule), ballots, places, quota)
    assert set(outcome.winners) == winners
    assert dict(enumerate(outcome.totals)) == totals
    assert (outcome.tied, outcome.tied_for, outcome.waits_for_lot) == ((), None, False)


EITHER_SURPLUS_FIRST: Ballots = [((0,), 9), ((0, 2, 4), 7), ((1,), 2), ((2,), 2), ((3,), 4), ((3, 2), 12)]
"""A and D have a surplus of 8 each. C reaches the quota by D's alone, and then B or E has the last seat."""


@given(_ballots, st.integers(1, 4), st.sampled_from([SCOTTISH, EXACT]))
@example(EITHER_SURPLUS_FIRST, 4, SCOTTISH)
def test_stv__tie_that_is_no_matter__has_the_winners_of_any_lot(
    ballots: Ballots, seats: int, variants: dict[str, str]
) -> None:
    outcome = _count(5, seats, ballots, variants)
    lots = [_count(5, seats, ballots, variants, tie=TieRule.LOT, lot=Hash32(bytes([byte]) * 32)) for byte in range(6)]
    if not outcome.tied:
        assert {lot.winners for lot in lots} == {outcome.winners}
        assert len(outcome.winners) == seats
    for lot in lots:
        assert set(lot.winners) >= set(outcome.winners)
        if outcome.tied_for is TiedFor.SEAT:
            assert set(lot.winners) <= {*outcome.winners, *outcome.tied}
            assert len(outcome.winners) < seats < len(outcome.winners) + len(outcome.tied)


class _Choices(Ties):
    """Ties that are broken as a test chooses. asked: between how many, tie by tie."""

    def __init__(self, contest: Contest, chosen: Sequence[int]) -> None:
        super().__init__(contest)
        self._chosen = chosen
        self.asked: list[int] = []

    def take(
        self,
        tied: Iterable[int],
        what: str,
        fate: Fate,
        number: int = 1,
        rounds: Sequence[Mapping[int, Total]] = (),
    ) -> Decision:
        left = sorted(tied)
        self.asked.append(len(left))
        return Decision((left[self._chosen[len(self.asked) - 1] if len(self.asked) <= len(self._chosen) else 0],))


def _winners_of_every_order(contest: Contest, ballots: Ballots) -> set[frozenset[int]]:
    """The count without any short cut: every choice is made at every tie."""
    found: set[frozenset[int]] = set()
    todo: list[list[int]] = [[]]
    while todo:
        chosen = todo.pop()
        ties = _Choices(contest, chosen)
        found.add(frozenset(_count_by(contest, ballots, ties).winners))
        for place in range(len(chosen), len(ties.asked)):
            made = chosen + [0] * (place - len(chosen))
            todo += [[*made, other] for other in range(1, ties.asked[place])]
    return found


@st.composite
def _equal_surpluses(draw: st.DrawFn) -> Ballots:
    """Ballots of which some options have equally many, more than a quota."""
    ballots, most = draw(_ballots), draw(st.integers(6, 24))
    for option in range(draw(st.integers(2, 3))):
        missing = most - sum(weight for order, weight in ballots if order[0] == option)
        for rest in draw(st.lists(_orders, max_size=2)):
            weight = draw(st.integers(0, max(missing, 0)))
            ballots.append(((option, *(other for other in rest if other != option)), weight))
            missing -= weight
        ballots.append(((option,), max(missing, 0)))
    return ballots


@given(_ballots | _equal_surpluses(), st.integers(1, 4), st.sampled_from([SCOTTISH, EXACT, EXACT_HARE]))
@example(EITHER_SURPLUS_FIRST, 4, SCOTTISH)
def test_stv__any_winner__wins_in_every_order(ballots: Ballots, seats: int, variants: dict[str, str]) -> None:
    outcome = _count(5, seats, ballots, variants)
    if any(entry.kind == "tie_without_effect" for entry in outcome.log) or outcome.tied:
        possible = _winners_of_every_order(_contest(5, seats, variants, TieRule.LOT), ballots)
        assert all(winners >= {*outcome.winners} for winners in possible)
        if not outcome.tied:
            assert possible == {frozenset(outcome.winners)}
        if outcome.tied_for is TiedFor.SEAT:
            assert frozenset().union(*possible) == {*outcome.winners, *outcome.tied}


@given(_ballots | _equal_surpluses(), st.integers(1, 4), st.sampled_from([SCOTTISH, EXACT]), st.permutations(range(5)))
def test_stv__options_in_another_order__same_result(
    ballots: Ballots, seats: int, variants: dict[str, str], places: list[int]
) -> None:
    moved = [(tuple(places[option] for option in order), weight) for order, weight in ballots]
    for rule in (TieRule.REPORT, TieRule.PREVIOUS_ROUNDS):
        before, after = (_count(5, seats, one, variants, tie=rule) for one in (ballots, moved))
        assert {places[option] for option in before.winners} == {*after.winners}
        assert {places[option] for option in before.tied} == {*after.tied}
        assert [before.totals[option] for option in range(5)] == [after.totals[places[option]] for option in range(5)]


@given(_ballots, st.integers(1, 4), st.sampled_from([SCOTTISH, EXACT, EXACT_HARE]))
def test_stv__every_stage__loses_no_vote(ballots: Ballots, seats: int, variants: dict[str, str]) -> None:
    outcome = _count(5, seats, ballots, variants, tie=TieRule.LOT, lot=MIX)
    cast = sum(weight for _, weight in ballots)
    lost = Fraction(0)
    for entry in _entries(outcome, "stage"):
        data = entry.to_json()
        votes = data["votes"]
        assert isinstance(votes, dict)
        stuck = Fraction(str(data["not_transferable"]))
        assert sum(Fraction(str(number)) for number in votes.values()) + stuck == cast
        assert stuck >= lost
        lost = stuck


FOOD: Ballots = [((0,), 4), ((1, 0), 2), ((2, 3), 8), ((2, 4), 4), ((3,), 1), ((4,), 1)]
"""Oranges, pears, chocolate, strawberries, sweets: the example of Wikipedia, "Single transferable vote"."""


@pytest.mark.parametrize("variants", [SCOTTISH, EXACT])
def test_stv__food_election__gives_the_published_rounds(variants: dict[str, str]) -> None:
    outcome = _count(5, 3, FOOD, variants)
    assert outcome.winners == (0, 2, 3)
    assert [entry.to_json()["votes"] for entry in _entries(outcome, "stage")] == [
        {"a": "4", "b": "2", "c": "12", "d": "1", "e": "1"},
        {"a": "4", "b": "2", "c": "6", "d": "5", "e": "3"},
        {"a": "6", "c": "6", "d": "5", "e": "3"},
    ]


COMMITTEE: Ballots = [((0, 1, 2, 3), 16), ((0, 2, 1, 3), 24), ((3, 0, 1, 2), 17)]
"""Andrea, Brad, Carter, Delilah: the example of Wikipedia, "Counting single transferable votes"."""


@pytest.mark.parametrize(("variants", "winners"), [(SCOTTISH, (0, 2)), (EXACT, (0, 2)), (EXACT_HARE, (0, 3))])
def test_stv__committee__is_elected_as_published(variants: dict[str, str], winners: tuple[int, ...]) -> None:
    assert _count(4, 2, COMMITTEE, variants).winners == winners


def test_stv__scottish_values__are_cut_at_five_places() -> None:
    outcome = _count(4, 2, [((0, 1), 7), ((0, 2), 4), ((1,), 1), ((2,), 2), ((3,), 3)])
    (surplus,) = _entries(outcome, "surplus")
    assert surplus.text == (
        "The surplus of A, 5, passes on at the value 0.45454. "
        "Votes pass to B 3.18178, C 1.81816; not transferable 0.00006."
    )
    assert surplus.to_json()["values"] == {"1": "22727/50000"}
    assert surplus.to_json()["transfers"] == {
        "b": {"votes": "159089/50000", "ballots": {"1": "7"}},
        "c": {"votes": "22727/12500", "ballots": {"1": "4"}},
    }
    exact = _count(4, 2, [((0, 1), 7), ((0, 2), 4), ((1,), 1), ((2,), 2), ((3,), 3)], EXACT)
    assert _entries(exact, "surplus")[0].to_json()["values"] == {"1": "5/11"}


def test_stv__last_seat__is_filled_without_a_transfer() -> None:
    outcome = _count(3, 1, [((0,), 4), ((1,), 3), ((2, 1), 2)])
    assert [entry.kind for entry in outcome.log] == ["quota", "stage", "exclusion", "stage", "elected", "outcome"]
    two = _count(3, 2, [((0,), 4), ((1,), 4), ((2, 1), 2)])
    assert two.log[-1].text == "A and B are elected."
    few = _count(3, 2, [((0,), 3), ((1,), 3), ((2, 1), 2)], EXACT_HARE)
    assert few.log[-3].text == "C is excluded, with 2. The last seats can be filled, so that no votes pass on."


def test_stv__tie_for_elimination__stops_with_who_is_elected() -> None:
    outcome = _count(4, 2, [((0,), 6), ((1,), 3), ((2, 3), 2), ((3, 2), 2)])
    assert (outcome.winners, outcome.tied, outcome.tied_for) == ((0,), (2, 3), TiedFor.ELIMINATION)
    assert outcome.log[-1].text == "A is elected. C and D tie for elimination: undecided."
    assert _entries(outcome, "tie_for_elimination")[0].to_json()["leading"] == ["a", "b"]


def test_stv__tie_for_elimination__waits_for_the_lot_and_goes_by_it() -> None:
    ballots: Ballots = [((0,), 6), ((1,), 3), ((2, 3), 2), ((3, 2), 2)]
    waiting = _count(4, 2, ballots, tie=TieRule.LOT)
    assert (waiting.tied, waiting.waits_for_lot) == ((2, 3), True)
    assert waiting.log[-1].text == "A is elected. C and D tie for elimination: waiting for the lot."
    drawn = _count(4, 2, ballots, tie=TieRule.LOT, lot=MIX)
    favour = draw_order(_contest(4, 2, SCOTTISH, TieRule.LOT), MIX)
    first = 2 if favour.index(2) < favour.index(3) else 3
    assert drawn.winners == (0, first)
    assert drawn.log[-2].kind == "elected"


def test_stv__equal_options_for_the_last_seat__tie_for_it() -> None:
    outcome = _count(4, 3, [((0,), 6), ((1,), 3), ((2,), 2), ((3,), 2)])
    assert (outcome.winners, outcome.tied, outcome.tied_for) == ((0, 1), (2, 3), TiedFor.SEAT)
    assert outcome.log[-1].text == "A and B are elected. C and D tie for the last seat: undecided."


def test_stv__equal_options_without_votes__go_out_at_once() -> None:
    outcome = _count(5, 2, [((0,), 4), ((1,), 3), ((2, 0), 3)])
    (free,) = _entries(outcome, "tie_without_effect")
    why = "They go out at once, as their order does not matter."
    assert free.text == f"Stage 1: D and E tie for the fewest votes, 0 each. {why}"
    assert free.to_json()["options"] == ["d", "e"]


def test_stv__equal_surpluses__pass_in_turn_or_stop() -> None:
    free = _count(5, 3, [((0, 2), 5), ((1, 3), 5), ((2,), 1), ((3,), 1), ((4,), 3)])
    assert _entries(free, "tie_without_effect")[0].text.endswith(
        "They pass on in turn, as their order does not matter."
    )
    stopped = _count(4, 3, [((0, 2, 3), 10), ((1, 2, 3), 10), ((2,), 3)])
    assert (stopped.winners, stopped.tied, stopped.tied_for) == ((0, 1), (0, 1), TiedFor.TRANSFER)
    assert stopped.log[-1].text == "A and B are elected. A and B tie for the order of transfers: undecided."
    drawn = _count(4, 3, [((0, 2, 3), 10), ((1, 2, 3), 10), ((2,), 3)], tie=TieRule.LOT, lot=MIX)
    assert drawn.winners == (0, 1, 2)


def test_stv__equal_surpluses_of_which_one_elects__stop_in_any_order_of_the_options() -> None:
    outcome = _count(5, 4, EITHER_SURPLUS_FIRST)
    assert (outcome.winners, outcome.tied, outcome.tied_for) == ((0, 3), (0, 3), TiedFor.TRANSFER)
    moved = _count(5, 4, [(tuple(4 - option for option in order), weight) for order, weight in EITHER_SURPLUS_FIRST])
    assert (moved.winners, moved.tied, moved.tied_for) == ((1, 4), (1, 4), TiedFor.TRANSFER)


def _three_surpluses(*to_d: int) -> Ballots:
    """A, B and C have a surplus of 3 each, of which a twelfth part of D's ballots goes to D, who has 5 and needs 9."""
    passing: Ballots = [((option, 3), weight) for option, weight in enumerate(to_d)]
    return [*passing, *(((option,), 12 - weight) for option, weight in enumerate(to_d)), ((3,), 5), ((4,), 2)]


def test_stv__three_equal_surpluses__pass_in_turn_if_no_two_of_them_elect() -> None:
    free = _count(5, 4, _three_surpluses(4, 8, 4))
    kinds = [entry.kind for entry in free.log]
    assert kinds[3:9] == ["tie_without_effect", "surplus", "stage", "surplus", "stage", "surplus"]
    assert free.winners == (0, 1, 2, 3)
    assert _count(5, 4, _three_surpluses(0, 8, 8)).tied_for is TiedFor.TRANSFER
    assert _count(5, 4, _three_surpluses(8, 8, 0)).tied_for is TiedFor.TRANSFER


def test_stv__stages_between_equal_surpluses__decide_no_later_tie() -> None:
    ballots: Ballots = [((0, 2), 4), ((0,), 4), ((1, 3), 4), ((1,), 4), ((2,), 1), ((3,), 1), ((4,), 3)]
    outcome = _count(5, 3, ballots, tie=TieRule.PREVIOUS_ROUNDS)
    assert [entry.to_json()["votes"] for entry in _entries(outcome, "stage")][1:] == [
        {"a": "6", "b": "8", "c": "2", "d": "1", "e": "3"},
        {"a": "6", "b": "6", "c": "2", "d": "2", "e": "3"},
    ]
    assert (outcome.winners, outcome.tied, outcome.tied_for) == ((0, 1), (2, 3), TiedFor.ELIMINATION)


def test_stv__earlier_stages__tell_equal_options_apart() -> None:
    ballots: Ballots = [((0,), 11), ((1,), 6), ((3,), 5), ((2, 1), 4), ((4, 2), 1)]
    outcome = _count(5, 1, ballots, tie=TieRule.PREVIOUS_ROUNDS)
    (broken,) = _entries(outcome, "tie_broken")
    assert broken.text == (
        "Stage 2: C and D tie for the fewest votes, 5 each. "
        "Earlier rounds decide: in round 1 C had the fewest, 4; C goes out."
    )
    assert outcome.winners == (0,)
    assert _count(5, 1, ballots).tied == (2, 3)


def test_stv__denominators_beyond_the_limit__are_counted_anew_in_decimals(monkeypatch: pytest.MonkeyPatch) -> None:
    ballots: Ballots = [((0, 1), 7), ((0, 2), 4), ((1,), 1), ((2,), 2), ((3,), 3)]
    monkeypatch.setattr(stv_count, "MAX_DENOMINATOR_BITS", 3)
    values = _entries(_count(4, 2, ballots, EXACT), "surplus")[0].to_json()["values"]
    assert values == {"1": str(Fraction(10**30 * 5 // 11, 10**30))}


def test_stv__order_of_a_group_that_decides_how_exact_the_count_is__stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """E's ballots have the value 1/2, F's 1/3; only if E goes out before F, a common denominator is 6."""
    ballots: Ballots = [
        ((0, 4, 5), 2),
        ((0, 3), 4),
        ((0,), 42),
        ((1, 5), 3),
        ((1,), 33),
        ((2,), 5),
        ((3,), 4),
    ]
    assert _count(6, 3, ballots, EXACT).winners == (0, 1, 3)
    monkeypatch.setattr(stv_count, "MAX_DENOMINATOR_BITS", 2)
    monkeypatch.setattr(stv, "MANY_PLACES", 0)
    contest = _contest(6, 3, EXACT, TieRule.LOT)
    assert _winners_of_every_order(contest, ballots) == {frozenset({0, 1, 3}), frozenset({0, 1, 2})}
    outcome = _count(6, 3, ballots, EXACT)
    assert (outcome.winners, outcome.tied, outcome.tied_for) == ((0, 1), (4, 5), TiedFor.ELIMINATION)


def test_stv__many_seats_and_great_weights__end_soon() -> None:
    orders = [tuple((start + step * k) % 40 for k in range(40)) for start in range(40) for step in (1, 3, 7, 9)]
    ballots = [(order, 2**96 - 1 - 7919 * index) for index, order in enumerate(orders)]
    outcome = _count(40, 25, ballots, EXACT, tie=TieRule.LOT, lot=MIX)
    assert len(outcome.winners) == 25
    assert all(entry.text and len(entry.text) < 5_000 for entry in outcome.log)


@pytest.mark.parametrize("seats", [1, 3])
@pytest.mark.parametrize("variants", [SCOTTISH, EXACT, EXACT_HARE])
def test_stv__ballots_without_weight__never_raise(seats: int, variants: dict[str, str]) -> None:
    outcome = _count(5, seats, [((option,), 0) for option in range(5)], variants)
    assert outcome.totals == (0,) * 5
    assert outcome.winners == ()


def test_variants__scottish_with_hare__is_refused() -> None:
    assert find_variants_fault({"rules": "scottish", "quota": "hare"}) == (
        "quota",
        "is hare, expected droop, the quota of the scottish rules",
    )
    assert find_variants_fault(EXACT_HARE) is None
