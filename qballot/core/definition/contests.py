"""Reading a definition's contests: ids and titles that are unique, options, and the limits of the contest's method."""

from __future__ import annotations

from collections.abc import Sequence

from qballot.core.canonical import JsonTree
from qballot.core.definition.reader import ObjectReader, refuse_repeated
from qballot.core.definition.requires import read_requires
from qballot.core.definition.texts import find_description_fault, find_id_fault, find_title_fault, simplify_title
from qballot.core.election import Contest, Method, Option, TieRule
from qballot.core.problems import Problems, join_path
from qballot.core.tally.methods import METHODS
from qballot.core.tally.outcome import list_in_words

MAX_CONTESTS = 64

MAX_OPTIONS = 127
"""Most options of one contest: as many as an int8 has ranks."""

MAX_TOTAL_OPTIONS = 1_024
"""Most options of all contests together, which is a ballot's length in bytes."""

CONTEST_KEYS = ("id", "title", "description", "method", "options", "seats", "tie", "requires")
OPTION_KEYS = ("id", "title", "description")


def read_contests(root: ObjectReader) -> tuple[Contest, ...]:
    """Read `contests`: at least one, with ids and titles of their own."""
    path = join_path(root.path, "contests")
    nodes = root.items("contests", 1, MAX_CONTESTS)
    contests = [read_contest(node, join_path(path, index), root.problems) for index, node in enumerate(nodes)]
    _refuse_repeated_names([(contest.id, contest.title) for contest in contests], path, "a contest", root.problems)
    total = sum(len(contest.options) for contest in contests)
    if total > MAX_TOTAL_OPTIONS:
        root.refuse("contests", f"found {total} options in all, expected at most {MAX_TOTAL_OPTIONS}")
    return tuple(contests)


def read_contest(node: JsonTree, path: str, problems: Problems) -> Contest:
    """Read one contest with its method's limits. path: where it stands in the document."""
    reader = ObjectReader(node, path, problems)
    word = reader.choice("method", tuple(Method))
    method = Method(word) if word else None
    options = _read_options(reader, METHODS[method].min_options if method else 1)
    seats = _read_seats(reader, method, len(options))
    contest = Contest(
        id=reader.text("id", find_id_fault),
        title=reader.text("title", find_title_fault),
        description=reader.text("description", find_description_fault, default=""),
        # A contest without a valid method is read no further than this, since it is refused already.
        method=method or Method.PLURALITY,
        options=options,
        seats=seats,
        tie=TieRule(reader.choice("tie", tuple(TieRule), default=TieRule.REPORT) or TieRule.REPORT),
        limits=_read_limits(reader, method, len(options), seats) if method else {},
        variants=_read_variants(reader, method) if method else {},
        requires=read_requires(reader, method),
    )
    _refuse_unknown_keys(reader, method)
    return contest


def _read_options(reader: ObjectReader, fewest: int) -> tuple[Option, ...]:
    path = join_path(reader.path, "options")
    nodes = reader.items("options", fewest, MAX_OPTIONS)
    options = [_read_option(node, join_path(path, index), reader.problems) for index, node in enumerate(nodes)]
    _refuse_repeated_names([(option.id, option.title) for option in options], path, "an option", reader.problems)
    return tuple(options)


def _read_option(node: JsonTree, path: str, problems: Problems) -> Option:
    reader = ObjectReader(node, path, problems)
    option = Option(
        id=reader.text("id", find_id_fault),
        title=reader.text("title", find_title_fault),
        description=reader.text("description", find_description_fault, default=""),
    )
    reader.refuse_unknown(OPTION_KEYS)
    return option


def _read_seats(reader: ObjectReader, method: Method | None, number_of_options: int) -> int:
    most = METHODS[method].max_seats if method else MAX_OPTIONS
    if number_of_options and number_of_options < most:
        return reader.integer("seats", 1, number_of_options, default=1, meaning="no more win than there are options")
    meaning = f"{method} elects no more" if method else "how many options win"
    return reader.integer("seats", 1, most, default=1, meaning=meaning)


def _read_limits(reader: ObjectReader, method: Method, number_of_options: int, seats: int) -> dict[str, int]:
    # Without a valid list of options, bounds that follow their number would only raise false alarms.
    number = number_of_options or MAX_OPTIONS
    rules = METHODS[method]
    limits = {
        limit.name: reader.integer(
            limit.name,
            limit.lowest(number, seats),
            limit.highest(number, seats),
            limit.default(number, seats),
            limit.meaning,
        )
        for limit in rules.limits
    }
    fault = rules.find_limits_fault(limits)
    if fault:
        reader.refuse(*fault)
    return limits


def _read_variants(reader: ObjectReader, method: Method) -> dict[str, str]:
    rules = METHODS[method]
    variants = {
        variant.name: reader.choice(variant.name, tuple(variant.words), default=variant.default) or variant.default
        for variant in rules.variants
    }
    fault = rules.find_variants_fault(variants)
    if fault:
        reader.refuse(*fault)
    return variants


def _refuse_unknown_keys(reader: ObjectReader, method: Method | None) -> None:
    owners: dict[str, list[str]] = {}
    for owner, rules in METHODS.items():
        for name in rules.keys:
            owners.setdefault(name, []).append(owner)

    def explain(key: str) -> str | None:
        if key not in owners:
            return None
        return f"is a limit of {list_in_words(owners[key])}, and this contest's method is {method}"

    own = METHODS[method].keys if method else tuple(owners)
    reader.refuse_unknown((*CONTEST_KEYS, *own), explain)


def _refuse_repeated_names(names: Sequence[tuple[str, str]], path: str, what: str, problems: Problems) -> None:
    """Note ids and titles that stood before. names: (id, title) of each item of the list at `path`."""
    paths = [join_path(path, index) for index in range(len(names))]
    for position, key in enumerate(("id", "title")):
        values = [(join_path(item, key), pair[position]) for item, pair in zip(paths, names, strict=True)]
        refuse_repeated(values, f"{what}'s {key}", problems, simplify_title)
