"""The questions of `qballot definition new`, asked on stderr: every answer is checked before the next question."""

from __future__ import annotations

from collections.abc import Callable, Collection

import typer

from qballot.core.definition.contests import MAX_CONTESTS, MAX_OPTIONS
from qballot.core.definition.draft import ContestDraft, DefinitionDraft, OptionDraft
from qballot.core.definition.slug import propose_id
from qballot.core.definition.texts import (
    find_description_fault,
    find_id_fault,
    find_language_fault,
    find_name_fault,
    find_title_fault,
)
from qballot.core.election import Method
from qballot.core.problems import quote, suggest
from qballot.core.tally.methods import METHODS
from qballot.core.tally.rules import Variant
from qballot.errors import InputError

FindFault = Callable[[str], str | None]


def hold_interview(draft: DefinitionDraft) -> None:
    """Ask for everything that the draft does not say yet, and write the answers into it."""
    draft.title = draft.title or _ask("Title of the election", find_title_fault)
    draft.organizer = draft.organizer or _ask("Who holds it (Enter for nobody)", find_name_fault, "")
    draft.description = draft.description or _ask("Description (Enter for none)", find_description_fault, "")
    draft.language = draft.language or _ask("Language of the texts, as a tag", find_language_fault, "en")
    asked = not draft.contests
    for contest in draft.contests:
        _ask_for_options(contest)
    while asked and len(draft.contests) < MAX_CONTESTS:
        contest_or_none = _ask_for_contest(draft.contests)
        if contest_or_none is None:
            return
        draft.contests.append(contest_or_none)


def _ask_for_contest(others: list[ContestDraft]) -> ContestDraft | None:
    """Ask for one more contest; None when there is none."""
    _say("")
    first = not others
    titles = {contest.title for contest in others}
    question = "What is asked first (the contest's title)" if first else "What is asked next (Enter when that was all)"
    title = _ask(question, _new(find_title_fault if first else find_name_fault, titles), None if first else "")
    if not title:
        return None
    taken = {contest.id for contest in others}
    name = _ask("  Its id", _new(find_id_fault, taken), propose_id(title, taken, f"contest-{len(others) + 1}"))
    description = _ask("  Description (Enter for none)", find_description_fault, "")
    contest = ContestDraft(name, _ask_for_method(), title, description)
    _ask_for_options(contest)
    _ask_for_limits(contest)
    return contest


def _ask_for_method() -> str:
    for method, rules in METHODS.items():
        _say(f"    {method:<12}{rules.counting}")
    words = [method.value for method in METHODS]

    def find_fault(word: str) -> str | None:
        return None if word in words else f"expected one of {', '.join(words)}{suggest(word, words)}"

    return _ask("  How it is counted", find_fault, words[0])


def _ask_for_options(contest: ContestDraft) -> None:
    """Ask for options until an empty answer, but for as many as the method needs."""
    needed = fewest_options(contest.method)
    asked = len(contest.options) < needed
    while asked and len(contest.options) < MAX_OPTIONS:
        number = len(contest.options) + 1
        enough = number > needed
        titles = {option.title for option in contest.options}
        title = _ask(
            f"  Option {number} of {quote(contest.title)}" + (" (Enter when that was all)" if enough else ""),
            _new(find_name_fault if enough else find_title_fault, titles),
            "" if enough else None,
        )
        if not title:
            return
        taken = {option.id for option in contest.options}
        name = _ask("    Its id", _new(find_id_fault, taken), propose_id(title, taken, f"option-{number}"))
        contest.options.append(OptionDraft(name, title))


def _ask_for_limits(contest: ContestDraft) -> None:
    """Ask for seats, where the method can fill several, and for the method's own limits and variants."""
    rules = METHODS[Method(contest.method)]
    number = len(contest.options)
    most = min(rules.max_seats, number)
    seats = _ask_for_number("  seats: how many options win", 1, most, 1) if most > 1 else 1
    while True:
        answers = {
            limit.name: _ask_for_number(
                f"  {limit.name}: {limit.meaning}",
                limit.lowest(number, seats),
                limit.highest(number, seats),
                limit.default(number, seats),
            )
            for limit in rules.limits
        }
        words = {variant.name: _ask_for_word(variant) for variant in rules.variants}
        fault = rules.find_limits_fault(answers) or rules.find_variants_fault(words)
        if fault is None:
            break
        _say(f"  {fault[0]} {fault[1]}")
    given: dict[str, int | str] = {"seats": seats, **answers, **words}
    defaults: dict[str, int | str] = {"seats": 1}
    defaults |= {limit.name: limit.default(number, seats) for limit in rules.limits}
    defaults |= {variant.name: variant.default for variant in rules.variants}
    contest.limits = {name: value for name, value in given.items() if value != defaults[name]}


def _ask_for_word(variant: Variant) -> str:
    for word, meaning in variant.words.items():
        _say(f"    {word:<12}{meaning}")

    def find_fault(word: str) -> str | None:
        return None if word in variant.words else f"expected one of {', '.join(variant.words)}"

    return _ask(f"  {variant.name}: {variant.meaning}", find_fault, variant.default)


def _ask_for_number(question: str, lowest: int, highest: int, default: int) -> int:
    def find_fault(text: str) -> str | None:
        plain = text.removeprefix("-")
        fits = plain.isascii() and plain.isdigit() and len(plain) < 6 and lowest <= int(text) <= highest
        return None if fits else f"expected a whole number from {lowest} to {highest}"

    return int(_ask(f"{question}, {lowest} to {highest}", find_fault, str(default)))


def fewest_options(method: str) -> int:
    """Fewest options that a contest of this method has; 1 for a method that does not exist."""
    return METHODS[Method(method)].min_options if method in tuple(Method) else 1


def _new(find_fault: FindFault, taken: Collection[str]) -> FindFault:
    """Refuse, besides what is faulty, what is taken."""
    return lambda text: "is taken already" if text in taken else find_fault(text)


def _ask(question: str, find_fault: FindFault, default: str | None = None) -> str:
    """Ask until the answer has no fault. default: what Enter stands for; None where an answer is needed."""
    while True:
        answer = _read_line(question, default)
        fault = find_fault(answer)
        if fault is None:
            return answer
        _say(f"  {quote(answer)}: {fault}")


def _read_line(question: str, default: str | None) -> str:
    # Not typer.prompt: it writes a space of each question to stdout, which is for data alone.
    typer.echo(f"{question} [{default}]: " if default else f"{question}: ", nl=False, err=True)
    try:
        return input().strip() or default or ""
    except EOFError:
        raise InputError("the answers ended before the questions did: nothing was written") from None


def _say(text: str) -> None:
    typer.echo(text, err=True)
