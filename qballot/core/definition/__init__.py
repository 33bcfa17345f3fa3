"""An election's definition: one canonical JSON document that says everything a voter is shown and a count needs.

    {"qballot": 1, "title", "description"?, "organizer"?, "language"?,
     "contests": [{"id", "title", "description"?, "method", "options": [{"id", "title", "description"?}],
                   "seats"?, "tie"?, "requires"?, … the method's own limits and variants}]}

Start with `parse.py`. The values that it makes stand in `qballot.core.election`; each method's limits in its module
under `qballot.core.tally`. A document that breaks any rule is an invalid election: shown as such, never counted.
One with another number in `qballot` is not judged at all: a later version may know it.
"""

from __future__ import annotations

from qballot.core.definition.contests import MAX_CONTESTS, MAX_OPTIONS, MAX_TOTAL_OPTIONS
from qballot.core.definition.parse import (
    VERSION,
    definition_hash,
    parse_definition,
    parse_definition_document,
    refuse_unknown_definition,
)
from qballot.core.definition.schema import build_schema
from qballot.core.definition.show import show_ballot
from qballot.core.election import Contest, Definition, Method, Option, TieRule

__all__ = [
    "MAX_CONTESTS",
    "MAX_OPTIONS",
    "MAX_TOTAL_OPTIONS",
    "VERSION",
    "Contest",
    "Definition",
    "Method",
    "Option",
    "TieRule",
    "build_schema",
    "definition_hash",
    "parse_definition",
    "parse_definition_document",
    "refuse_unknown_definition",
    "show_ballot",
]
