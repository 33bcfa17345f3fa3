"""How long work says how far it is."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


def say_nothing(_step: str, _done: int, _total: int) -> None:
    """Report to nobody."""
