"""Cutting out of what an endpoint says whatever may be a key of its URL, in the forms in which servers repeat it.

A key may be a part of the path, a value in the query, a user's name or password, or a label of the host. Servers echo
them percent-encoded or not, in capitals or not, and a name with its password as base64, as the header has it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import SplitResult, quote, unquote, unquote_plus, urlsplit

from qballot.endpoint_list import find_host_keys

MASK = "***"
"""Stands where a key was."""

LONG_CHARACTERS = 8
"""A part of a URL from this length on is masked wherever it appears; a shorter one where it is a word of its own."""

SHORT_PATH_CHARACTERS = 4
"""A shorter part of a path is a key from this length on, when it has a digit: most are words such as `rpc` or `v3`."""

MAX_READ = 10_000
"""Characters of a text that are looked through; the rest is not shown."""

MAX_SAID = 500
"""Characters of what an endpoint says that are read and shown."""


class Mask:
    """Masks what may be a key of one URL."""

    def __init__(self, url: str) -> None:
        forms = {form for secret in _find_secrets(urlsplit(url)) for form in _spell(secret)}
        # The longest first: one may be part of another.
        self.forms = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(_to_pattern, self.forms)), re.IGNORECASE) if forms else None

    def cut(self, text: str, most: int = MAX_SAID) -> str:
        """Return a text without keys, shortened to so many characters. It is masked before it is cut, never after."""
        if self._pattern is None:
            return text[:most]
        masked = self._pattern.sub(MASK, text[:MAX_READ])
        if len(text) > MAX_READ:
            # The last characters that were read may be a part of a key.
            masked = masked[: -len(self.forms[0])]
        return masked[:most]


def _find_secrets(parts: SplitResult) -> Iterator[str]:
    """Find the parts of a URL that may be a key."""
    for word in parts.path.split("/"):
        has_digit = any(character.isdigit() for character in word)
        if len(word) >= LONG_CHARACTERS or (len(word) >= SHORT_PATH_CHARACTERS and has_digit):
            yield word
    for item in parts.query.split("&"):
        name, equals, value = item.partition("=")
        yield value if equals else name
    yield from find_host_keys(parts.hostname or "")
    name, password = parts.username or "", parts.password or ""
    yield from (name, password)
    if name or password:
        pair = b64encode(f"{unquote(name)}:{unquote(password)}".encode()).decode()
        yield pair.rstrip("=")


def _spell(secret: str) -> Iterator[str]:
    """Return a secret as servers may write it. Numbers of few digits are none: `archive=1`."""
    if secret and not (secret.isdigit() and len(secret) < LONG_CHARACTERS):
        yield from {secret, unquote(secret), unquote_plus(secret), quote(unquote_plus(secret), safe="")}


def _to_pattern(form: str) -> str:
    found = re.escape(form)
    return found if len(form) >= LONG_CHARACTERS else rf"(?<![^\W_]){found}(?![^\W_])"
