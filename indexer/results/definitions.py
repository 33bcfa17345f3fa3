"""Definitions as they are needed again and again, parsed once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from indexer.storage.model import Listing
from qballot.core.definition import parse_definition
from qballot.core.election import Definition
from qballot.core.types import Hash32
from qballot.errors import DefinitionError, StorageError, UnknownVersionError

KEPT_HEADINGS = 10_000


@lru_cache(maxsize=256)
def load_definition(data: bytes) -> Definition:
    """Parse the bytes of a definition. Raises DefinitionError, UnknownVersionError."""
    return parse_definition(data)


def require_definition(data: bytes) -> Definition:
    """Parse a definition that was valid when it was indexed. Raises StorageError when it no longer is."""
    try:
        return load_definition(data)
    except (DefinitionError, UnknownVersionError) as error:
        raise StorageError("another version made this index, by other rules for definitions: index again") from error


def find_definition(data: bytes) -> Definition | None:
    """Parse the bytes of a definition; None when it is invalid, or of an unknown version."""
    try:
        return load_definition(data)
    except (DefinitionError, UnknownVersionError):
        return None


@dataclass(frozen=True, slots=True)
class Heading:
    """What a list shows of a definition. language: a BCP 47 tag."""

    title: str
    language: str


class Headings:
    """The headings of many elections, so that a list need not load their definitions again. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._headings: OrderedDict[Hash32, Heading | None] = OrderedDict()

    def find_missing(self, listings: Iterable[Listing]) -> list[int]:
        """Give the numbers of the valid elections whose definition has to be loaded."""
        with self._lock:
            return [item.number for item in listings if item.invalid_reason is None and not self._knows(item)]

    def find_headings(self, listings: Sequence[Listing], definitions: Mapping[int, bytes]) -> list[Heading | None]:
        """Give each election's heading, None for one that is not counted. definitions: at least the missing ones."""
        return [None if item.invalid_reason is not None else self._find(item, definitions) for item in listings]

    def _knows(self, item: Listing) -> bool:
        return item.definition_hash in self._headings

    def _find(self, item: Listing, definitions: Mapping[int, bytes]) -> Heading | None:
        data = definitions.get(item.number)
        with self._lock:
            if data is None:
                return self._headings.get(item.definition_hash)
        definition = find_definition(data)
        heading = None if definition is None else Heading(definition.title, definition.language)
        with self._lock:
            self._headings[item.definition_hash] = heading
            while len(self._headings) > KEPT_HEADINGS:
                self._headings.popitem(last=False)
        return heading
