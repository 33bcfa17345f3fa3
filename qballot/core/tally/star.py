"""STAR, score then automatic runoff: of the two options with the most points the one that more score higher wins.

    1. An option's points are the sum of its scores times weights; no answer (-128) is a score of 0.
    2. Scoring round: the two options with the most points go to the runoff. Options whose equal points stand across
       the last place tie for the places left, and are narrowed down step by step, until they are filled:
         a. Match-ups: of two options the one loses that is scored lower by more votes than the other is. If some of
            the tied lose more match-ups among the tied than others do, those with the most stay behind the others.
         b. Else top scores: the options with the most of the highest score of the scale advance if there are places
            for all of them; if not, those with the fewest stay out.
         c. Else the contest's tie rule is asked for one of them, who advances.
    3. Runoff: the finalist that more votes score higher wins; if as many, the one with more points; if equal, the one
       with more top scores; else the contest's tie rule is asked.
    4. A tie for the runoff that stands is looked through: each of the tied may advance. Who wins in every case wins;
       else all who win in some case tie.
    5. Bloc STAR: with several seats all of this is done for each seat anew among the options without one.

A tie that stands before the last seat stops the count (`next_seat`), unless it does not matter: the tied are no more
than the seats left and than six, and whoever of them is elected first, the next seats go to the others for certain.

Sources: Equal Vote Coalition, "STAR Voting: technical specifications" (starvoting.org/technical_specifications); "How
are ties in STAR Voting broken?" (starvoting.org/ties), the official tiebreaker protocol, whose step 4, a draw, is the
contest's tie rule here; "Bloc STAR Voting" (starvoting.org/multi_winner).
"""

from __future__ import annotations

from collections.abc import Sequence

from qballot.core.ballot import NO_ANSWER
from qballot.core.election import Contest
from qballot.core.tally.greatest import log_totals
from qballot.core.tally.outcome import LogEntry, Outcome, TiedFor, log_outcome, name_options
from qballot.core.tally.rules import MAX_SEATS, MethodRules
from qballot.core.tally.score import MAX_SCORE, MIN_SCORE, find_fault, find_limits_fault
from qballot.core.tally.star_seat import Filled, SeatCount
from qballot.core.tally.star_votes import StarVotes, log_step, sum_scores
from qballot.core.tally.ties import Ties
from qballot.core.tally.words import SCORE

MAX_TIED_IN_ANY_ORDER = 6
"""Most options of whom it is tried whether they are elected in whichever order."""


def count_star(contest: Contest, votes: StarVotes, ties: Ties) -> Outcome:
    """Fill one seat after another."""
    log: list[LogEntry] = [log_totals(contest, votes.points, "points")]
    standing, winners = set(range(len(contest.options))), list[int]()
    while len(winners) < contest.seats:
        left = contest.seats - len(winners)
        if len(standing) == left:
            winners += standing
            break
        filled = SeatCount(contest, votes, ties, len(winners) + 1).fill(standing)
        log += filled.log
        elected = filled.possible
        if len(elected) > 1:
            if left == 1 or not _fill_in_any_order(contest, votes, frozenset(standing), frozenset(elected), left):
                return _end_tied(contest, votes, sorted(winners), filled, log)
            text = f"{filled.tie}. {name_options(contest, elected)} are elected to the next seats in any order."
            log.append(log_step(contest, "tie_without_effect", text, len(winners) + 1, elected))
        winners += elected
        standing -= {*elected}
    winners.sort()
    text = f"{name_options(contest, winners)} {'wins' if len(winners) == 1 else 'win'}."
    log.append(log_outcome(contest, text, winners=winners))
    return Outcome(tuple(winners), (), votes.points, tuple(log))


def _fill_in_any_order(
    contest: Contest, votes: StarVotes, standing: frozenset[int], group: frozenset[int], seats: int
) -> bool:
    """Say whether the next seats go to exactly a group, whichever of its ties are broken how. seats: those left."""
    if len(group) > min(seats, MAX_TIED_IN_ANY_ORDER):
        return False
    # Without a lot, so that every tie stays open.
    count = SeatCount(contest, votes, Ties(contest), 1)
    tried: set[frozenset[int]] = set()
    todo = [group]
    while todo:
        rest = todo.pop()
        if not rest or rest in tried:
            continue
        tried.add(rest)
        possible = count.fill(standing - (group - rest)).possible
        if not rest.issuperset(possible):
            return False
        todo += [rest - {option} for option in possible]
    return True


def _end_tied(
    contest: Contest, votes: StarVotes, winners: Sequence[int], filled: Filled, log: list[LogEntry]
) -> Outcome:
    left = contest.seats - len(winners)
    tied_for = TiedFor.SEAT if left == 1 else TiedFor.NEXT_SEAT
    said = f"{name_options(contest, winners)} {'wins' if len(winners) == 1 else 'win'}. " if winners else ""
    said += filled.tie
    names = name_options(contest, filled.possible)
    if not filled.tie.startswith(f"{names} tie"):
        said += f", so that any of {names} may {'win' if contest.seats == 1 else 'be elected next'}"
    missing = "no winner" if contest.seats == 1 else "the seats left are not filled"
    text = f"{said}: {'waiting for the lot' if filled.waits else missing}."
    ending = log_outcome(
        contest, text, winners=winners, tied=filled.possible, tied_for=tied_for, waits_for_lot=filled.waits
    )
    return Outcome(tuple(winners), filled.possible, votes.points, (*log, ending), tied_for, filled.waits)


def explain_marks(contest: Contest) -> str:
    """Tell the scale."""
    lowest, highest = contest.limits[MIN_SCORE.name], contest.limits[MAX_SCORE.name]
    return (
        f"Score each option from {lowest} to {highest}; the higher, the better, and equal scores are allowed. "
        f"No answer ({NO_ANSWER} in the ballot's bytes) counts as 0."
    )


RULES = MethodRules(
    min_options=2,
    max_seats=MAX_SEATS,
    limits=(MIN_SCORE, MAX_SCORE),
    words=SCORE,
    explain_marks=explain_marks,
    counting="Of the two options with the most points the one wins that more voters score higher than the other.",
    blank_mark=NO_ANSWER,
    find_fault=find_fault,
    open=sum_scores(count_star),
    totals_are_votes=False,
    find_limits_fault=find_limits_fault,
)
