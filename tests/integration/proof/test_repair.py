"""Records that a proof contradicts are put right, from another endpoint's logs or from receipts, or shown as wrong."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from databases import DIALECTS, PostgresServer
from fault_proxy import Behaviour, Call, Reply, Result, run_proxy
from indexes import Clock, Rows, open_url, read_content
from liar import tell
from lies import HEADERS
from log_lies import (
    alter_ballot,
    drop_cancellation,
    drop_log,
    forge_batch,
    forge_cancellation,
    forge_definition,
    repeat_log,
    swap_logs,
    vote_in_the_cancelled,
)
from lying_chain import CAST_BLOCKS, World
from sqlalchemy import Engine, func, select
from story import Story

from indexer.results import Results
from indexer.storage.model import Batch, NewBatch, RangeChange
from indexer.storage.proof_model import Repair
from indexer.storage.proof_tables import REPAIRS
from indexer.storage.replace import PlaceTakenError, Replacement
from indexer.storage.repository import Repository
from indexer.storage.tables import HEAD_CHECKS
from indexer.storage.writer import IndexWriter
from indexer.sync import Follower
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.core.keccak import keccak
from qballot.core.records import Record, pack_records
from qballot.core.types import VoterIndex, Weight

pytestmark = pytest.mark.integration

SEED = 5
Edit = Callable[[random.Random, Story], None]

RECEIPTS_EDITS = [alter_ballot, drop_log, forge_cancellation]
EDITS = [alter_ballot, drop_log, drop_cancellation, forge_batch, forge_cancellation, repeat_log, swap_logs]


@pytest.fixture(params=DIALECTS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of each kind."""
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.create_database()
    else:
        url = f"sqlite:///{tmp_path / 'index.sqlite3'}"
    with open_url(url) as engine:
        yield engine


@pytest.fixture(scope="module")
def honest(worlds: tuple[World, World], tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What an index of the true chain holds."""
    path = tmp_path_factory.mktemp("honest") / "index.sqlite3"
    with open_url(f"sqlite:///{path}") as engine, Rpc(worlds[0].url) as rpc:
        Follower(rpc, engine).sync_once()
        return read_content(engine)


def lie(world: World, edit: Edit, *, seed: int = SEED, in_receipts: bool = True) -> Behaviour:
    """Tell other logs, with all but the proofs to fit. in_receipts: and the receipts."""
    story = Story(world, json.loads(json.dumps(world.logs)), in_heads=True, in_receipts=in_receipts)
    story.blooms = "fitting"
    edit(random.Random(seed), story)
    story.logs.sort(key=lambda log: (int(log["blockNumber"], 16), int(log["logIndex"], 16)))
    assert story.logs != world.logs
    return tell(story)


def index(engine: Engine, *behaviours: Behaviour, until: int | None = None) -> None:
    """Index up to a block from endpoints that behave so."""
    proxies = [run_proxy(behaviour) for behaviour in behaviours]
    started = [proxy.__enter__() for proxy in proxies]
    try:
        rpcs = [Rpc(proxy.url, 5.0, attempts=1) for proxy in started]
        with Endpoints(rpcs, operators=["first", "second"][: len(rpcs)], clock=Clock()) as endpoints:
            Follower(endpoints, engine).sync_once(until)
    finally:
        for proxy in proxies:
            proxy.__exit__(None, None, None)


def load_repairs(engine: Engine, world: World) -> list[Repair]:
    with Repository(engine).snapshot() as snapshot:
        return [repair for box in world.boxes for repair in snapshot.proofs.load_repairs(box, limit=10)]


@pytest.mark.parametrize("edit", EDITS)
def test_wrong_records__with_an_honest_second_operator__are_put_right_from_its_logs(
    worlds: tuple[World, World], engine: Engine, honest: Rows, edit: Edit
) -> None:
    world = worlds[0]
    index(engine, lie(world, edit), world.node)
    assert read_content(engine) == honest
    (repair,) = load_repairs(engine, world)
    assert repair.source.startswith("logs of http://127.0.0.1")
    assert repair.block_number == world.latest
    document = Results(Repository(engine), needed=2).find_result(repair.box)
    assert document is not None
    assert document["level"] == "witnessed"
    assert document["alarm"] is None
    assert len(document["repaired"]) == 1


@pytest.mark.parametrize("edit", RECEIPTS_EDITS)
def test_wrong_records__from_the_only_endpoint_with_true_receipts__are_put_right_from_these(
    worlds: tuple[World, World], engine: Engine, honest: Rows, edit: Edit
) -> None:
    world = worlds[0]
    story = lie(world, edit, in_receipts=False)
    asked_for_proofs = threading.Event()

    def behave(call: Call) -> Reply:
        # While it is indexed from it fits its headers to its logs; whoever checks their hashes gets the true ones.
        if call.method == "eth_getProof":
            asked_for_proofs.set()
        return world.node(call) if call.method in HEADERS and asked_for_proofs.is_set() else story(call)

    index(engine, behave)
    assert read_content(engine) == honest
    (repair,) = load_repairs(engine, world)
    assert repair.source.startswith("receipts of http://127.0.0.1")


def test_repair__in_the_midst_of_voting__lets_the_index_go_on_from_there(
    worlds: tuple[World, World], engine: Engine, honest: Rows
) -> None:
    world = worlds[0]
    for seed in range(3):
        until = world.first + 4 + CAST_BLOCKS // 2 + seed
        index(engine, lie(world, alter_ballot, seed=seed), world.node, until=until)
    index(engine, world.node)
    assert read_content(engine) == honest


def test_wrong_records__that_nobody_puts_right__are_shown_as_wrong_with_the_reason(
    worlds: tuple[World, World], engine: Engine
) -> None:
    world = worlds[0]
    index(engine, lie(world, drop_log))
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(REPAIRS)) == 0
        failures = list(connection.scalars(select(HEAD_CHECKS.c.failure).where(HEAD_CHECKS.c.failure.is_not(None))))
    assert len(failures) == 1
    assert "could not be put right" in failures[0]
    documents = [Results(Repository(engine), needed=2).find_result(box) for box in world.boxes]
    (document,) = [document for document in documents if document and document["alarm"]]
    assert document["level"] == "indexed"
    assert "could not be put right" in document["alarm"]


def test_repair__in_vain__is_tried_again_ever_more_seldom(
    worlds: tuple[World, World], engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    world = worlds[0]
    first = world.latest - 40
    with run_proxy(lie(world, drop_log)) as proxy, Rpc(proxy.url, attempts=1) as rpc:
        follower = Follower(rpc, engine)
        tried = []
        for block in range(first, world.latest + 1):
            caplog.clear()
            follower.sync_once(block)
            if any("NOT REPAIRED" in str(record.msg) for record in caplog.records):
                tried.append(block - first)
    assert tried == [0, 1, 3, 7, 15, 31]
    documents = [Results(Repository(engine), needed=2).find_result(box) for box in world.boxes]
    assert sum("could not be put right" in ((document or {}).get("alarm") or "") for document in documents) == 1


@pytest.mark.parametrize("seconds", [-700, -(10**4), 10**5, 10**8])
def test_false_time__of_the_last_blocks_under_their_true_hashes__is_put_right_by_the_proof(
    worlds: tuple[World, World], engine: Engine, honest: Rows, seconds: int
) -> None:
    world = worlds[0]
    story = Story(world, world.logs)
    for number in range(world.latest - 3, world.latest + 1):
        story.fields[number] = {"timestamp": hex(int(world.headers[number]["timestamp"], 16) + seconds)}
    index(engine, tell(story), world.node)
    assert read_content(engine) == honest
    for box in world.boxes:
        document = Results(Repository(engine), needed=2).find_result(box)
        assert document is not None
        assert document["level"] == "witnessed"
        assert document["block"]["timestamp"] == int(world.headers[world.latest]["timestamp"], 16)


@pytest.mark.parametrize("edit", [forge_definition, vote_in_the_cancelled])
def test_what_cannot_have_been__with_an_honest_second_operator__is_read_from_that(
    worlds: tuple[World, World], engine: Engine, honest: Rows, edit: Edit
) -> None:
    index(engine, lie(worlds[0], edit), worlds[0].node)
    assert read_content(engine) == honest


def test_forged_code__with_an_honest_second_operator__is_read_from_that(
    worlds: tuple[World, World], engine: Engine, honest: Rows
) -> None:
    def forge(call: Call) -> Reply:
        reply = worlds[0].node(call)
        if call.method != "eth_getCode" or not isinstance(reply, Result):
            return reply
        return Result(reply.value[:-2] + ("00" if reply.value[-2:] != "00" else "01"))

    index(engine, forge, worlds[0].node)
    assert read_content(engine) == honest


def test_log__told_of_another_box__is_put_right_for_both_at_once(
    worlds: tuple[World, World], engine: Engine, honest: Rows
) -> None:
    world = worlds[0]

    def swap(_chance: random.Random, story: Story) -> None:
        """Tell a ballot of the second box, in the midst of them, of the first one."""
        first, second = ("0x" + box.hex() for box in world.boxes[:2])
        places = [place for place, log in enumerate(story.logs) if log["address"] == second]
        place = places[len(places) // 2]
        story.logs[place] = {**story.logs[place], "address": first}

    index(engine, lie(world, swap), world.node)
    assert read_content(engine) == honest
    assert {repair.box for repair in load_repairs(engine, world)} == set(world.boxes[:2])


def test_replace__batch_at_a_log_of_another_election__is_refused_and_changes_nothing(
    worlds: tuple[World, World], engine: Engine, honest: Rows
) -> None:
    world = worlds[0]
    index(engine, world.node)
    with Repository(engine).snapshot() as snapshot:
        cursor = snapshot.load_cursor()
        first, second = (snapshot.load_election(box) for box in world.boxes[:2])
        assert cursor is not None
        assert cursor.block is not None
        assert first is not None
        assert second is not None
        taken = snapshot.load_batch(second, 0)
        last = snapshot.load_batch(first, first.batches - 1)
        assert taken is not None
        assert last is not None
    packed = pack_records([Record(VoterIndex(1), 5, Weight(1), b"\1")])
    batch = Batch(last.sequence, taken.source, last.first_position, 1, keccak(packed))
    change = RangeChange(cursor.block, updated={first.box: first}, batches=[NewBatch(first.box, batch, packed)])
    replacement = Replacement(first.number, first.box, cursor.block, last.sequence, 1, last.records, change, "nobody")
    writer = IndexWriter(engine, chain_id=cursor.chain_id, factory=cursor.factory)
    with pytest.raises(PlaceTakenError, match="is said to be a batch of this box, and the index has it as one of"):
        writer.replace([replacement], observed_at_unix=0.0)
    assert read_content(engine) == honest
