"""A fork that this version does not know: nothing is proven from there on, and everybody is told; an update settles it.

The version before Amsterdam is made out of this one by taking the fork's row away.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import Behaviour, Call, Failure, Reply, Result, run_proxy
from forked import LATER, tell_forks
from indexes import Clock, open_url
from liar import tell
from lying_chain import World
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine
from typer.testing import CliRunner

from indexer.api.schemas import ResultBody
from indexer.api.verification_schemas import VerificationBody
from indexer.journal import LOGGER_NAME
from indexer.metrics import Metrics
from indexer.results import Results
from indexer.status import load_status
from indexer.storage.proof_model import SPACING
from indexer.storage.repository import Repository
from indexer.storage.writer import IndexWriter, reset_index
from indexer.sync import Follower
from qballot.chain.artifacts import default_factory
from qballot.chain.endpoints import Endpoints
from qballot.chain.proofs import fetch_header
from qballot.chain.rpc import Rpc
from qballot.cli import app, exit_status
from qballot.core import forks
from qballot.core.proof import header, header_answer
from qballot.core.types import ChainId
from qballot.errors import UnknownHeaderError

pytestmark = pytest.mark.integration

AMSTERDAM = forks.FORKS[-1]


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'index.sqlite3'}"


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    with open_url(database) as engine:
        yield engine


@pytest.fixture
def said() -> Iterator[list[str]]:
    """The warnings and errors that are logged."""
    found: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: found.append(f"{record.levelname} {record.msg}")  # type: ignore[method-assign]
    logging.getLogger(LOGGER_NAME).addHandler(handler)
    yield found
    logging.getLogger(LOGGER_NAME).removeHandler(handler)


@contextmanager
def knowing(known: tuple[forks.Fork, ...]) -> Iterator[None]:
    """Run as a version that knows these forks alone."""
    fields = tuple(field for fork in known for field in fork.added_fields)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forks, "FORKS", known)
        for module in (header, header_answer):
            patch.setattr(module, "FORKS", known)
            patch.setattr(module, "FIELDS", fields)
        patch.setattr(header_answer, "_KNOWN", header_answer.BESIDES | {field.name for field in fields})
        yield


def index(engine: Engine, *behaviours: Behaviour, until: int | None = None, times: int = 1) -> CollectorRegistry:
    """Start an indexer, look at the chain, and end it. Returns what it measured."""
    registry = CollectorRegistry()
    with ExitStack() as stack:
        urls = [stack.enter_context(run_proxy(behaviour)).url for behaviour in behaviours]
        rpcs = [Rpc(url, 5.0, attempts=1) for url in urls]
        operators = ["first", "second"][: len(rpcs)]
        endpoints = stack.enter_context(Endpoints(rpcs, operators=operators, clock=Clock()))
        follower = Follower(endpoints, engine, observer=Metrics(registry, clock=lambda: 0.0))
        for place in range(times):
            follower.sync_once(None if until is None else until + place)
    return registry


def find(engine: Engine, world: World, place: int = 1) -> dict[str, Any]:
    """What is served of an election: by default of the one that is still open."""
    results = Results(Repository(engine), needed=2)
    document, verification = results.find_result(world.boxes[place]), results.find_verification(world.boxes[place])
    assert document is not None
    assert verification is not None
    ResultBody.model_validate(document)
    VerificationBody.model_validate(verification)
    assert document["unknown_header"] == verification["unknown_header"]
    return document


def unknown_block(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("qballot_unknown_header_block")


def test_unknown_form__in_the_middle_of_an_election__is_told_everywhere_until_it_is_known(
    world: World, engine: Engine, database: str, said: list[str]
) -> None:
    fork = world.first + 11
    story = tell_forks(world, {0: forks.FORKS[-2], fork: AMSTERDAM})
    both = (tell(story), tell(story))
    with knowing(forks.FORKS[:-1]):
        registry = index(engine, *both, until=fork - 1)
        before = find(engine, world)
        assert before["level"] in {"witnessed", "final"}
        assert (before["unknown_header"], unknown_block(registry)) == (None, 0)
        assert not said
        registry = index(engine, *both, until=fork, times=_last_vote(world) - fork + 1)
        _check_told(engine, world, story.headers[fork], database)
        assert unknown_block(registry) == fork
        unknown = [text for text in said if "UNKNOWN HEADER" in text]
        assert len(unknown) == 1
        assert "blockAccessListHash" in unknown[0]
        assert not any("FALSE" in text or "MISMATCH" in text for text in said)
        # Of a second indexer after the first one's end: the block is kept, and the line not said again.
        said.clear()
        registry = index(engine, *both, until=world.latest - SPACING)
        assert unknown_block(registry) == fork
        assert not any("UNKNOWN HEADER" in text for text in said)
        assert find(engine, world)["level"] == "consistent"
    # The update.
    said.clear()
    registry = index(engine, *both)
    assert unknown_block(registry) == 0
    assert not said
    for place in range(len(world.boxes)):
        document = find(engine, world, place)
        assert document["level"] in {"witnessed", "final"}
        assert (document["alarm"], document["unknown_header"]) == (None, None)
    assert load_status(engine).unknown_header is None
    assert "UNKNOWN" not in CliRunner().invoke(app, ["index", "status", "--database", database]).stdout


def _last_vote(world: World) -> int:
    """The block with the last ballot in the election that is still open."""
    box = f"0x{world.boxes[1].hex()}"
    return max(int(log["blockNumber"], 16) for log in world.logs if log["address"] == box)


def _check_told(engine: Engine, world: World, first: dict[str, Any], database: str) -> None:
    """Check what results, status and the command say. first: the first header of the fork."""
    number = int(first["number"], 16)
    document = find(engine, world)
    assert document["level"] == "consistent"
    assert document["alarm"] is None
    told = document["unknown_header"]
    assert told["fields"] == ["blockAccessListHash", "slotNumber"]
    assert told["block"] == {
        "number": number,
        "hash": first["hash"],
        "timestamp": int(first["timestamp"], 16),
    }
    assert f"Since block {number} headers have a form" in told["text"]
    assert f"Not proven: since block {number}" in document["next_level_text"]
    assert "blockAccessListHash, slotNumber" in document["next_level_text"]
    status = CliRunner().invoke(app, ["index", "status", "--database", database, "--json"])
    kept = json.loads(status.stdout)["unknown_header"]
    assert (kept["fields"], kept["block"]) == (told["fields"], told["block"])
    assert "blockAccessListHash" in kept["problem"]
    shown = CliRunner().invoke(app, ["index", "status", "--database", database]).stdout
    assert f"headers      UNKNOWN since block {number:,} (blockAccessListHash, slotNumber): " in shown
    assert "update to a QBallot that knows this fork" in shown


def test_unknown_form__proven_before_and_nothing_new_since__stays_what_it_was(world: World, engine: Engine) -> None:
    fork = world.latest - 2
    story = tell_forks(world, {0: AMSTERDAM}, later_since=fork)
    index(engine, tell(story), tell(story), until=fork - 1)
    before = {place: find(engine, world, place) for place in (0, 2, 3)}
    assert all(document["level"] in {"witnessed", "final"} for document in before.values())
    registry = index(engine, tell(story), tell(story))
    assert unknown_block(registry) == fork + 2
    for place, known in before.items():
        document = find(engine, world, place)
        assert document["level"] in {"witnessed", "final"}
        assert document["block"] == known["block"]
        assert document["unknown_header"]["fields"] == [LATER.name]


def test_unknown_form__told_by_one_endpoint_alone__is_no_alarm(world: World, engine: Engine, said: list[str]) -> None:
    lie = _name_a_field(world.node)
    registry = index(engine, lie, world.node)
    assert unknown_block(registry) == 0
    assert load_status(engine).unknown_header is None
    assert find(engine, world)["level"] == "witnessed"
    assert not any("UNKNOWN HEADER" in text for text in said)
    # Nobody else is there to prove it: then it is told, until somebody does.
    reset_index(engine)
    registry = index(engine, lie)
    assert unknown_block(registry) == world.latest


def test_unknown_form__beside_an_endpoint_that_forgot_the_state__is_told(world: World, engine: Engine) -> None:
    story = tell_forks(world, {0: AMSTERDAM}, later_since=0)
    node = tell(story)

    def forgetful(call: Call) -> Reply:
        return Failure(-32000, "missing trie node") if call.method == "eth_getProof" else node(call)

    registry = index(engine, forgetful, node)
    assert unknown_block(registry) == world.latest
    assert find(engine, world)["level"] == "consistent"


def test_unknown_form__beside_an_endpoint_that_leaves_the_field_out__is_told(
    world: World, engine: Engine, said: list[str]
) -> None:
    story = tell_forks(world, {0: AMSTERDAM}, later_since=0)
    node = tell(story)

    def strip(call: Call) -> Reply:
        reply = node(call)
        if call.method == "eth_getBlockByNumber" and isinstance(reply, Result) and reply.value is not None:
            return Result({name: value for name, value in reply.value.items() if name != LATER.name})
        return reply

    registry = index(engine, strip, node)
    assert any("FALSE PROOF" in text for text in said)
    assert unknown_block(registry) == world.latest
    assert find(engine, world)["level"] == "consistent"


def _name_a_field(inner: Behaviour) -> Behaviour:
    """Let headers have a field more that is in no hash, and another hash's field changed."""

    def behave(call: Call) -> Reply:
        reply = inner(call)
        if call.method == "eth_getBlockByNumber" and isinstance(reply, Result) and reply.value is not None:
            return Result(reply.value | {LATER.name: "0x01", "extraData": "0x1234"})
        return reply

    return behave


def test_unknown_form__above_the_fork_of_a_reorganisation__is_forgotten(world: World, engine: Engine) -> None:
    since = world.latest - 4
    story = tell_forks(world, {0: AMSTERDAM}, later_since=since)
    index(engine, tell(story), until=since - 1)
    index(engine, tell(story), until=since + 1)
    with Repository(engine).snapshot() as snapshot:
        unknown, cursor = snapshot.proofs.load_unknown_header(), snapshot.load_cursor()
        blocks = {block.number: block for block in snapshot.load_blocks()}
    assert unknown is not None
    assert cursor is not None
    assert cursor.block is not None
    writer = IndexWriter(engine, chain_id=ChainId(31337), factory=default_factory())
    writer.rewind(blocks[since - 1], after=cursor.block, observed_at_unix=0.0)
    assert load_status(engine).unknown_header is None


@pytest.mark.parametrize("command", ["evidence", "receipt"])
def test_unknown_form__evidence_or_receipt_asked_of_a_node__ends_with_the_field_and_the_block(
    world: World, command: str, tmp_path: Path
) -> None:
    story = tell_forks(world, {0: AMSTERDAM}, later_since=0)
    arguments: dict[str, list[str]] = {
        "evidence": ["evidence", f"0x{world.boxes[0].hex()}", "--output", str(tmp_path / "evidence.jsonl")],
        "receipt": ["receipt", "get", f"0x{world.boxes[0].hex()}", "--position", "0"],
    }
    with run_proxy(tell(story)) as proxy:
        found = CliRunner().invoke(app, [*arguments[command], "--rpc-url", proxy.url])
    error = found.exception
    assert isinstance(error, UnknownHeaderError), found.output
    assert error.fields == (LATER.name,)
    assert "block " in str(error)
    assert LATER.name in str(error)
    assert "update to a QBallot that knows it" in str(error)
    # Nothing contradicts anything.
    assert exit_status(error) == 1


def test_unknown_form__of_a_header_that_is_fetched__names_endpoint_block_and_field(
    world: World,
) -> None:
    story = tell_forks(world, {0: AMSTERDAM}, later_since=5)
    with run_proxy(tell(story)) as proxy, Rpc(proxy.url, 5.0, attempts=1) as rpc:
        assert fetch_header(rpc, 4).slot_number == 5
        with pytest.raises(UnknownHeaderError, match=r"127\.0\.0\.1.*: block 5: .*laterRoot") as found:
            fetch_header(rpc, 5)
    assert found.value.fields == (LATER.name,)
