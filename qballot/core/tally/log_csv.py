"""The count log as CSV, for spreadsheets and programs: one row for every number and name that a step holds.

    contest,step,kind,item,value
    chair,1,round,text,"Round 1: Ada 4, Ben 3; exhausted 0."
    chair,1,round,votes/ada,4
    chair,1,round,votes/ben,3

`step` counts a contest's entries from 1. `item` is the way to the value in the entry's JSON: keys and option ids with a
slash between them, and places in lists from 1; an empty list or object has one row with no value. Numbers are exact, as
in the JSON. Rows end with CRLF (RFC 4180).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from qballot.core.canonical import JsonTree
from qballot.core.tally.result import ElectionResult

COLUMNS = ("contest", "step", "kind", "item", "value")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would run as a formula."""


def render_log_csv(result: ElectionResult) -> str:
    """Write every contest's log as CSV with a row of column names.

    A text that a spreadsheet would take for a formula, as a title can make one, begins with an apostrophe instead.
    """
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for contest in result.contests:
        for step, entry in enumerate(contest.outcome.log, start=1):
            prefix = (contest.contest.id, step, entry.kind)
            text = f"'{entry.text}" if entry.text.startswith(_FORMULA) else entry.text
            rows.writerow((*prefix, "text", text))
            for key, value in entry.data.items():
                rows.writerows((*prefix, item, leaf) for item, leaf in _list_leaves(key, value))
    return written.getvalue()


def _list_leaves(path: str, value: JsonTree) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value, start=1)
        if not value:
            yield path, ""
        for key, child in items:
            yield from _list_leaves(f"{path}/{key}", child)
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    else:
        yield path, "" if value is None else str(value)
