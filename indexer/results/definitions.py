"""Definitions as they are needed again and again, parsed once."""

from __future__ import annotations

from functools import lru_cache

from qballot.core.definition import parse_definition
from qballot.core.election import Definition
from qballot.errors import DefinitionError, StorageError


@lru_cache(maxsize=256)
def load_definition(data: bytes) -> Definition:
    """Parse the bytes of a definition. Raises DefinitionError."""
    return parse_definition(data)


def require_definition(data: bytes) -> Definition:
    """Parse a definition that was valid when it was indexed. Raises StorageError when it no longer is."""
    try:
        return load_definition(data)
    except DefinitionError as error:
        raise StorageError("another version made this index, by other rules for definitions: index again") from error


def find_definition(data: bytes) -> Definition | None:
    """Parse the bytes of a definition; None when it is invalid."""
    try:
        return load_definition(data)
    except DefinitionError:
        return None
