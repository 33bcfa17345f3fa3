"""Ids made of titles, for people who would rather not think of one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from qballot.core.definition.texts import MAX_ID_CHARACTERS

_OTHER = re.compile("[^a-z0-9]+")
_ROOM_FOR_NUMBER = 4


def propose_id(title: str, taken: Collection[str], fallback: str) -> str:
    """Propose an id for a title: its letters a-z and digits, hyphens between words, a number where it is taken.

    fallback: what a title without any such letter becomes. The document holds the id, so nothing depends on how it was
    found.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    short = _OTHER.sub("-", plain).strip("-")[: MAX_ID_CHARACTERS - _ROOM_FOR_NUMBER].strip("-") or fallback
    number = 1
    proposed = short
    while proposed in taken:
        number += 1
        proposed = f"{short}-{number}"
    return proposed
