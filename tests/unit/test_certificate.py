"""`qballot certificate`: what stands on the page, who is said to have named the block; and it is the same each time."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pypdfium2
import pytest
import typer
import zxingcpp
from typer.testing import CliRunner, Result

from qballot.certificate import CertificateFacts, write_html, write_pdf
from qballot.certificate.facts import ContestFacts, OptionLine
from qballot.cli.certificate import certificate_command
from qballot.core.keccak import keccak
from qballot.errors import DecodeError, InputError, ProofError

pytestmark = pytest.mark.unit

EVIDENCE = Path(__file__).parents[1] / "vectors" / "evidence"
INDEX = json.loads((EVIDENCE / "index.json").read_text())
GOOD = {item["name"]: item for item in INDEX["good"]}
ADDRESS = "https://votes.example.org/elections/0x00/evidence"
CAPITALS = "THIS PROVES NOTHING ABOUT THE CANONICAL CHAIN"
HUGE = CertificateFacts(
    title="A title of many words " * 12,
    organizer="The organizers of everything " * 5,
    language="en",
    state="Complete",
    state_text="closed",
    level="final",
    named_by=("named by endpoints of 2 different operators: one, two",),
    is_unnamed=False,
    contests=tuple(
        ContestFacts(
            title=f"Contest {number} " + "with words " * 20,
            rule="stv, 60 seats",
            outcome="Winners: " + ", ".join(f"Candidate {place}" for place in range(60)),
            verdict="Passed: all that was required is met. " * 3,
            options=tuple(OptionLine("Candidate " * 9 + str(place), str(2**96), place < 60) for place in range(127)),
            ballots="1000000 ballots: 1000000 counted, 0 blank, 0 spoiled.",
        )
        for number in range(40)
    ),
    facts=(("Block hash", "0x" + "ab" * 32),) * 14,
    code=ADDRESS,
    verify_with=f"qballot verify {ADDRESS}",
)


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(certificate_command)
    return CliRunner().invoke(app, list(map(str, arguments)))


def certify(folder: Path, name: str, *options: str, suffix: str = ".pdf") -> bytes:
    """Write the certificate of good evidence whose block hash is given by hand."""
    path = folder / f"{name}{suffix}"
    source = EVIDENCE / "good" / f"{name}.jsonl"
    done = run(source, "-o", path, "--block-hash", GOOD[name]["trusted_block_hash"], *options)
    assert done.exit_code == (4 if GOOD[name]["state"] == "partial" else 0), done.exception
    return path.read_bytes()


def read_pdf(data: bytes) -> str:
    """Give the text of a PDF of one page, with all white space as one blank."""
    document = pypdfium2.PdfDocument(data)
    assert len(document) == 1
    return " ".join(document[0].get_textpage().get_text_bounded().split())


def read_code(data: bytes) -> str:
    """Read the QR code off the page as a camera would."""
    image = pypdfium2.PdfDocument(data)[0].render(scale=2).to_pil()
    (code,) = zxingcpp.read_barcodes(image)
    return code.text


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def read_html(data: bytes) -> str:
    parser = _Text()
    parser.feed(data.decode().split("</style>")[1])
    return " ".join(" ".join(parser.parts).split())


@pytest.mark.parametrize("name", [name for name, item in GOOD.items() if item["state"] != "invalid"])
def test_certificate__every_good_evidence__says_result_block_and_who_named_it(tmp_path: Path, name: str) -> None:
    evidence = (EVIDENCE / "good" / f"{name}.jsonl").read_bytes()
    digest = f"0x{keccak(evidence).hex()}"
    pdf = certify(tmp_path, name, "--address", ADDRESS)
    texts = [read_pdf(pdf), read_html(certify(tmp_path, name, "--address", ADDRESS, suffix=".html"))]
    for text in texts:
        joined = text.replace(" ", "")
        for expected in (GOOD[name]["trusted_block_hash"], digest):
            assert expected in joined
        assert "given by hand: whoever gave it answers for it" in text
        assert re.search("Ballot box ?0x[0-9a-fA-F]{40}", text)
        assert ("Winner" in text) is ("Winner" in texts[0])
        if GOOD[name]["state"] == "partial":
            assert "Partial: voting goes on" in text
            assert "Winner" not in text
    assert read_code(pdf) == f"{ADDRESS}#keccak256={digest}"


def test_certificate__complete__names_winners_totals_and_turnout(tmp_path: Path) -> None:
    text = read_pdf(certify(tmp_path, "several-contests"))
    assert "The budget score, 1 seat Winner: X X 8 Y -3 5 ballots: 4 counted, 1 blank, 0 spoiled." in text
    assert "Turnout 5 of 5 voters; ballots cast, replaced ones included: 5" in text


def test_certificate__hash_of_the_evidence_itself__says_that_it_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "own.pdf"
    done = run(EVIDENCE / "good" / "small.jsonl", "-o", path)
    assert done.exit_code == 0
    assert CAPITALS in read_pdf(path.read_bytes())


def test_certificate__electorate_left_out__is_said_to_be_unchecked(tmp_path: Path) -> None:
    assert "Electorate NOT CHECKED" in read_pdf(certify(tmp_path, "without-census"))


@pytest.mark.parametrize("suffix", [".pdf", ".html"])
def test_certificate__made_again_elsewhere__is_byte_for_byte_the_same(tmp_path: Path, suffix: str) -> None:
    first = certify(tmp_path, "several-contests", "--address", ADDRESS, suffix=suffix)
    path = tmp_path / f"again{suffix}"
    source = EVIDENCE / "good" / "several-contests.jsonl"
    options = ("--block-hash", GOOD["several-contests"]["trusted_block_hash"], "--address", ADDRESS)
    program = "from qballot.cli import main; main()"
    environment = {**os.environ, "PYTHONHASHSEED": "5", "TZ": "Asia/Tokyo", "SOURCE_DATE_EPOCH": "1"}
    arguments = [sys.executable, "-c", program, "certificate", str(source), "-o", str(path), *options]
    assert subprocess.run(arguments, env=environment, capture_output=True, check=False).returncode == 0
    assert path.read_bytes() == first


@pytest.mark.parametrize("item", INDEX["bad"], ids=lambda item: item["name"])
def test_certificate__evidence_that_does_not_hold__is_not_written(tmp_path: Path, item: dict[str, str]) -> None:
    path = tmp_path / "bad.pdf"
    source = EVIDENCE / "bad" / f"{item['name']}.jsonl"
    done = run(source, "-o", path, "--block-hash", item["trusted_block_hash"])
    assert isinstance(done.exception, ProofError | DecodeError | InputError)
    assert not path.exists()


def test_certificate__invalid_election__has_none(tmp_path: Path) -> None:
    path = tmp_path / "invalid.pdf"
    item = GOOD["invalid-definition"]
    done = run(EVIDENCE / "good" / "invalid-definition.jsonl", "-o", path, "--block-hash", item["trusted_block_hash"])
    assert isinstance(done.exception, ProofError)
    assert not path.exists()


def test_certificate__many_long_contests__fit_one_page_and_say_what_is_left_out() -> None:
    text = read_pdf(write_pdf(HUGE))
    assert "… and 28 further contests: see the evidence." in text
    assert "… and 119 further options." in text
    assert "Candidate 0" in read_html(write_html(HUGE))


@pytest.mark.parametrize(
    ("title", "problem"),
    [
        ("Выборы", "does not have: name a TrueType font that does with --font"),
        ("انتخابات", "this script is not laid out on the PDF; write the certificate as HTML"),
        ("चुनाव", "this script is not laid out on the PDF; write the certificate as HTML"),
    ],
)
def test_certificate__letters_that_the_typeface_lacks__are_named(title: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        write_pdf(replace(HUGE, title=title))
    assert title in write_html(replace(HUGE, title=title)).decode()


def test_certificate__markup_in_titles__stays_text() -> None:
    facts = replace(HUGE, title="<b>A</b> & <script>alert(1)</script>")
    assert "<b>A</b> & <script>alert(1)</script>" in read_pdf(write_pdf(facts))
    assert b"<script>" not in write_html(facts)


def test_certificate__wrong_options__are_refused(tmp_path: Path) -> None:
    source = EVIDENCE / "good" / "small.jsonl"
    assert "found the suffix '.doc', expected .pdf or .html" in str(run(source, "-o", "result.doc").exception)
    long = "https://example.org/" + "a" * 400
    assert "too long for a code on paper" in str(run(source, "-o", tmp_path / "a.pdf", "--address", long).exception)
    font = tmp_path / "font.ttf"
    font.write_bytes(b"not a font")
    assert "expected a TrueType font" in str(run(source, "-o", tmp_path / "a.pdf", "--font", font).exception)
    certify(tmp_path, "small")
    again = run(source, "-o", tmp_path / "small.pdf")
    assert "small.pdf exists and is another file" in str(again.exception)
