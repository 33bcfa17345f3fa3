"""The typeface of a certificate on paper: what it can write, and what it cannot, is known before anything is drawn."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from qballot.errors import InputError

_FOLDER: Final = Path(reportlab.__file__).parent / "fonts"
_RIGHT_TO_LEFT: Final = {"R", "AL", "AN"}
# Blocks whose letters take another form or place beside others. Source: Unicode Standard, chapters 12, 13 and 16.
_SHAPED: Final = ((0x0900, 0x0DFF), (0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF))


@dataclass(frozen=True, slots=True)
class Typeface:
    """Names of registered fonts: of plain text, and of what stands out."""

    plain: str
    bold: str


def load_typeface(file: Path | None, texts: Iterable[str]) -> Typeface:
    """Register the fonts of a certificate with these texts.

    file: a TrueType font; when None, Bitstream Vera, which has the letters of Western Europe.
    Raises InputError for a file that is no such font, and for texts that it cannot write.
    """
    try:
        if file is None:
            plain, bold = TTFont("QBallot", _FOLDER / "Vera.ttf"), TTFont("QBallot-Bold", _FOLDER / "VeraBd.ttf")
        else:
            plain = TTFont("QBallot-Chosen", file)
            bold = plain
    except (TTFError, OSError) as error:
        raise InputError(f"{file} cannot be used: found {error}, expected a TrueType font") from error
    for text in texts:
        _check_text(text, plain)
    for font in (plain, bold):
        pdfmetrics.registerFont(font)
    return Typeface(plain.fontName, bold.fontName)


def _check_text(text: str, font: TTFont) -> None:
    for character in text:
        code = ord(character)
        name = f"{character!r} (U+{code:04X}) in {text!r}"
        if unicodedata.bidirectional(character) in _RIGHT_TO_LEFT or any(low <= code <= high for low, high in _SHAPED):
            raise InputError(f"found {name}: this script is not laid out on the PDF; write the certificate as HTML")
        if code not in font.face.charToGlyph:
            raise InputError(
                f"found {name}, which the typeface does not have: name a TrueType font that does with --font, such as "
                "DejaVuSans.ttf, or write the certificate as HTML"
            )
