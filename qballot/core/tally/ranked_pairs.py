"""Ranked pairs: defeats are locked from the strongest down, but for those that contradict what is locked already.

    1. Every two options are compared (`pairwise.py`), and each defeat has a strength (`strength.py`).
    2. The defeats are taken from the strongest down. A defeat of B by A is *locked*, unless a chain of locked defeats
       leads from B to A; then it is *skipped*.
    3. A is above B where a chain of locked defeats leads from A to B. The seats are filled by this order
       (`seats_by_order.py`): one seat goes to the option above all others; if there is none, those that no option is
       above tie for it.

Defeats of equal strength that contradict one another could be locked in several orders. Without a rule for that they
are left open, and everything is locked that is locked in every order (`locking.py`). If the seats are filled all the
same, the order does not matter and the count ends. Else the contest's tie rule is asked: by a lot, defeats of one
strength that would be open are taken in the lot's order of the options that win them, everything from the start. Where
the rule decides nothing, the options tie that may yet win a seat: those that fewer options than seats are above in
every order. Each option that wins in some order is among them; whether each of them does is not looked into, as that
would take exponentially many orders.

The totals are the numbers of options that each is above. They tell who wins where somebody does, not who ties.
Sources: T. N. Tideman, "Independence of clones as a criterion for voting rules", Social Choice and Welfare 4 (1987),
185-206, which measures defeats by margins; T. M. Zavist, T. N. Tideman, "Complete independence of clones in the ranked
pairs rule", Social Choice and Welfare 6 (1989), 167-173, for an order of the options that settles equal defeats; M.
Brill, F. Fischer, "The price of neutrality for the ranked pairs method", AAAI (2012), for what all orders would take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.equal_ranks import explain_unranked_below, find_rank_fault
from qballot.core.tally.locking import Locking, Pair, PairFate, Step, list_pairs, lock_pairs
from qballot.core.tally.outcome import LogEntry, Outcome, format_total, list_in_words
from qballot.core.tally.pairwise import Pairwise, sum_pairs
from qballot.core.tally.ranks import MAX_RANKS
from qballot.core.tally.rules import MAX_SEATS, MethodRules
from qballot.core.tally.seats_by_order import Order, elect_by_order, split_by_order
from qballot.core.tally.strength import STRENGTH, measure_defeats
from qballot.core.tally.ties import Fate, Ties
from qballot.core.tally.words import RANK


def count_ranked_pairs(contest: Contest, pairwise: Pairwise, ties: Ties) -> Outcome:
    """Elect by the locked pairs."""
    pairs = list_pairs(measure_defeats(contest, pairwise))
    locking, broken = lock_pairs(len(contest.options), pairs), list[LogEntry]()
    order = Order(locking.below, "by the locked pairs")
    is_tied = bool(split_by_order(order, contest.seats)[1])
    if locking.has_open and is_tied:
        chooser = _Chooser(contest, ties)
        chosen = lock_pairs(len(contest.options), pairs, chooser.choose)
        if not chosen.has_open:
            locking, broken, order = chosen, chooser.log, Order(chosen.below, order.by)
    log = [*pairwise.log(contest), *broken, *(_log_step(contest, pairwise, step) for step in locking.steps)]
    if locking.has_open:
        log.append(_log_open(contest, locking, is_tied))
    log.append(order.log(contest))
    return elect_by_order(contest, order, order.count_below(), ties, log)


@dataclass(slots=True)
class _Chooser:
    """Asks the contest's tie rule which of equally strong defeats go first. log: what it said."""

    contest: Contest
    ties: Ties
    log: list[LogEntry] = field(default_factory=list)

    def choose(self, pairs: Sequence[Pair]) -> Sequence[int] | None:
        """Order the winners of pairs by the tie rule; None where it decides nothing."""
        winners = sorted({pair.winner for pair in pairs})
        listed = _list_pairs(self.contest, pairs)
        what = f"{listed} are defeats of the same strength, {pairs[0].strength}, and contradict one another"
        decision = self.ties.take(winners, what, Fate.GOES_FIRST, len(winners) - 1)
        if not decision.taken:
            return None
        self.log += decision.log
        return [*decision.taken, *(option for option in winners if option not in decision.taken)]


def _log_step(contest: Contest, pairwise: Pairwise, step: Step) -> LogEntry:
    winner, loser = step.pair.winner, step.pair.loser
    votes, against = pairwise.votes[winner][loser], pairwise.votes[loser][winner]
    data: dict[str, JsonTree] = {
        "winner": contest.options[winner].id,
        "loser": contest.options[loser].id,
        "strength": format_total(step.pair.strength),
        "votes": format_total(votes),
        "against": format_total(against),
        "fate": step.fate.value,
    }
    why = ""
    if step.through is not None:
        data["through"] = contest.options[step.through].id
        why = f", since {contest.options[loser].title} is above {contest.options[winner].title} already"
        why += "" if step.through == loser else f" through {contest.options[step.through].title}"
    text = f"{_name_pair(contest, step.pair)}, {votes} to {against}: {step.fate.value}{why}."
    return LogEntry("pair", text, data)


def _log_open(contest: Contest, locking: Locking, is_tied: bool) -> LogEntry:
    pairs = [step.pair for step in locking.steps if step.fate is PairFate.OPEN]
    effect = "may decide who wins" if is_tied else "does not change who wins"
    text = f"Whether {_list_pairs(contest, pairs)} are locked depends on the order of equal defeats, which {effect}."
    listed: list[JsonTree] = [
        {"winner": contest.options[pair.winner].id, "loser": contest.options[pair.loser].id} for pair in pairs
    ]
    return LogEntry("open_pairs", text, {"pairs": listed})


def _list_pairs(contest: Contest, pairs: Sequence[Pair]) -> str:
    return list_in_words([_name_pair(contest, pair) for pair in pairs])


def _name_pair(contest: Contest, pair: Pair) -> str:
    return f"{contest.options[pair.winner].title} over {contest.options[pair.loser].title}"


RULES = MethodRules(
    min_options=2,
    max_seats=MAX_SEATS,
    limits=(MAX_RANKS,),
    variants=(STRENGTH,),
    words=RANK,
    explain_marks=explain_unranked_below,
    counting=(
        "Every two options are compared by how many rank the one above the other. These results are locked from the "
        "strongest down, but for those that contradict what is locked already; the option above all others wins."
    ),
    blank_mark=0,
    find_fault=find_rank_fault,
    open=sum_pairs(count_ranked_pairs),
    totals_are_votes=False,
)
