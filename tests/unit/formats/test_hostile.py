"""Files made to hurt: long runs that a careless pattern would search for hours, depths, and characters that hide."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.errors import BallotFileError, InputError
from qballot.formats.abif import read_abif
from qballot.formats.blt import read_blt
from qballot.formats.cvr import looks_like_cvr, read_cvr
from qballot.formats.preflib import read_preflib
from qballot.formats.profile import Profile

pytestmark = pytest.mark.unit

READERS: dict[str, Callable[[str], Profile]] = {
    "abif": read_abif,
    "blt": read_blt,
    "preflib": read_preflib,
    "cvr": read_cvr,
}
LONG = 99_000
CPU_SECONDS = 20
"""Far more than any takes, and far less than a search that tries every way to cut a long line.

Of the processor's time: it does not matter what else the machine does.
"""

RUNS = [
    "{" + " " * LONG + "x",
    "{a" + " " * LONG + "}",
    '{"a":' + '"\\' * (LONG // 2),
    "# A" + " A" * (LONG // 2),
    "#" + " " * LONG + ":",
    "=" * LONG,
    "1:" + "a>" * (LONG // 2),
    "1:" + "[" * LONG,
    '1:"' + "\\" * LONG,
    "1:a" + "/1" * (LONG // 2),
    "9" * LONG,
    "1 " * (LONG // 2) + "0",
    "-1 " * (LONG // 3),
    "(" * LONG,
    "1 1" + "=1" * (LONG // 2) + " 0",
    '"' * LONG,
    "1: " + "{" * LONG,
    "1: {" + "1," * (LONG // 2),
    "1:" + "," * LONG,
    "rank1," * (LONG // 6),
    "rank" + "1" * LONG,
    "1.0" + "0" * LONG + ": a",
    "1/" + "0" * LONG + ": a",
]


@pytest.mark.parametrize("name", READERS)
def test_readers__long_runs__are_refused_or_read_soon(name: str) -> None:
    begun = time.process_time()
    for run in RUNS:
        for text in (
            run,
            f"2 1\n{run}\n",
            f"# DATA TYPE: toi\n# NUMBER ALTERNATIVES: 1\n# ALTERNATIVE NAME 1: A\n{run}",
        ):
            with suppress(BallotFileError):
                READERS[name](text)
    assert time.process_time() - begun < CPU_SECONDS


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\rx"])
def test_readers__control_characters__are_refused_with_row_and_place(name: str, character: str) -> None:
    with pytest.raises(BallotFileError, match=r"row 1: found the control character U\+.* at character 1"):
        READERS[name](f"A{character}\n")


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\u001b"])
def test_read_abif__escapes__hide_no_such_characters(escape: str) -> None:
    for line in (f'1:"A{escape}"', f'=a:"A{escape}"', f'{{"title": "A{escape}"}}'):
        with pytest.raises(BallotFileError, match=r"row 1: .* control character or half of a character"):
            read_abif(line)


@pytest.mark.parametrize("name", READERS)
def test_readers__one_name_written_in_two_ways__is_one_option(name: str) -> None:
    composed, split = "\u00e9", "e\u0301"
    texts = {
        "abif": f"1:[{composed}]>b\n1:[{split}]\n",
        "blt": f"1 1\n0\n{split}\n",
        "preflib": f"# DATA TYPE: toi\n# NUMBER ALTERNATIVES: 1\n# ALTERNATIVE NAME 1: {split}\n",
        "cvr": f"rank1,rank2\n{composed},b\n{split},b\n",
    }
    assert READERS[name](texts[name]).alternatives[0].title == composed


SIGNS = st.lists(
    st.sampled_from([*'0123=>,/:*#[]{}" -.()', "\n", "\n1 ", "\n1:", "\n# ", "A", "rank1", "é", "\\"])
).map("".join)


@pytest.mark.parametrize("name", READERS)
@given(SIGNS | st.text())
def test_readers__any_text__is_read_or_refused(name: str, text: str) -> None:
    with suppress(InputError):
        assert isinstance(READERS[name](text), Profile)
    with suppress(InputError):
        assert looks_like_cvr(text) in (True, False)
