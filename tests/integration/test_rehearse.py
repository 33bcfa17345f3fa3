"""Rehearsals as a user runs them: the command, its output, its errors, and nothing left running."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from databases import PostgresServer

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
CITY_COUNCIL = ROOT / "examples" / "city-council"
BURLINGTON = ROOT.parent / "shared" / "elections" / "burlington-2009-irv.csv"
QBALLOT = [sys.executable, "-c", "from qballot.cli import main; main()"]

REACHED = ("complete", "proven")

DEFINITION = {
    "qballot": 1,
    "title": "Lunch",
    "contests": [
        {
            "id": "dish",
            "title": "Which dish?",
            "method": "plurality",
            "options": [{"id": "soup", "title": "Soup"}, {"id": "stew", "title": "Stew"}],
        },
        {
            "id": "taste",
            "title": "How was the last one?",
            "method": "score",
            "min_score": -3,
            "max_score": 3,
            "options": [{"id": "soup", "title": "Soup"}, {"id": "stew", "title": "Stew"}],
        },
    ],
}
BALLOTS = """voter,weight,dish/soup,dish/stew,taste/soup,taste/stew
ann,2,1,0,3,-3
bob,1,0,1,,1
cem,79228162514264337593543950335,1,1,,
ann,2,0,1,-1,2
dee,1,,,9,0
bob,1,1,0,0,0
ann,2,1,0,3,-3
"""


@pytest.fixture
def lunch(tmp_path: Path) -> list[str]:
    (tmp_path / "definition.json").write_text(json.dumps(DEFINITION, indent=2))
    (tmp_path / "ballots.csv").write_text(BALLOTS)
    return [str(tmp_path / "definition.json"), str(tmp_path / "ballots.csv")]


def _environment(folder: Path, **changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QBALLOT_")}
    return {**kept, "TMPDIR": str(folder), **changes}


def _run(
    arguments: Sequence[str], folder: Path, command: str = "rehearse", **changes: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*QBALLOT, command, *arguments],
        cwd=folder,
        env=_environment(folder, **changes),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _tally(arguments: Sequence[str], folder: Path) -> list[dict[str, object]]:
    done = _run([*arguments, "--json"], folder, command="tally")
    assert done.returncode == 0, done.stderr
    contests: list[dict[str, object]] = json.loads(done.stdout)["contests"]
    return contests


def _without_leading(contests: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    return [{key: value for key, value in contest.items() if key != "leading"} for contest in contests]


@pytest.mark.parametrize("direct", [0, 1, 3, 7])
def test_rehearse__lunch__equals_the_tally_of_the_file(lunch: list[str], tmp_path: Path, direct: int) -> None:
    # Ann returns to her first ballot: said twice in the same second, it would be an exact repeat and not count.
    done = _run([*lunch, "--direct", str(direct), "--exit", "--json"], tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["state"], document["level"]) == REACHED
    assert _without_leading(document["contests"]) == _tally(lunch, tmp_path)
    assert document["records"] == 7
    assert document["turnout"]["voters_cast"] == 4
    assert not list(tmp_path.glob("qballot-rehearsal-*"))


def test_rehearse__city_council__prints_result_checks_gas_and_time(tmp_path: Path) -> None:
    files = [str(CITY_COUNCIL / name) for name in ("definition.json", "ballots.csv")]
    done = _run([*files, "--direct", "20", "--exit"], tmp_path)
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader(io.StringIO((CITY_COUNCIL / "ballots.csv").read_text())))[1:]
    assert f"ok  every row of the file is in the box: {len(rows)}" in done.stdout
    assert "ok  the result equals the count of the file alone" in done.stdout
    assert re.search(r"own transactions +[\d,]+ +\d+ ballots, [\d,]+ each", done.stdout)
    assert re.search(r"signed, \d+ batches +[\d,]+ +[\d,]+ ballots, [\d,]+ each", done.stdout)
    tally = _run(files, tmp_path, command="tally")
    assert done.stdout.startswith(tally.stdout)


def test_rehearse__evidence__is_verified_with_nothing_of_it_running(lunch: list[str], tmp_path: Path) -> None:
    (tmp_path / "evidence.jsonl").write_text("of an earlier rehearsal")
    done = _run([*lunch, "--direct", "2", "--exit", "--evidence", "evidence.jsonl"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^  ok +1  the file is whole and in its only form$", done.stdout, re.MULTILINE)
    assert re.search(r"^  ok +16  the result follows from the ballots that count$", done.stdout, re.MULTILINE)
    assert "level   proven" in done.stdout
    found = re.search(r"^  qballot (verify evidence\.jsonl --block-hash 0x[0-9a-f]{64})$", done.stdout, re.MULTILINE)
    assert found is not None
    command, *arguments = found.group(1).split()
    verified = _run([*arguments, "--json"], tmp_path, command=command, QBALLOT_RPC_URL="http://127.0.0.1:1")
    assert verified.returncode == 0, verified.stderr
    document = json.loads(verified.stdout)
    assert (document["state"], document["level"], document["electorate_checked"]) == ("complete", "witnessed", True)
    assert document["records"] == 7
    counts = document["result"]["contests"]
    assert [count["totals"] for count in counts] == [count["totals"] for count in _tally(lunch, tmp_path)]


def test_rehearse__postgresql__keeps_the_index_there(
    lunch: list[str], tmp_path: Path, postgres: PostgresServer
) -> None:
    url = postgres.create_database()
    done = _run([*lunch, "--exit", "--json", "--database", url], tmp_path)
    assert done.returncode == 0, done.stderr
    assert _without_leading(json.loads(done.stdout)["contests"]) == _tally(lunch, tmp_path)
    again = _run([*lunch, "--exit", "--database", url], tmp_path)
    assert again.returncode == 2
    assert "holds an index of chain 31337 already, expected an empty one" in again.stderr


@pytest.mark.skipif(not BURLINGTON.is_file(), reason="the real elections are not part of the project")
def test_rehearse__burlington_2009__gives_the_published_outcome(tmp_path: Path) -> None:
    titles = next(csv.reader(io.StringIO(BURLINGTON.read_text())))
    options = [{"id": f"c{number}", "title": title} for number, title in enumerate(titles)]
    contest = {"id": "mayor", "title": "Mayor", "method": "irv", "options": options}
    definition = tmp_path / "definition.json"
    definition.write_text(json.dumps({"qballot": 1, "title": "Burlington 2009", "contests": [contest]}))
    done = _run([str(definition), str(BURLINGTON), "--exit", "--json"], tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["state"], document["level"]) == REACHED
    ids = {option["title"]: option["id"] for option in options}
    (contest_result,) = document["contests"]
    assert contest_result["winners"] == [ids["Bob Kiss"]]
    rounds = [entry["votes"] for entry in contest_result["log"] if entry["kind"] == "round"]
    for name, votes in {"Kurt Wright": "2951", "Bob Kiss": "2585", "Andy Montroll": "2063"}.items():
        assert rounds[0][ids[name]] == votes
    assert rounds[-1] == {ids["Bob Kiss"]: "4313", ids["Kurt Wright"]: "4060"}


def _anvils_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return [child for child in psutil.Process(process.pid).children(recursive=True) if "anvil" in child.name()]


@contextmanager
def _serving(lunch: list[str], folder: Path):  # type: ignore[no-untyped-def]
    """A rehearsal that serves: the process, its URL, and its anvil processes. Ends with the process gone."""
    process = subprocess.Popen(
        [*QBALLOT, "rehearse", *lunch],
        cwd=folder,
        env=_environment(folder, QBALLOT_PORT="0"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(120, process.kill)
    watchdog.start()
    assert process.stderr is not None
    try:
        said = ""
        for line in process.stderr:
            said += line
            found = re.search(r"served at (http://127\.0\.0\.1:\d+)", line)
            if found:
                break
        else:
            pytest.fail(f"it never served:\n{said}")
        yield process, found.group(1), _anvils_of(process)
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_rehearse__serving_then_told_to_end__ends_everything(
    lunch: list[str], tmp_path: Path, number: signal.Signals
) -> None:
    with _serving(lunch, tmp_path) as (process, url, anvils):
        assert len(anvils) == 1
        (election,) = json.load(urllib.request.urlopen(f"{url}/elections"))["elections"]
        box = election["election"]
        result = json.load(urllib.request.urlopen(f"{url}/elections/{box}/results"))
        assert _without_leading(result["contests"]) == _tally(lunch, tmp_path)
        page = urllib.request.urlopen(f"{url}/e/{box}").read().decode()
        assert "Which dish?" in page
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
    _gone, alive = psutil.wait_procs(anvils, timeout=10)
    assert not alive
    assert not list(tmp_path.glob("qballot-rehearsal-*"))


def test_rehearse__killed_in_the_middle__leaves_no_chain_behind(tmp_path: Path) -> None:
    chooser = random.Random(7)
    rows = "\n".join(f"{chooser.randrange(2)},{chooser.randrange(2)}" for _ in range(3_000))
    contest = {**DEFINITION["contests"][0], "method": "approval"}  # type: ignore[index]
    (tmp_path / "definition.json").write_text(json.dumps({**DEFINITION, "contests": [contest]}))
    (tmp_path / "ballots.csv").write_text(f"soup,stew\n{rows}\n")
    arguments = [str(tmp_path / "definition.json"), str(tmp_path / "ballots.csv"), "--direct", "3000", "--exit"]
    with subprocess.Popen(
        [*QBALLOT, "rehearse", *arguments],
        cwd=tmp_path,
        env=_environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        deadline = time.monotonic() + 60
        while not (anvils := _anvils_of(process)):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) != 0
    assert not psutil.wait_procs(anvils, timeout=10)[1]
    assert not list(tmp_path.glob("qballot-rehearsal-*"))


def test_rehearse__port_in_use__says_so_before_anything_starts(lunch: list[str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _run(lunch, tmp_path, QBALLOT_PORT=str(port))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_rehearse__anvil_missing__says_where_it_was_expected(lunch: list[str], tmp_path: Path) -> None:
    done = _run([*lunch, "--exit"], tmp_path, QBALLOT_ANVIL=str(tmp_path / "anvil"))
    assert done.returncode == 1
    assert "expected anvil" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("dish/stew", "dish/pizza"), "dish/pizza"),
        (("ann,2,0,1", "ann,2,0,yes"), "row 5"),
        (("ann,2,0,1", "ann,7,0,1"), "row 5"),
        (("bob,1,0,1,,1\n", "bob,1,0,1\n"), "row 3"),
    ],
)
def test_rehearse__file_that_does_not_fit__names_the_place(
    lunch: list[str], tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    (tmp_path / "ballots.csv").write_text(BALLOTS.replace(*change))
    done = _run([*lunch, "--exit"], tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_rehearse__more_direct_casts_than_rows__refused(lunch: list[str], tmp_path: Path) -> None:
    done = _run([*lunch, "--direct", "8", "--exit"], tmp_path)
    assert done.returncode == 2
    assert "found 8 direct casts, expected 0 … 7" in done.stderr
