"""A result in plain text, as a person reads it in a terminal or a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from qballot.core.tally.outcome import TiedFor, Total, list_in_words, name_options, show_total
from qballot.core.tally.requirements import Verdict
from qballot.core.tally.result import ContestResult, ElectionResult

VERDICTS: Mapping[Verdict, str] = {
    Verdict.PASSED: "Passed: all that was required is met.",
    Verdict.NOT_PASSED: "Not passed: something that was required is not met.",
    Verdict.UNKNOWN: "Not known whether it passed: a number that is required is not known here, or not yet.",
}

BAR_WIDTH = 30
"""Characters of the longest bar."""


def render_text(result: ElectionResult) -> str:
    """Write the whole result: for each contest its outcome, totals as bars, ballots that do not count, the count log.

    Lines end with a newline each; nothing depends on the terminal's width.
    """
    blocks = [_heading(result.definition.title, "=")]
    blocks += ["\n".join(_contest_lines(contest)) for contest in result.contests]
    return "\n\n".join(blocks) + "\n"


def _contest_lines(result: ContestResult) -> Iterator[str]:
    contest = result.contest
    seats = "1 seat" if contest.seats == 1 else f"{contest.seats} seats"
    yield _heading(f"{contest.title} ({contest.method}, {seats})", "-")
    yield describe_outcome(result)
    if result.verdict is not None:
        yield VERDICTS[result.verdict]
    yield ""
    yield from _bars(result)
    yield ""
    yield describe_ballots(result)
    yield from (finding.text for finding in result.findings)
    yield ""
    yield "Count:"
    for entry in result.outcome.log:
        yield f"  {entry.text}"


def _heading(text: str, underline: str) -> str:
    return f"{text}\n{underline * len(text)}"


def describe_outcome(result: ContestResult) -> str:
    """Say in a line who has won, and what is tied and for what."""
    """Say in a line who has won and what is open."""
    outcome = result.outcome
    if not outcome.winners and not outcome.tied:
        return "No winner"
    label = "Winner" if len(outcome.winners) == 1 else "Winners"
    winners = f"{label}: {name_options(result.contest, outcome.winners)}" if outcome.winners else "No winner"
    return winners if not outcome.tied else f"{winners}{_tie_words(result)}"


def _tie_words(result: ContestResult) -> str:
    """Say what is open, after who has won or that nobody has."""
    outcome, tied = result.outcome, name_options(result.contest, result.outcome.tied)
    if outcome.tied_for is TiedFor.ELIMINATION:
        what = f"undecided, since {tied} tie for elimination"
    elif outcome.tied_for is TiedFor.TRANSFER:
        what = f"undecided, since {tied} tie for whose surplus goes first"
    elif outcome.tied_for is TiedFor.NEXT_SEAT:
        what = f"undecided, since {tied} tie for the next seat"
    elif result.contest.seats == 1:
        what = f"a tie between {tied}"
    else:
        seats = "1 seat" if result.open_seats == 1 else f"{result.open_seats} seats"
        what = f"a tie for {seats} between {tied}"
    before = "; " if outcome.winners else ": "
    return f"{before}{what}{', waiting for the lot' if outcome.waits_for_lot else ''}"


def _bars(result: ContestResult) -> Iterator[str]:
    """Draw one line an option, longest total first; a negative total's bar is light."""
    totals: dict[int, Total] = dict(enumerate(result.outcome.totals))
    titles = [option.title for option in result.contest.options]
    title_width = max(len(title) for title in titles)
    total_width = max(len(show_total(total)) for total in totals.values())
    greatest = max(*totals.values(), -min(totals.values()))
    for option in sorted(totals, key=lambda option: (-totals[option], option)):
        bar = _bar(totals[option], greatest)
        yield f"  {titles[option]:<{title_width}}  {show_total(totals[option]):>{total_width}}  {bar}".rstrip()


def _bar(total: Total, greatest: Total) -> str:
    if not total:
        return ""
    length = total if total > 0 else -total
    return ("█" if total > 0 else "░") * max(1, int(length * BAR_WIDTH / greatest))


def describe_ballots(result: ContestResult) -> str:
    """Say what became of the ballots, in ballots and, where votes are weighted, in votes."""
    reasons = [f"{group.ballots} {reason.replace('_', ' ')}" for reason, group in result.spoiled.items()]
    spoiled = sum(group.ballots for group in result.spoiled.values())
    listed = f" ({list_in_words(reasons)})" if reasons else ""
    line = (
        f"{result.cast.ballots} ballots: {result.counted.ballots} counted, {result.blank.ballots} blank, "
        f"{spoiled} spoiled{listed}."
    )
    if result.cast.weight == result.cast.ballots:
        return line
    return f"{line} They weigh {result.cast.weight} votes, those counted {result.counted.weight}."
