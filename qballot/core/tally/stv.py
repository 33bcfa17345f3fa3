"""Single transferable vote: several seats in proportion to the voters' ranks.

A ballot ranks options as for an instant runoff (`ranks.py`), and counts for one option at a time. Who reaches a quota
of votes is elected; votes beyond the quota, the *surplus*, pass on at a reduced value; where nobody has a surplus, the
option with the fewest votes is excluded and its ballots pass on at the value that they have.

    stage 1   Every ballot counts one vote (its weight) for its first choice. The quota follows from their number V and
              the number of seats S: `droop`, the whole part of V / (S + 1), plus 1; or `hare`, V / S.
    after every stage
              1. Each continuing option with at least the quota, and more than no vote, is elected.
              2. With all seats filled the count ends. With as many continuing options as seats left these are elected
                 and the count ends: no votes are passed on for it.
              3. Else the greatest surplus passes on. Every ballot of the option passes to its first choice among the
                 continuing options at the *transfer value*
                     surplus x value of the ballot when the option received it / votes of the option
                 The option keeps the quota. A ballot without such a choice is not transferable.
              4. With no surplus left the option with the fewest votes is excluded. Every ballot of it passes to its
                 first choice among the continuing options, at the value that it was received at.
              Steps 3 and 4 make the next stage.

`rules` says how exact a transfer value is: `scottish`, cut to five decimal places; `weighted-inclusive-gregory`, exact.
An exact count in which a value, or the values of one option's ballots in common, have a denominator of 2**4096 or more,
as may be after seven surpluses, is done anew with values cut to thirty places. Votes are never rounded: they are sums
of weights times values.

Equal surpluses in step 3 and equal fewest votes in step 4 go by the contest's tie rule. Where it decides nothing:

  - Equal surpluses pass on in the definition's order, if nobody can reach the quota before the last of them passes,
    whichever that is. The votes in between hang on that order, so that no later tie goes by them.
  - Of the options from the bottom, the smallest group that holds all that tie and has fewer votes together than any
    other is excluded at once, in one stage, if enough options continue and none of them could reach the quota with all
    of the group's votes: then nobody is elected in between, and everything ends alike in whichever order they go. (In
    an exact count no denominator may become too long in any order either.)
  - Else the count stops. With one option more than seats left, the tied options tie for these seats among them, and
    the others are elected; else the result is that they tie for elimination, or for the order of transfers.

The totals are each option's votes at the end: the quota once a surplus has passed on, an excluded option's at last.

Sources. Scottish: The Scottish Local Government Elections Order 2007 (SSI 2007/42), schedule 1, rules 45 to 52; its
rule for ties is `previous-rounds-then-lot`. Weighted inclusive Gregory: Electoral Act 1907 (Western Australia),
schedule 1 as in force from 2008 to 2021, and J. Gilmour, "STV-PR: Weighted Inclusive Gregory Method Rules for Manual
Counting"; here without their rounding, and all ballots of an excluded option pass in one stage. Droop quota: H. R.
Droop, "On methods of electing representatives", Journal of the Statistical Society 44 (1881); Hare quota: T. Hare, "A
Treatise on the Election of Representatives" (1859).
"""

from __future__ import annotations

from collections.abc import Mapping

from qballot.core.election import Contest
from qballot.core.tally.outcome import Outcome
from qballot.core.tally.piles import Piles
from qballot.core.tally.ranks import MAX_RANKS, explain_ranks, find_order_fault
from qballot.core.tally.rules import MAX_SEATS, MethodRules, Variant
from qballot.core.tally.stv_count import StvCount, TooFineError
from qballot.core.tally.ties import Ties
from qballot.core.tally.words import RANK

SCOTTISH = "scottish"
WEIGHTED_INCLUSIVE_GREGORY = "weighted-inclusive-gregory"
TRANSFER = Variant(
    name="rules",
    meaning="how exact the value is at which a surplus passes on",
    words={
        SCOTTISH: "values are cut to five decimal places, as in Scotland's local elections",
        WEIGHTED_INCLUSIVE_GREGORY: "values are exact fractions",
    },
    default=SCOTTISH,
)

DROOP = "droop"
HARE = "hare"
QUOTA = Variant(
    name="quota",
    meaning="how many votes elect",
    words={
        DROOP: "the votes divided by one more than the seats, cut to a whole number, plus 1",
        HARE: "the votes divided by the seats",
    },
    default=DROOP,
)

SCOTTISH_PLACES = 5
MANY_PLACES = 30


def find_variants_fault(variants: Mapping[str, str]) -> tuple[str, str] | None:
    """Refuse the Scottish rules with another quota than theirs."""
    if variants[TRANSFER.name] == SCOTTISH and variants[QUOTA.name] != DROOP:
        return QUOTA.name, f"is {variants[QUOTA.name]}, expected {DROOP}, the quota of the {SCOTTISH} rules"
    return None


class _StvSums(Piles):
    """A contest's ballots in their piles."""

    def __init__(self, contest: Contest) -> None:
        super().__init__()
        self._contest = contest

    def count(self, ties: Ties) -> Outcome:
        contest, is_hare = self._contest, QUOTA.of(self._contest) == HARE
        if TRANSFER.of(contest) == SCOTTISH:
            return StvCount(contest, self, ties, is_hare, SCOTTISH_PLACES).run()
        try:
            return StvCount(contest, self, ties, is_hare, None).run()
        except TooFineError:
            return StvCount(contest, self, ties, is_hare, MANY_PLACES).run()


RULES = MethodRules(
    min_options=2,
    max_seats=MAX_SEATS,
    limits=(MAX_RANKS,),
    variants=(TRANSFER, QUOTA),
    words=RANK,
    explain_marks=explain_ranks,
    counting=(
        "Who has the quota of votes is elected, and what exceeds it passes on to the ballots' next choices; when "
        "nothing does, the option with the fewest votes goes out and its ballots pass on, until the seats are filled."
    ),
    blank_mark=0,
    find_fault=find_order_fault,
    open=_StvSums,
    totals_are_votes=False,
    find_variants_fault=find_variants_fault,
)
