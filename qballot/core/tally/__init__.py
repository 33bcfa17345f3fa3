"""The count: definition and ballots in, winners and a log out. Exact, pure, the same for everyone who repeats it.

Start with `count.py`; `rules.py` is the form that a method fills in, `methods.py` lists them.
"""

from __future__ import annotations

from qballot.core.tally.count import count_election, judge_marks
from qballot.core.tally.log_csv import render_log_csv
from qballot.core.tally.methods import METHODS
from qballot.core.tally.render import render_text
from qballot.core.tally.requirements import Electorate, Verdict
from qballot.core.tally.result import ContestResult, ElectionResult
from qballot.core.tally.rules import SpoilReason, Use
from qballot.core.tally.running import RunningCount

__all__ = [
    "METHODS",
    "ContestResult",
    "ElectionResult",
    "Electorate",
    "RunningCount",
    "SpoilReason",
    "Use",
    "Verdict",
    "count_election",
    "judge_marks",
    "render_log_csv",
    "render_text",
]
