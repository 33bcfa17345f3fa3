"""A comparison of methods in plain text: a table for each contest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qballot.core.tally.compare import Comparison, ContestComparison
from qballot.core.tally.methods import METHODS
from qballot.core.tally.outcome import name_options
from qballot.core.tally.render import describe_outcome
from qballot.core.tally.result import ContestResult

CAUTION = (
    "The same ballots under other methods. This is no result: voters who are asked otherwise answer otherwise.\n"
    "Settings are those of the contest where a method shares them, else the defaults."
)
COLUMNS = ("method", "outcome", "counted", "blank", "spoiled", "how the ballots are read")


def render_comparisons(compared: Sequence[ContestComparison]) -> str:
    """Write a table for each contest, with a row for each method; lines end with a newline each."""
    return "\n\n".join([CAUTION, *("\n".join(_table(contest)) for contest in compared)]) + "\n"


def _table(compared: ContestComparison) -> Iterator[str]:
    contest = compared.contest
    seats = "1 seat" if contest.seats == 1 else f"{contest.seats} seats"
    heading = f"{contest.title} ({contest.method}, {seats})"
    yield heading
    yield "-" * len(heading)
    rows = [COLUMNS, *(_row(comparison) for comparison in compared.comparisons)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    for row in rows:
        cells = [
            cell.rjust(width) if cell.isdigit() else cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ]
        yield f"  {'  '.join(cells)}".rstrip()


def _row(comparison: Comparison) -> tuple[str, ...]:
    result = comparison.result
    if result is None:
        return comparison.method.value, "not comparable", "", "", "", comparison.words
    spoiled = sum(group.ballots for group in result.spoiled.values())
    numbers = (str(result.counted.ballots), str(result.blank.ballots), str(spoiled))
    return _name(comparison, result), _outcome(result), *numbers, comparison.words


def _name(comparison: Comparison, result: ContestResult) -> str:
    """Name the method, with the variants that are not its defaults."""
    rules = METHODS[comparison.method]
    words = [
        f"{variant.name} {variant.of(result.contest)}"
        for variant in rules.variants
        if variant.of(result.contest) != variant.default
    ]
    settings = f" ({', '.join(words)})" if words else ""
    return f"{comparison.method}{settings}"


def _outcome(result: ContestResult) -> str:
    """Say who wins, without a label where it is plain."""
    outcome = result.outcome
    return (
        name_options(result.contest, outcome.winners)
        if outcome.winners and not outcome.tied
        else describe_outcome(result)
    )
