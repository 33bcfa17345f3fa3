"""The options by which a voter says a ballot: one for each verb of the methods that there are, so that a new method
brings its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any

import typer

from qballot.core.choices import Choice, list_verbs
from qballot.core.tally.words import Form, Words


@dataclass(frozen=True, slots=True)
class Said:
    """What was said by options. choices: verb by verb. blank: contests left blank on purpose."""

    choices: tuple[Choice, ...]
    blank: tuple[str, ...]


def takes_choices(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a ballot in the place of its parameter `said`, which gets what was said."""
    verbs = list_verbs()

    @wraps(command)
    def run(**values: Any) -> None:
        choices = [Choice(words.verb, text) for words in verbs for text in values.pop(words.verb) or ()]
        blank = tuple(values.pop("blank") or ())
        command(**values, said=Said(tuple(choices), blank))

    # typer reads a command's options from its signature.
    signature = inspect.signature(command, eval_str=True)
    own = [item.replace(kind=item.KEYWORD_ONLY) for item in signature.parameters.values() if item.name != "said"]
    arguments = [item for item in own if item.default is item.empty]
    added = [_parameter(words.verb, _option(words)) for words in verbs]
    added.append(_parameter("blank", typer.Option("--blank", metavar="CONTEST", help="A contest to leave blank.")))
    options = [item for item in own if item.default is not item.empty]
    run.__signature__ = signature.replace(parameters=[*arguments, *added, *options])  # type: ignore[attr-defined]
    run.__annotations__ = {}
    del run.__wrapped__
    return run


def _option(words: Words) -> Any:
    item = "OPTION=NUMBER" if words.form is Form.NUMBER else "OPTION"
    meaning = words.meaning[0].upper() + words.meaning[1:]
    return typer.Option(
        f"--{words.verb}",
        metavar=f"[CONTEST/]{item},…",
        help=f"{meaning}, as in {words.example}; may be given again.",
    )


def _parameter(name: str, option: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[list[str] | None, option]
    )
