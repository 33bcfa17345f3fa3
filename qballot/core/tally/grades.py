"""Grades: the words of majority judgment, which are numbers from 0, the lowest, in a ballot's bytes."""

from __future__ import annotations

from collections.abc import Mapping

from qballot.core.election import Contest
from qballot.core.tally.rules import Limit, constant
from qballot.core.tally.words import Form, Words

NAMES: Mapping[int, tuple[str, ...]] = {
    2: ("Reject", "Accept"),
    3: ("Reject", "Acceptable", "Good"),
    4: ("Poor", "Fair", "Good", "Excellent"),
    5: ("Reject", "Poor", "Acceptable", "Good", "Excellent"),
    6: ("Reject", "Poor", "Acceptable", "Good", "Very Good", "Excellent"),
    7: ("Reject", "Poor", "Acceptable", "Fair", "Good", "Very Good", "Excellent"),
}
"""The names of the grades from the lowest, by how many there are. Six: Balinski and Laraki, "Majority Judgment"."""

GRADES = Limit(
    name="grades",
    meaning="how many grades there are, 0 being the lowest",
    lowest=constant(min(NAMES)),
    highest=constant(max(NAMES)),
    default=constant(6),
)

GRADE = Words("grade", Form.NUMBER, "options with the grade you give each, by name or number", "park=good,library=0")


def name_grades(contest: Contest) -> tuple[str, ...]:
    """Return the names of a contest's grades, the lowest first."""
    return NAMES[contest.limits[GRADES.name]]
