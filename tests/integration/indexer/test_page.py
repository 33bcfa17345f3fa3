"""The pages, read as a browser would: what is shown, and that hostile texts stay texts."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from proving import keep_proof, say
from scenes import SALAD, SOUP, cancel, contradict_head, create_raw, follow, hold_election
from served import serve
from sqlalchemy import Engine

import indexer.api
from indexer.api import build_app
from indexer.api.pages import draw_bars
from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address
from qballot.core.definition import parse_definition, parse_definition_document
from qballot.core.keccak import keccak
from qballot.testing import make_election

pytestmark = pytest.mark.integration

VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """A page's elements and texts; every element must be closed where it was opened."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert "script-src" not in response.headers["content-security-policy"]
        self.feed(response.text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts += [" ".join(data.split())] if data.strip() else []

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    def find(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_page__through_an_election__says_what_the_result_is_worth(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = make_election(devnet)
    follower = follow(devnet, sqlite_engine)
    address = checksum_address(scene.deployment.box)
    with serve(build_app(sqlite_engine)) as client:

        def read() -> Page:
            follower.sync_once()
            return Page(client.get(f"/e/{address}"))

        assert "No election is indexed yet." in Page(client.get("/")).text
        assert "Not open yet" in read().text
        scene.open()
        scene.cast_signed([(0, SOUP), (1, SOUP), (2, SALAD)])
        page = read()
        assert "Voting is open" in page.texts
        assert "names no winner" in page.text
        assert "leading" in page.texts
        assert "winner" not in page.texts
        assert "wins with" not in page.text
        scene.close()
        page = read()
        assert "Lunch" in page.texts
        assert "Closed" in page.texts
        assert "winner" in page.texts
        assert "Soup wins with 2 votes." in page.texts
        assert "Proven: nothing is believed but the hash of block" in page.text
        assert "one endpoint can invent a whole chain" in page.text
        assert "verified" not in page.text.lower()
        assert f"{devnet.rpc.block('latest').number}, " in page.text
        assert "3 of 5 voters have cast a ballot" in page.text
        assert "3 ballots: 3 counted, 0 blank, 0 spoiled." in page.text
        assert [bar["value"] for bar in page.find("progress")] == ["100", "50", "0"]
        home = Page(client.get("/"))
        assert {"href": f"/e/{address}"} in home.find("a")
        assert client.get("/static/style.css").headers["content-type"].startswith("text/css")


def test_page__blank_and_spoiled_ballots__are_named(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    follow(devnet, sqlite_engine).sync_once()
    with serve(build_app(sqlite_engine)) as client:
        page = Page(client.get(f"/e/{checksum_address(scene.deployment.box)}"))
    assert "5 ballots: 3 counted, 1 blank, 1 spoiled (1 too many choices)." in page.text


HOSTILE = "<script>alert(1)</script>"


def test_page__hostile_texts__stay_texts(devnet: Devnet, sqlite_engine: Engine) -> None:
    document = {
        "qballot": 1,
        "title": f"{HOSTILE} {{{{ 7*7 }}}} &amp; '\"><img src=x onerror=alert(1)>",
        "description": "</p></main><h1>Verified</h1>\n<b>bold</b>",
        "organizer": "<a href=javascript:alert(1)>us</a>",
        "language": "en",
        "contests": [
            {
                "id": "a",
                "title": f"'{HOSTILE}",
                "description": "<style>*{display:none}</style>",
                "method": "plurality",
                "options": [{"id": "x", "title": '"><script>x</script>'}, {"id": "y", "title": "]]><y onload=1>"}],
            }
        ],
    }
    definition = parse_definition_document(json.dumps(document))[1]
    box = create_raw(devnet, definition)
    broken = create_raw(devnet, json.dumps({HOSTILE: HOSTILE}).encode(), salt=100)
    follow(devnet, sqlite_engine).sync_once()
    with serve(build_app(sqlite_engine)) as client:
        answers = [client.get(path) for path in ("/", f"/e/{checksum_address(box)}", f"/e/{checksum_address(broken)}")]
    for answer in answers:
        page = Page(answer)
        assert answer.status_code == 200
        assert HOSTILE not in answer.text
        names = {tag for tag, _ in page.tags}
        assert not names & {"script", "img", "b", "style", "y"}
        assert all(not name.startswith("on") for _, attributes in page.tags for name in attributes)
        assert all(link["href"] is not None and link["href"].startswith("/") for link in page.find("a"))
        assert len(page.find("h1")) == 1
    assert "{{ 7*7 }} &amp; '\"><img" in Page(answers[1]).text
    assert "<b>bold</b>" in Page(answers[1]).text


def test_page__cancelled_election__says_so(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = make_election(devnet)
    cancel(scene)
    follow(devnet, sqlite_engine).sync_once()
    with serve(build_app(sqlite_engine)) as client:
        page = Page(client.get(f"/e/{checksum_address(scene.deployment.box)}"))
    assert "Cancelled by its organizer before the opening" in page.text
    assert page.find("progress") == []


def test_page__head_contradicted__warns_above_every_name(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    scene.close()
    contradict_head(devnet, sqlite_engine, scene.deployment.box)
    with serve(build_app(sqlite_engine)) as client:
        page = Page(client.get(f"/e/{checksum_address(scene.deployment.box)}"))
    assert {"class": "alarm", "role": "alert"} in page.find("p")
    assert page.text.index("whoever is named here may not have won") < page.text.index("winner")


def test_page__proven__says_who_names_the_hash_and_links_the_evidence(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    scene.close()
    follow(devnet, sqlite_engine).sync_once()
    block = keep_proof(devnet, sqlite_engine, scene.deployment.box)
    address = checksum_address(scene.deployment.box)
    with serve(build_app(sqlite_engine)) as client:

        def read() -> Page:
            return Page(client.get(f"/e/{address}"))

        assert "nobody has named the hash" in read().text
        say(sqlite_engine, block, {"a.example": None, "b.example": None})
        page = read()
        assert "Witnessed: verified against the hash of block" in page.text
        places = [
            page.text.index(words) for words in ("Witnessed:", "Who names the hash", "a.example names it", "Evidence")
        ]
        assert places == sorted(places)
        assert {"href": f"/elections/{address}/evidence"} in page.find("a")
        assert {"href": f"/elections/{address}/verification"} in page.find("a")
        say(sqlite_engine, block, {"a.example": None, "b.example": None}, final=True)
        assert "names it, and calls the block finalized" in read().text
        say(sqlite_engine, block, {"<b>liar</b>": keccak(b"another")})
        page = read()
        assert {"class": "alarm", "role": "alert"} in page.find("p")
        assert "<b>liar</b> names another one" in page.text
        assert "verified against" not in page.text
        assert page.text.index("on another chain somebody else may have won") < page.text.index("winner")


@pytest.mark.parametrize("path", ["/?after=x", "/?after=0", f"/?after={2**63}"])
def test_home__no_such_page__is_a_page_that_says_so(sqlite_engine: Engine, path: str) -> None:
    with serve(build_app(sqlite_engine)) as client:
        answer = client.get(path)
    assert answer.status_code == 422
    assert "query.after" in Page(answer).text


@pytest.mark.parametrize("path", ["/e/0x5FbDB2315678afecb367f032d93F642f64180aa3", "/e/nonsense", "/e/0x12"])
def test_page__no_such_election__is_a_page_that_says_so(sqlite_engine: Engine, path: str) -> None:
    with serve(build_app(sqlite_engine)) as client:
        answer = client.get(path)
    assert answer.status_code == 404
    assert "No such election" in Page(answer).texts


def test_home__more_than_a_page__goes_on(
    devnet: Devnet, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexer.api.routes.pages.ELECTIONS_A_PAGE", 2)
    for salt in range(3):
        make_election(devnet, salt=salt)
    follow(devnet, sqlite_engine).sync_once()
    with serve(build_app(sqlite_engine)) as client:
        first = Page(client.get("/"))
        assert {"href": "/?after=2"} in first.find("a")
        second = Page(client.get("/?after=2"))
    assert len([link for link in second.find("a") if str(link["href"]).startswith("/e/")]) == 1
    assert not any(str(link["href"]).startswith("/?") for link in second.find("a"))


def test_bars__negative_and_fractional_totals__are_exact() -> None:
    document = {
        "qballot": 1,
        "title": "T",
        "contests": [
            {
                "id": "c",
                "title": "C",
                "method": "score",
                "options": [{"id": name, "title": name.upper()} for name in ("a", "b", "c", "d")],
            }
        ],
    }
    contest = parse_definition(parse_definition_document(json.dumps(document))[1]).contests[0]
    count = {"winners": [], "tied": ["b", "c"], "tied_for": "seat", "leading": []}
    bars = draw_bars(contest, {**count, "totals": {"a": "-7/3", "b": "14/3", "c": "14/3", "d": "0"}})
    assert [(bar.title, bar.total, bar.percent, bar.negative, bar.mark) for bar in bars] == [
        ("B", "14/3", 100, False, "tied"),
        ("C", "14/3", 100, False, "tied"),
        ("D", "0", 0, False, ""),
        ("A", "-7/3", 50, True, ""),
    ]
    nothing = draw_bars(contest, {**count, "totals": dict.fromkeys("abcd", "0")})
    assert [bar.percent for bar in nothing] == [0, 0, 0, 0]


def test_templates__all__hold_no_script_and_no_inline_style() -> None:
    folder = Path(indexer.api.__file__).parent / "templates"
    for path in folder.glob("*.html"):
        source = path.read_text(encoding="utf-8")
        assert "<script" not in source
        assert "style=" not in source
        assert "| safe" not in source
