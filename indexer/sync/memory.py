"""Keeping a process small while megabytes come and go.

glibc serves blocks below a threshold from arenas, one for each of several threads, and raises the threshold to the size
of whatever large block was freed last. Logs, answers and rows are made in one thread and freed in another, so that the
arenas end up as holes, which are memory all the same: 50 MB after a million ballots, and more after the next million.
Blocks above the threshold are the system's own, which gets them back at once. Source: mallopt(3), M_MMAP_THRESHOLD.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8
"""Names of the parameters in glibc's malloc.h."""

THRESHOLD_BYTES = 32 * 1024
"""Below the text of a full batch of ballots, above all that is made by the thousand."""

ARENAS = 2


@cache
def return_large_blocks() -> bool:
    """Let this process give large blocks of memory back as soon as they are freed; once does it.

    Returns whether that worked: only glibc has the means, and elsewhere nothing changes.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, THRESHOLD_BYTES)) and bool(mallopt(M_ARENA_MAX, ARENAS))
