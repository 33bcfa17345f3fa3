"""docs/formats.md: its examples are read as they stand, and say what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from profile_samples import ranks_by_row, titles_of

from qballot.formats.abif import read_abif
from qballot.formats.blt import read_blt
from qballot.formats.convert import Format
from qballot.formats.cvr import read_cvr
from qballot.formats.preflib import read_preflib
from qballot.formats.rules import Overvote, Skipped

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
BLOCKS: dict[str, list[str]] = {}
for form, text in re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
    BLOCKS.setdefault(form, []).append(text)


def test_formats_document__examples__say_the_same_ballots() -> None:
    ranked, scored = map(read_abif, BLOCKS["abif"])
    assert titles_of(ranked) == ["Ada Lovelace", "Ben Roe", 'Cem "CK" K.']
    assert ranks_by_row(ranked) == [(27, ((0,), (1, 2))), (5, ((2,), (0,))), (3, ((1,),)), (2, ())]
    assert scored.scale == (0, 5)
    blt = read_blt(*BLOCKS["blt"])
    assert ranks_by_row(blt) == [(27, ((0,), (1, 2))), (5, ((2,), (), (0,))), (2, ())]
    assert (blt.seats, blt.withdrawn) == (2, {2})
    assert ranks_by_row(read_preflib(*BLOCKS["toi"])) == ranks_by_row(ranked)[:3]
    cvr = read_cvr(*BLOCKS["cvr"])
    assert titles_of(cvr) == ["Ada", "Ben", "Cem", "Write-in"]
    assert ranks_by_row(cvr) == [(1, ((0,), (1,))), (1, ()), (1, ((3,), (0,)))]


@pytest.mark.parametrize("word", [*Format, *(f"| `{rule}` |" for rule in (*Overvote, *Skipped))])
def test_formats_document__every_form_and_rule__is_on_the_page(word: str) -> None:
    assert word in PAGE


def test_formats_document__links__lead_somewhere() -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.+)$", PAGE, re.M)
    }
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        path, _, anchor = target.partition("#")
        if not path:
            assert anchor in anchors, target
        elif "://" not in path:
            assert (ROOT / "docs" / path).exists(), target
