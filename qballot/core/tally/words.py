"""How a voter says what a method's bytes mean: the verbs of ballots, as in `--choose park` and `--score park=3`.

Each method names one verb in its rules; whoever reads or shows a ballot asks for it and knows no method by name. A
method that comes with a verb of its own defines it beside its rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """What a voter says about each option."""

    MARK = "mark"
    """Its name alone, which marks it with 1."""

    ORDER = "order"
    """Its name, in the order of preference, the first being 1; or its name and its rank."""

    NUMBER = "number"
    """Its name and a number."""


@dataclass(frozen=True, slots=True)
class Words:
    """A verb and its form.

    verb: lower-case, what an option of a command is called. meaning: a clause for help and messages.
    example: what may follow the verb, with the options `park` and `library`.
    """

    verb: str
    form: Form
    meaning: str
    example: str


CHOOSE = Words("choose", Form.MARK, "the option you vote for, or several where the contest allows", "park")
APPROVE = Words("approve", Form.MARK, "the options you approve of", "park,library")
SCORE = Words("score", Form.NUMBER, "options with the score you give each", "park=3,library=0")
RANK = Words("rank", Form.ORDER, "options in your order, the first choice first", "park,library")
