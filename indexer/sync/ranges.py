"""How many blocks to ask for at once. Pure: what came back goes in, a number of blocks comes out.

logs came back  ─▶ as many blocks as should hold TARGET_LOGS logs or TARGET_BYTES of data, whichever is less
refused         ─▶ what the endpoint suggests, else half; from there on the limit is searched between what was
                   taken and what was refused, and once found it is tried again ever more rarely
failed          ─▶ half, for now: an error that says nothing of limits may still be about too many blocks
"""

from __future__ import annotations

FIRST_BLOCKS = 10
"""Blocks of the first range: even full of ballots they fit in memory, and hardly an endpoint refuses so few."""

MAX_BLOCKS = 10_000
"""Most blocks of a range, however empty: the next one may be full. Many endpoints have this limit too."""

TARGET_LOGS = 5_000
TARGET_BYTES = 1024 * 1024
"""What a range should hold: enough that requests cost nothing, little enough that a few ranges fit in memory."""

GROWTH = 4
"""How many times as many blocks the next range may have."""

FIRST_PATIENCE = 4
"""Ranges at an endpoint's limit before more is asked for again. Doubled by each refusal, up to MAX_PATIENCE."""

MAX_PATIENCE = 1_024


class RangeSizer:
    """Sizes ranges by what the earlier ones returned. Not to be shared between threads."""

    def __init__(self) -> None:
        self._wish = FIRST_BLOCKS
        # The most that may be asked for as far as is known, and the least that was refused.
        self._limit = MAX_BLOCKS
        self._refused: int | None = None
        self._taken_at_limit = 0
        self._patience = FIRST_PATIENCE
        self._probe: int | None = None
        self._knows = False

    @property
    def knows(self) -> bool:
        """Whether any range has returned yet: before that, how much the next ones hold is anyone's guess."""
        return self._knows

    @property
    def blocks(self) -> int:
        """How many blocks the next range should have, but for a try beyond the limit."""
        return min(self._wish, self._limit)

    def next_blocks(self) -> int:
        """Return how many blocks to ask for now: mostly `blocks`, now and then more than the endpoint took before."""
        is_due = self._refused is not None and self._taken_at_limit >= self._patience
        if is_due and self._wish > self._limit:
            # One that is cut short, by the end of what is wanted or by an error, tells nothing: it is repeated later.
            self._taken_at_limit = 0
            self._probe = min(2 * self._limit, self._wish)
            return self._probe
        return self.blocks

    def returned(self, blocks: int, *, logs: int, size: int) -> None:
        """Tell what a range held. size: bytes of all logs' data."""
        self._knows = True
        load = max(logs / TARGET_LOGS, size / TARGET_BYTES)
        fitting = int(blocks / load) if load else MAX_BLOCKS
        # A short range says that more would be too much, and hardly that it would not be.
        if blocks >= self.blocks or fitting < self._wish:
            self._wish = max(1, min(fitting, blocks * GROWTH, MAX_BLOCKS))
        if self._refused is not None:
            self._search_limit(blocks, self._refused)

    def refused(self, blocks: int, *, suggested: int | None = None) -> None:
        """Tell that an endpoint did not answer for so many blocks. suggested: how many it would answer for."""
        if blocks == self._probe:
            self._probe = None
            self._taken_at_limit = 0
            self._patience = min(2 * self._patience, MAX_PATIENCE)
            return
        if blocks <= self._limit or self._refused is None:
            self._limit = max(1, blocks // 2) if suggested is None else suggested
            self._refused = blocks if suggested is None else suggested + 1
            self._taken_at_limit = 0

    def failed(self, blocks: int) -> None:
        """Tell that there was no usable answer for so many blocks, for whatever reason."""
        if blocks == self._probe:
            self._probe = None
            self._taken_at_limit = 0
        self._wish = max(1, min(self._wish, blocks // 2))

    def _search_limit(self, blocks: int, refused: int) -> None:
        if blocks == self._probe:
            self._probe = None
        if blocks >= refused:
            self._limit, self._refused = MAX_BLOCKS, None
            self._taken_at_limit, self._patience = 0, FIRST_PATIENCE
        elif blocks >= self._limit:
            middle = (blocks + refused) // 2
            is_near = middle - blocks <= blocks // 4
            self._limit = blocks if is_near else middle
            self._taken_at_limit += is_near
