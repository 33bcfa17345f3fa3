"""From a definition's bytes to its meaning, and to its hash."""

from __future__ import annotations

from qballot.core.canonical import (
    MAX_DEFINITION_BYTES,
    MAX_DOCUMENT_BYTES,
    JsonTree,
    find_canonical_fault,
    parse_strict_json,
    to_canonical_json,
)
from qballot.core.definition.contests import read_contests
from qballot.core.definition.reader import ObjectReader, describe
from qballot.core.definition.texts import (
    find_description_fault,
    find_language_fault,
    find_name_fault,
    find_title_fault,
)
from qballot.core.election import Definition
from qballot.core.keccak import keccak
from qballot.core.problems import Problems, join_path
from qballot.core.types import Hash32
from qballot.errors import DefinitionError, Problem, UnknownVersionError

VERSION = 1
"""The value of `qballot`: which counting specification a definition asks for. A change of meaning is a new number."""

_PATH = join_path("", "qballot")

DEFINITION_KEYS = ("qballot", "title", "description", "organizer", "language", "contests")


def parse_definition(data: bytes) -> Definition:
    """Read a definition's canonical bytes, as they stand in the event that created the election.

    Raises UnknownVersionError for strict JSON with a version that is not known, whatever else it holds; else
    DefinitionError with every problem and its path, among them that the bytes are not canonical.
    """
    tree = parse_strict_json(data)
    _refuse_unknown_version(tree)
    problems = Problems()
    fault = find_canonical_fault(data, tree)
    if fault:
        problems.add(fault.path, fault.message)
    return _read_definition(tree, problems)


def parse_definition_document(document: str | bytes) -> tuple[Definition, bytes]:
    """Read an author's file: the same checks, any spacing and key order.

    document: at most MAX_DOCUMENT_BYTES. Returns the definition and its canonical bytes, which is what an election is
    created with. Raises UnknownVersionError, and DefinitionError with every problem and its path.
    """
    tree = parse_strict_json(_encode_text(document) if isinstance(document, str) else document, MAX_DOCUMENT_BYTES)
    _refuse_unknown_version(tree)
    canonical = to_canonical_json(tree)
    problems = Problems()
    if len(canonical) > MAX_DEFINITION_BYTES:
        problems.add("", f"has {len(canonical)} canonical bytes, expected at most {MAX_DEFINITION_BYTES}")
    return _read_definition(tree, problems), canonical


def refuse_unknown_definition(data: bytes) -> None:
    """Raise UnknownVersionError for a definition's bytes of a version that is not known; whether valid is not said."""
    try:
        tree = parse_strict_json(data)
    except DefinitionError:
        return
    _refuse_unknown_version(tree)


def definition_hash(data: bytes) -> Hash32:
    """Hash a definition's canonical bytes, exactly as the factory does. Returns 32 bytes."""
    return keccak(data)


def _encode_text(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        found = f"U+{ord(text[error.start]):04X} at character {error.start}"
        raise DefinitionError([Problem("", f"found the lone surrogate {found}")]) from None


def _read_definition(tree: JsonTree, problems: Problems) -> Definition:
    """Read the whole document, which is of no other version than the known one."""
    root = ObjectReader(tree, "", problems)
    if isinstance(tree, dict):
        _check_version(tree, problems)
    definition = Definition(
        title=root.text("title", find_title_fault),
        description=root.text("description", find_description_fault, default=""),
        organizer=root.text("organizer", find_name_fault, default=""),
        language=root.text("language", find_language_fault, default="en"),
        contests=read_contests(root),
    )
    root.refuse_unknown(DEFINITION_KEYS)
    problems.raise_if_any()
    return definition


def _refuse_unknown_version(tree: JsonTree) -> None:
    """Raise UnknownVersionError for a number that this program does not know: such a document is never invalid."""
    version = _read_number(tree.get("qballot")) if isinstance(tree, dict) else None
    if version is not None and version != VERSION:
        raise UnknownVersionError("definition version", version, VERSION)


def _check_version(tree: dict[str, JsonTree], problems: Problems) -> None:
    """Note a version that is missing, or no number."""
    if "qballot" not in tree:
        problems.add(_PATH, f"is missing, expected {VERSION}")
    elif _read_number(tree["qballot"]) is None:
        problems.add(_PATH, f"found {describe(tree['qballot'])}, expected {VERSION}")


def _read_number(value: JsonTree) -> int | None:
    # True and False are integers to Python, and not to JSON.
    return value if isinstance(value, int) and not isinstance(value, bool) else None
