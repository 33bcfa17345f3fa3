"""A certificate as one page of PDF, A4."""

from __future__ import annotations

import re
from hashlib import sha256
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Final

from reportlab.lib.colors import Color, black, white
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Frame, KeepInFrame, Paragraph, Spacer, Table, TableStyle

from qballot.certificate.code import make_code
from qballot.certificate.facts import CertificateFacts, ContestFacts
from qballot.certificate.fonts import Typeface, load_typeface

MARGIN: Final = 18 * mm
FOOT: Final = 46 * mm
CODE: Final = 38 * mm

MAX_CONTESTS: Final = 12
MAX_OPTIONS: Final = 8
"""More are in the evidence; what is shown is made smaller until it fits the page."""

_NO_DATE: Final = "D:19700101000000Z"

_GREY: Final = Color(0.35, 0.35, 0.35)
_LOUD: Final = Color(1, 0.953, 0.769)


def write_pdf(facts: CertificateFacts, font: Path | None = None) -> bytes:
    """Write a certificate, the same bytes for the same facts and font.

    font: a TrueType font for texts that the usual one lacks. Raises InputError as of `load_typeface` and `make_code`.
    """
    face = load_typeface(font, _list_texts(facts))
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=1)
    canvas.setDateFormatter(lambda *_: _NO_DATE)
    canvas.setTitle(facts.title)
    canvas.setAuthor(facts.organizer)
    canvas.setSubject("Certificate of result")
    width, height = A4[0] - 2 * MARGIN, A4[1] - 2 * MARGIN - FOOT
    page = KeepInFrame(width, height, _lay_out(facts, face, width), mode="shrink")
    frame = Frame(MARGIN, MARGIN + FOOT, width, height, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    frame.addFromList([page], canvas)
    _draw_foot(canvas, facts, face, width)
    canvas.showPage()
    canvas.save()
    return _name_by_content(file.getvalue())


def _name_by_content(data: bytes) -> bytes:
    """Give a document an identifier of what is in it: the library's follows from the environment too."""
    before, mark, trailer = data.rpartition(b"/ID")
    name = sha256(before).hexdigest()[:32].encode()
    return before + mark + re.sub(rb"<[0-9a-f]{32}>", b"<" + name + b">", trailer, count=2)


def _lay_out(facts: CertificateFacts, face: Typeface, width: float) -> list[Flowable]:
    style = _Styles(face)
    parts: list[Flowable] = [
        style.write("Certificate of result", 9, color=_GREY),
        style.write(facts.title, 20, bold=True),
        style.write(facts.organizer, 11, color=_GREY),
        Spacer(0, 3 * mm),
        _box_state(facts, style, width),
    ]
    for contest in facts.contests[:MAX_CONTESTS]:
        parts += _lay_contest(contest, style, width)
    if len(facts.contests) > MAX_CONTESTS:
        rest = len(facts.contests) - MAX_CONTESTS
        parts.append(style.write(f"… and {rest} further contests: see the evidence.", 10))
    parts.append(Spacer(0, 4 * mm))
    rows = [[style.write(label, 8, bold=True), style.write(value, 8)] for label, value in facts.facts]
    line = ("LINEABOVE", (0, 0), (-1, 0), 0.5, _GREY)
    parts.append(Table(rows, colWidths=[24 * mm, width - 24 * mm], style=TableStyle([*_TIGHT, line])))
    return parts


def _box_state(facts: CertificateFacts, style: _Styles, width: float) -> Table:
    lines = [
        style.write(facts.state, 13, bold=True),
        style.write(facts.state_text, 10),
        style.write(f"Level of verification: {facts.level}. Its block's hash:", 10),
        *(style.write(line, 10) for line in facts.named_by),
    ]
    ground = _LOUD if facts.is_unnamed else white
    look = TableStyle([("BOX", (0, 0), (-1, -1), 1.2, black), ("BACKGROUND", (0, 0), (-1, -1), ground)])
    return Table([[lines]], colWidths=[width], style=look)


def _lay_contest(contest: ContestFacts, style: _Styles, width: float) -> list[Flowable]:
    parts: list[Flowable] = [
        Spacer(0, 4 * mm),
        style.write(contest.title, 12, bold=True),
        style.write(contest.rule, 9, color=_GREY),
        style.write(contest.outcome, 11, bold=True),
    ]
    if contest.verdict:
        parts.append(style.write(contest.verdict, 9))
    rows = [
        [
            style.write(option.title, 9, bold=option.is_ahead),
            style.write(option.total, 9, bold=option.is_ahead, end=True),
        ]
        for option in contest.options[:MAX_OPTIONS]
    ]
    parts.append(Table(rows, colWidths=[width - 45 * mm, 45 * mm], style=TableStyle(_TIGHT)))
    if len(contest.options) > MAX_OPTIONS:
        parts.append(style.write(f"… and {len(contest.options) - MAX_OPTIONS} further options.", 9))
    parts.append(style.write(contest.ballots, 8, color=_GREY))
    return parts


def _draw_foot(canvas: Canvas, facts: CertificateFacts, face: Typeface, width: float) -> None:
    rows = make_code(facts.code)
    side = CODE / len(rows)
    left, top = MARGIN + width - CODE, MARGIN + CODE
    path = canvas.beginPath()
    for y, row in enumerate(rows):
        for x, is_dark in enumerate(row):
            if is_dark:
                path.rect(left + x * side, top - (y + 1) * side, side, side)
    canvas.drawPath(path, stroke=0, fill=1)
    style = _Styles(face)
    words = (
        "The code holds where the evidence is, and its digest. Verify it with a block hash from a source of your own:"
    )
    text: list[Flowable] = [style.write(words, 9), Spacer(0, 2 * mm), style.write(facts.verify_with, 8)]
    room = width - CODE - 6 * mm
    foot = Frame(MARGIN, MARGIN, room, CODE, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0)
    foot.addFromList([KeepInFrame(room, CODE, text, mode="shrink")], canvas)


class _Styles:
    """Paragraphs in the certificate's typeface."""

    def __init__(self, face: Typeface) -> None:
        self._face = face

    def write(
        self, text: str, size: float, *, bold: bool = False, color: Color = black, end: bool = False
    ) -> Paragraph:
        """Make a paragraph of plain text. end: at the right."""
        style = ParagraphStyle(
            "text",
            fontName=self._face.bold if bold else self._face.plain,
            fontSize=size,
            leading=size * 1.3,
            textColor=color,
            alignment=2 if end else 0,
            splitLongWords=1,
        )
        return Paragraph(escape(text), style)


_TIGHT: Final = [
    ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]


def _list_texts(facts: CertificateFacts) -> list[str]:
    """List every text that somebody else has chosen."""
    shown = facts.contests[:MAX_CONTESTS]
    titles = [option.title for contest in shown for option in contest.options[:MAX_OPTIONS]]
    outcomes = [text for contest in shown for text in (contest.title, contest.outcome, contest.verdict)]
    return [facts.title, facts.organizer, *outcomes, *titles, *facts.named_by, facts.verify_with]
