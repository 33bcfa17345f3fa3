"""Large blocks of memory go back to the system, where it lets us choose."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

# Of blocks of 40,000 bytes, which glibc alone would keep in an arena: how many more bytes are the system's own.
MEASURE = """
import ctypes, sys
from indexer.sync.memory import return_large_blocks

class Usage(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Usage
assert return_large_blocks()
assert return_large_blocks()
before = libc.mallinfo2().hblkhd
blocks = [bytes(40_000) for _ in range(100)]
during = libc.mallinfo2().hblkhd
del blocks
print(during - before, libc.mallinfo2().hblkhd - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc lets a process choose")
def test_large_blocks__freed__are_the_systems_again() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True)
    during, after = map(int, done.stdout.split())
    # A few may fit into holes that there were.
    assert during >= 50 * 40_000
    assert after == 0
