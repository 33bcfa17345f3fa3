"""The stages of a count by single transferable vote; the rules stand in `stv.py`, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import lcm
from typing import TypeAlias

from qballot.core.election import Contest
from qballot.core.tally import stv_log
from qballot.core.tally.outcome import LogEntry, Outcome, TiedFor, Total, log_outcome, name_options, show_total
from qballot.core.tally.piles import EXHAUSTED, Event, Moves, Piles, Surpluses, next_pile
from qballot.core.tally.stv_log import Why
from qballot.core.tally.ties import Fate, Ties

MAX_DENOMINATOR_BITS = 4_096
"""Longest denominator of an exact count: they may double in length with every surplus."""


Held: TypeAlias = tuple[int, int]
"""Votes that an option holds: units, and the common denominator of its ballots' values, not in lowest terms."""


class TooFineError(Exception):
    """An exact count has come upon a denominator that is too long to go on with."""


class StvCount:
    """A count under way."""

    def __init__(self, contest: Contest, piles: Piles, ties: Ties, is_hare: bool, places: int | None) -> None:
        """places: decimal places that transfer values are cut to; None for exact ones."""
        self._contest = contest
        self._piles = piles
        self._ties = ties
        self._places = places
        firsts = piles.begin()
        self._events = 0
        self._cast = sum(firsts.values())
        self._quota: Total = Fraction(self._cast, contest.seats) if is_hare else self._cast // (contest.seats + 1) + 1
        self._values: dict[Surpluses, Fraction] = {(): Fraction(1)}
        self._held: dict[int, Held] = {option: (firsts.get(option, 0), 1) for option in range(len(contest.options))}
        self._standing = set(range(len(contest.options)))
        self._elected: list[int] = []
        self._passed: set[int] = set()
        self._votes: list[dict[int, Total]] = []
        self._between: set[int] = set()
        self._log: list[LogEntry] = [
            stv_log.log_quota(contest, self._cast, self._quota, is_hare),
        ]

    def run(self) -> Outcome:
        """Count stage by stage until the seats are filled or a tie ends the count."""
        while True:
            self._read_stage()
            self._elect(self._find_elected(), Why.QUOTA)
            if len(self._standing) == self._vacancies or not self._vacancies:
                return self._fill_seats()
            end = self._pass_surplus() if self._find_surpluses() else self._exclude()
            if end:
                return end

    @property
    def _vacancies(self) -> int:
        return self._contest.seats - len(self._elected)

    @property
    def _now(self) -> dict[int, Total]:
        return self._votes[-1]

    @property
    def _rounds(self) -> list[dict[int, Total]]:
        """The earlier stages for a tie to go by, with no votes where these hang on an order that nothing decided."""
        return [{} if stage in self._between else votes for stage, votes in enumerate(self._votes[:-1], start=1)]

    def _read_stage(self) -> None:
        """Add up the votes of whoever is not excluded, and write them down: the quota, after a surplus passed on."""
        votes: dict[int, Total] = {
            option: _simplify(self._quota if option in self._passed else Fraction(*self._held[option]))
            for option in sorted(self._standing | {*self._elected})
        }
        self._votes.append(votes)
        self._log.append(stv_log.log_stage(self._contest, len(self._votes), votes, self._cast))

    def _hand_over(self, moves: Moves, event: Event) -> None:
        """Take the votes of an event's sources away, give those that move to their next holders, and end the event."""
        for source in event.sources:
            self._held[source] = (0, 1)
        for (pile, target), weight in moves.items():
            # Piles without weight may be there or not, as ballots come and go: nothing may depend on them.
            if weight and target != EXHAUSTED:
                value = self._values[next_pile(pile, target, self._events, event)[1]]
                units, denominator = self._held[target]
                common = lcm(denominator, value.denominator)
                self._refuse_too_fine(common)
                more = weight * value.numerator * (common // value.denominator)
                self._held[target] = (units * (common // denominator) + more, common)
        self._events += 1

    def _refuse_too_fine(self, denominator: int) -> None:
        if self._is_too_fine(denominator):
            raise TooFineError

    def _is_too_fine(self, denominator: int) -> bool:
        return self._places is None and denominator.bit_length() > MAX_DENOMINATOR_BITS

    def _find_elected(self) -> list[int]:
        """Find the continuing options with at least the quota, the most votes first."""
        found = [option for option in self._standing if self._now[option] >= self._quota and self._now[option] > 0]
        return self._by_votes(found)

    def _by_votes(self, options: Iterable[int]) -> list[int]:
        return sorted(options, key=lambda option: (-self._now[option], option))

    def _elect(self, options: Sequence[int], why: Why) -> None:
        if options:
            self._elected += options
            self._standing -= {*options}
            self._log.append(stv_log.log_elected(self._contest, len(self._votes), options, why))

    def _find_surpluses(self) -> dict[int, Total]:
        """Find the surpluses that have not passed on."""
        over = {option: self._now[option] - self._quota for option in self._elected if option not in self._passed}
        return {option: surplus for option, surplus in over.items() if surplus > 0}

    def _pass_surplus(self) -> Outcome | None:
        """Pass the greatest surplus on; returns the end of the count if a tie stops it."""
        surpluses = self._find_surpluses()
        greatest = max(surpluses.values())
        tied = sorted(option for option, surplus in surpluses.items() if surplus == greatest)
        if len(tied) == 1:
            self._transfer_surplus(tied[0])
            return None
        tie = self._describe(tied, f"have equal surpluses, {show_total(greatest)} each")
        decision = self._ties.take(tied, tie, Fate.GOES_FIRST, rounds=self._rounds)
        self._log += decision.log
        if decision.taken:
            self._transfer_surplus(decision.taken[0])
            return None
        if decision.waits or not self._is_order_of_surpluses_free(tied):
            return self._stop(tie, tied, TiedFor.TRANSFER, decision.waits)
        self._log.append(stv_log.log_free_tie(self._contest, len(self._votes), tied, f"{tie}. They pass on in turn"))
        for option in tied[:-1]:
            self._transfer_surplus(option)
            self._read_stage()
            self._between.add(len(self._votes))
        self._transfer_surplus(tied[-1])
        return None

    def _is_order_of_surpluses_free(self, tied: Sequence[int]) -> bool:
        """Say whether nobody reaches the quota before all of these surpluses have passed on, in whichever order.

        While nobody does, each of them gives every option the same votes, whenever it passes on; so nobody does if all
        of them but the one that gives an option least leave it below the quota.
        """
        gains = [self._find_gains(number, option) for number, option in enumerate(tied, start=self._events)]
        for option in self._standing:
            of_each = [gain.get(option, 0) for gain in gains]
            if self._now[option] + sum(of_each) - min(of_each) >= self._quota:
                return False
        return True

    def _find_gains(self, number: int, option: int) -> dict[int, Total]:
        """Find what every other option gets if an option's surplus passes on. number: of the event, maybe a later one.

        It is only tried, so that no denominator is too long for it.
        """
        _, moves, values = self._pass_on(number, option)
        gains: dict[int, Total] = {}
        for ((_, received), target), weight in moves.items():
            if weight and target != EXHAUSTED:
                gains[target] = gains.get(target, 0) + weight * values[received]
        return gains

    def _transfer_surplus(self, option: int) -> None:
        surplus = self._now[option] - self._quota
        event, moves, values = self._pass_on(self._events, option)
        for received, value in values.items():
            self._refuse_too_fine(value.denominator)
            self._values[*received, self._events] = value
        self._hand_over(moves, event)
        self._passed.add(option)
        transfer = self._describe_transfer(moves, is_surplus=True)
        self._log.append(stv_log.log_surplus(self._contest, option, surplus, transfer))

    def _pass_on(self, number: int, option: int) -> tuple[Event, Moves, dict[Surpluses, Fraction]]:
        """Let event `number` be that an option's surplus passes on.

        Returns with it what ballots are worth then, by the surpluses that they were part of before.
        """
        event = Event(frozenset([option]), frozenset(self._standing), surplus=True)
        moves = self._piles.after(number, event)
        votes = self._now[option]
        share = Fraction(votes - self._quota) / votes
        paths = {received for ((_, received), _), weight in moves.items() if weight}
        return event, moves, {received: self._cut(share * self._values[received]) for received in paths}

    def _cut(self, value: Fraction) -> Fraction:
        return value if self._places is None else Fraction(value * 10**self._places // 1, 10**self._places)

    def _exclude(self) -> Outcome | None:
        """Exclude the option with the fewest votes; returns the end of the count if a tie stops it."""
        fewest = min(self._now[option] for option in self._standing)
        tied = sorted(option for option in self._standing if self._now[option] == fewest)
        if len(tied) == 1:
            return self._pass_excluded(tied)
        tie = self._describe(tied, f"tie for the fewest votes, {show_total(fewest)} each")
        decision = self._ties.take(tied, tie, Fate.GOES_OUT, rounds=self._rounds)
        self._log += decision.log
        group = [] if decision.waits else list(decision.taken) or self._find_free_group(tied)
        if group and not decision.taken:
            self._log.append(
                stv_log.log_free_tie(self._contest, len(self._votes), group, f"{tie}. They go out at once")
            )
        if group:
            return self._pass_excluded(group)
        if len(self._standing) == self._vacancies + 1:
            self._elect(self._by_votes(self._standing - {*tied}), Why.AHEAD)
            return self._stop(tie, tied, TiedFor.SEAT, decision.waits)
        return self._stop(tie, tied, TiedFor.ELIMINATION, decision.waits)

    def _find_free_group(self, tied: Sequence[int]) -> list[int]:
        """Find the options from the bottom that can be excluded at once, since no order matters; maybe none."""
        upwards = sorted(self._standing, key=lambda option: self._now[option])
        for size in range(len(tied), len(upwards) - self._vacancies + 1):
            together = sum(self._now[option] for option in upwards[:size])
            if together < self._now[upwards[size]]:
                is_below = self._now[upwards[-1]] + together < self._quota
                is_free = is_below and self._stays_exact(upwards[:size], upwards[size:])
                return sorted(upwards[:size]) if is_free else []
        return []

    def _stays_exact(self, group: Iterable[int], others: Iterable[int]) -> bool:
        """Say whether no denominator becomes too long, in whichever order a group passes its ballots on."""
        common = lcm(*(self._held[option][1] for option in group))
        return not any(self._is_too_fine(lcm(common, self._held[option][1])) for option in others)

    def _pass_excluded(self, options: Sequence[int]) -> Outcome | None:
        """Exclude options; returns the end of the count if the last seats are filled by it."""
        contest, now = self._contest, self._now
        self._standing -= {*options}
        if len(self._standing) == self._vacancies:
            self._log.append(stv_log.log_last_exclusion(contest, len(self._votes), options, now))
            return self._fill_seats()
        event = Event(frozenset(options), frozenset(self._standing))
        moves = self._piles.after(self._events, event)
        self._hand_over(moves, event)
        self._log.append(stv_log.log_exclusion(contest, options, now, self._describe_transfer(moves, is_surplus=False)))
        return None

    def _describe_transfer(self, moves: Moves, is_surplus: bool) -> stv_log.Transfer:
        event = self._events - 1

        def passes_at(path: Surpluses) -> Fraction:
            return self._values[(*path, event) if is_surplus else path]

        return stv_log.Transfer(len(self._votes) + 1, moves, self._values, passes_at)

    def _fill_seats(self) -> Outcome:
        """End the count with whoever is elected, and whoever is left where seats are."""
        self._elect(self._by_votes(self._standing if self._vacancies else ()), Why.LAST)
        verb = "is elected" if self._contest.seats == 1 else "are elected"
        return self._finish(f"{name_options(self._contest, self._elected)} {verb}.", self._elected)

    def _describe(self, options: Sequence[int], what: str) -> str:
        return f"Stage {len(self._votes)}: {name_options(self._contest, options)} {what}"

    def _stop(self, tie: str, tied: Sequence[int], tied_for: TiedFor, waits: bool) -> Outcome:
        """End the count at a tie that nothing decides."""
        contest = self._contest
        if tied_for is TiedFor.SEAT:
            what = "the last seat" if self._vacancies == 1 else f"the last {self._vacancies} seats"
        else:
            most = max(self._now[option] for option in self._standing)
            leading = [*self._elected, *(option for option in self._standing if self._now[option] == most)]
            stop = "waits here for the lot" if waits else "stops here"
            why = f"{tie}, and their order may decide who is elected. The count {stop}."
            self._log.append(stv_log.log_stop(contest, len(self._votes), why, tied, leading))
            what = "elimination" if tied_for is TiedFor.ELIMINATION else "the order of transfers"
        elected = f"{name_options(contest, self._elected)} {'is' if len(self._elected) == 1 else 'are'} elected. "
        end = "waiting for the lot" if waits else "undecided"
        text = f"{elected if self._elected else ''}{name_options(contest, tied)} tie for {what}: {end}."
        return self._finish(text, self._elected, tied, tied_for, waits)

    def _finish(
        self,
        text: str,
        elected: Sequence[int],
        tied: Sequence[int] = (),
        tied_for: TiedFor | None = None,
        waits: bool = False,
    ) -> Outcome:
        winners = tuple(sorted(elected))
        entry = log_outcome(self._contest, text, winners=winners, tied=tied, tied_for=tied_for, waits_for_lot=waits)
        votes: dict[int, Total] = {}
        for stage in self._votes:
            votes |= stage
        totals = tuple(votes[option] for option in range(len(self._contest.options)))
        return Outcome(winners, tuple(tied), totals, (*self._log, entry), tied_for, waits)


def _simplify(number: Total) -> Total:
    return number.numerator if number.denominator == 1 else number
