"""Ties: who of some equal options is taken, by the contest's rule and never silently.

    report                     nobody: the count says who ties and for what
    previous-rounds            the earlier rounds decide, from the latest back to the first; else as `report`
    lot                        the lot decides (`lot.py`); before it can be drawn the count waits for it
    previous-rounds-then-lot   the earlier rounds decide; else the lot

*Earlier rounds*: of the tied options only those stay that had the most votes in the latest earlier round (to win, or
to go first) or the fewest (to go out); if several stay, the round before decides among these, and so on. Of two options
it is the latest earlier round in which they differ that decides.
Source: The Scottish Local Government Elections Order 2007 (SSI 2007/42), schedule 1, rules 49(2) and 51(2)(a), which
leave open how more than two are told apart; the same in the Electoral Act 1992 (Ireland), section 122(2), as to rounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from qballot.core.canonical import JsonTree
from qballot.core.election import Contest
from qballot.core.tally.lot import draw_order
from qballot.core.tally.outcome import LogEntry, Total, format_total, name_options, option_ids, show_total
from qballot.core.types import Hash32


class Fate(StrEnum):
    """What happens to whoever is taken from a tie. The value completes the sentence `Ada …`."""

    WINS = "wins"
    GOES_OUT = "goes out"
    GOES_FIRST = "goes first"
    ADVANCES = "advances"

    @property
    def of_several(self) -> str:
        """The same of several options, as in `Ada and Ben …`."""
        return {Fate.WINS: "win", Fate.GOES_OUT: "go out", Fate.GOES_FIRST: "go first", Fate.ADVANCES: "advance"}[self]


@dataclass(frozen=True, slots=True)
class Decision:
    """How a tie ended.

    taken: the options that were taken, all that were asked for; empty when the tie stands.
    log: the steps that decided, to be added to the count's log.
    waits: the tie stands only because the lot is not drawn yet.
    """

    taken: tuple[int, ...]
    log: tuple[LogEntry, ...] = ()
    waits: bool = False


class Ties:
    """How one contest's ties are broken. Without a lot the options are in no order, and whoever needs it waits."""

    def __init__(self, contest: Contest, lot: Hash32 | None = None) -> None:
        """lot: the mix that the order is derived from, if it is known by now."""
        self._contest = contest
        self._rule = contest.tie
        self._lot = lot

    def take(
        self,
        tied: Iterable[int],
        what: str,
        fate: Fate,
        number: int = 1,
        rounds: Sequence[Mapping[int, Total]] = (),
    ) -> Decision:
        """Take `number` of the tied options, fewer than there are.

        what: the tie as a clause for the log, as in `Round 2: B and C tie for the fewest votes, 3 each`.
        rounds: the totals of all earlier rounds, the first round first; none where a method has no rounds. A round
        without totals decides nothing.
        """
        left = sorted(tied)
        taken: list[int] = []
        log: list[LogEntry] = []
        while len(taken) < number:
            one = self._ask_rounds(left, what, fate, rounds) if self._rule.asks_earlier_rounds else None
            if one is None:
                break
            left.remove(one[0])
            taken.append(one[0])
            log.append(one[1])
        missing = number - len(taken)
        if not missing:
            return Decision(tuple(taken), tuple(log))
        if not self._rule.draws_lots:
            return Decision(())
        if self._lot is None:
            return Decision((), waits=True)
        drawn, entry = self._draw(left, what, fate, missing, self._lot)
        return Decision((*taken, *drawn), (*log, entry))

    def _ask_rounds(
        self, tied: Sequence[int], what: str, fate: Fate, rounds: Sequence[Mapping[int, Total]]
    ) -> tuple[int, LogEntry] | None:
        """Take one option by the earlier rounds, or None when they leave several."""
        word = "fewest" if fate is Fate.GOES_OUT else "most"
        left = list(tied)
        steps: list[str] = []
        for number in range(len(rounds), 0, -1):
            votes = rounds[number - 1]
            if not votes:
                continue
            numbers = [votes[option] for option in left]
            mark = min(numbers) if fate is Fate.GOES_OUT else max(numbers)
            before, left = left, [option for option in left if votes[option] == mark]
            if len(left) < len(before):
                steps.append(
                    f"in round {number} {name_options(self._contest, left)} had the {word}, {show_total(mark)}"
                )
            if len(left) == 1:
                (one,) = left
                text = f"{what}. Earlier rounds decide: {', '.join(steps)}; {self._name(one)} {fate}."
                data: dict[str, JsonTree] = {"by": "previous-rounds", "round": number, "number": format_total(mark)}
                return one, self._entry(text, tied, left, fate, data)
        return None

    def _draw(
        self, tied: Sequence[int], what: str, fate: Fate, number: int, mix: Hash32
    ) -> tuple[tuple[int, ...], LogEntry]:
        order = [option for option in draw_order(self._contest, mix) if option in tied]
        taken = tuple((order[::-1] if fate is Fate.GOES_OUT else order)[:number])
        listed = ", ".join(self._name(option) for option in order)
        verb = fate.value if len(taken) == 1 else fate.of_several
        text = f"{what}. The lot decides: its order is {listed}; {name_options(self._contest, taken)} {verb}."
        in_order: list[JsonTree] = [self._contest.options[option].id for option in order]
        data: dict[str, JsonTree] = {"by": "lot", "order": in_order, "mix": "0x" + mix.hex()}
        return taken, self._entry(text, tied, taken, fate, data)

    def _name(self, option: int) -> str:
        return self._contest.options[option].title

    def _entry(
        self, text: str, tied: Iterable[int], taken: Iterable[int], fate: Fate, data: Mapping[str, JsonTree]
    ) -> LogEntry:
        ids = {"options": option_ids(self._contest, tied), "taken": option_ids(self._contest, taken)}
        return LogEntry("tie_broken", text, {**ids, "fate": fate.value.replace(" ", "_"), **data})
