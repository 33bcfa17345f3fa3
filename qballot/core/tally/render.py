"""A result in plain text, as a person reads it in a terminal or a file."""

from __future__ import annotations

from collections.abc import Iterator

from qballot.core.tally.outcome import TiedFor, Total, format_total, list_in_words, name_options
from qballot.core.tally.result import ContestResult, ElectionResult

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
    yield _outcome_line(result)
    yield ""
    yield from _bars(result)
    yield ""
    yield _ballots_line(result)
    yield ""
    yield "Count:"
    for entry in result.outcome.log:
        yield f"  {entry.text}"


def _heading(text: str, underline: str) -> str:
    return f"{text}\n{underline * len(text)}"


def _outcome_line(result: ContestResult) -> str:
    outcome = result.outcome
    if outcome.winners:
        label = "Winner" if len(outcome.winners) == 1 else "Winners"
        return f"{label}: {name_options(result.contest, outcome.winners)}"
    if outcome.tied_for is TiedFor.ELIMINATION:
        return f"No winner: undecided, since {name_options(result.contest, outcome.tied)} tie for elimination"
    if outcome.tied:
        return f"No winner: a tie between {name_options(result.contest, outcome.tied)}"
    return "No winner"


def _bars(result: ContestResult) -> Iterator[str]:
    """Draw one line an option, longest total first; a negative total's bar is light."""
    totals: dict[int, Total] = dict(enumerate(result.outcome.totals))
    titles = [option.title for option in result.contest.options]
    title_width = max(len(title) for title in titles)
    total_width = max(len(format_total(total)) for total in totals.values())
    greatest = max(*totals.values(), -min(totals.values()))
    for option in sorted(totals, key=lambda option: (-totals[option], option)):
        bar = _bar(totals[option], greatest)
        yield f"  {titles[option]:<{title_width}}  {format_total(totals[option]):>{total_width}}  {bar}".rstrip()


def _bar(total: Total, greatest: Total) -> str:
    if not total:
        return ""
    length = total if total > 0 else -total
    return ("█" if total > 0 else "░") * max(1, int(length * BAR_WIDTH / greatest))


def _ballots_line(result: ContestResult) -> str:
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
