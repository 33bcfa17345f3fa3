"""Every fork that we know, through headers, evidence, receipts, lots and the index: whole chains and changes midway."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from fault_proxy import run_proxy
from forked import tell_forks
from indexes import Clock, open_url, read_content
from liar import tell
from lying_chain import CAST_BLOCKS, World
from sqlalchemy import Engine
from story import Story

from indexer.journal import LOGGER_NAME
from indexer.results import Results
from indexer.results.receipts import FoundBallot, Receipts
from indexer.storage.repository import Repository
from indexer.storage.tables import BATCHES, ELECTIONS
from indexer.sync import Follower
from indexer.sync.repair_receipts import read_receipts
from qballot.chain.endpoints import Endpoints
from qballot.chain.lot import fetch_lot_headers
from qballot.chain.pins import default_pins
from qballot.chain.proofs import fetch_header
from qballot.chain.rpc import Rpc
from qballot.core.forks import FORKS, Fork, count_fields, find_fork
from qballot.core.proof import (
    decode_header,
    encode_header,
    find_lot_block,
    hash_header,
    read_evidence,
    verify_evidence,
    verify_receipt_file,
    write_evidence,
)
from qballot.core.proof.verify import EvidenceCheck
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.types import ChainId
from qballot.evidence import collect_evidence

pytestmark = pytest.mark.integration

MIDWAY = CAST_BLOCKS // 2


def middle_of(world: World) -> int:
    """A block in the midst of voting."""
    return world.first + 3 + MIDWAY


def lot_block_of(world: World) -> int:
    """The block that the lots of the election that is over are drawn from."""
    needed = world.plans[0].arguments.closes_at + LOT_DELAY_SECONDS
    return min(number for number, header in world.headers.items() if int(header["timestamp"], 16) >= needed)


def all_at_once(world: World) -> dict[int, Fork]:
    """Let every fork happen while votes are cast, one in each block."""
    start = middle_of(world) - len(FORKS) // 2
    return {0: FORKS[0]} | {start + place: fork for place, fork in enumerate(FORKS)}


CHANGES = {
    **{fork.name: (lambda _, fork=fork: {0: fork}) for fork in FORKS},
    **{
        f"{before.name} to {after.name} {where.__name__.removesuffix('_of')}": (
            lambda world, before=before, after=after, where=where: {0: before, where(world): after}
        )
        for before, after in pairwise(FORKS)
        for where in (middle_of, lot_block_of)
    },
    "all of them": all_at_once,
}


@pytest.fixture(scope="module", params=CHANGES)
def story(request: pytest.FixtureRequest, world: World) -> Story:
    """The true chain, told with a fork or with a change of forks."""
    return tell_forks(world, CHANGES[request.param](world))


@pytest.fixture(scope="module")
def url(story: Story) -> Iterator[str]:
    """Where an endpoint tells it."""
    with run_proxy(tell(story)) as proxy:
        yield proxy.url


@pytest.fixture
def rpc(url: str) -> Iterator[Rpc]:
    """That endpoint."""
    with Rpc(url, 5.0, attempts=1) as rpc:
        yield rpc


@pytest.fixture(scope="module")
def indexed(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An index of it, that two operators' endpoints gave: looked at before the middle, at it, and at the end."""
    database = f"sqlite:///{tmp_path_factory.mktemp('forks') / 'index.sqlite3'}"
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(str(record.msg))  # type: ignore[method-assign]
    logging.getLogger(LOGGER_NAME).addHandler(handler)
    try:
        with ExitStack() as stack:
            engine = stack.enter_context(open_url(database))
            urls = [stack.enter_context(run_proxy(tell(story))).url for _ in range(2)]
            rpcs = [stack.enter_context(Rpc(url, 5.0, attempts=1)) for url in urls]
            endpoints = stack.enter_context(Endpoints(rpcs, operators=["first", "second"], clock=Clock()))
            for until in (middle_of(story.world) - 1, middle_of(story.world), None):
                Follower(endpoints, engine).sync_once(until)
            assert not said
            yield engine
    finally:
        logging.getLogger(LOGGER_NAME).removeHandler(handler)


def test_headers__of_each_block__have_the_fork_s_fields(story: Story, rpc: Rpc) -> None:
    for number in (0, middle_of(story.world) - 1, middle_of(story.world), story.world.latest):
        header = fetch_header(rpc, number)
        values = [getattr(header, name) for name in type(header).__slots__]
        count = sum(value is not None for value in values)
        assert find_fork(count) is not None
        assert decode_header(encode_header(header)) == header
        assert f"0x{hash_header(header).hex()}" == story.headers[number]["hash"]


def test_index__of_each_fork__is_that_of_the_true_chain_and_verified(
    story: Story, indexed: Engine, world: World, tmp_path: Path
) -> None:
    with open_url(f"sqlite:///{tmp_path / 'true.sqlite3'}") as engine, Rpc(world.url) as rpc:
        Follower(rpc, engine).sync_once()
        assert _without_hashes(engine) == _without_hashes(indexed)
    results = Results(Repository(indexed), needed=2)
    for box in world.boxes:
        document = results.find_result(box)
        assert document is not None
        assert document["level"] in {"witnessed", "final"}
        assert (document["alarm"], document["unknown_header"], document["repaired"]) == (None, None, [])
        assert document["block"]["hash"] == story.headers[document["block"]["number"]]["hash"]


def _without_hashes(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """What an index holds, but for the hashes of blocks, which are others after each fork."""
    content = read_content(engine)
    kept = {}
    for name, table in (("elections", ELECTIONS), ("batches", BATCHES)):
        places = [place for place, column in enumerate(table.columns) if column.name != "block_hash"]
        kept[name] = [tuple(row[place] for place in places) for row in content[name]]
    return {**kept, "ballots": content["ballots"], "ballot_groups": content["ballot_groups"]}


def test_evidence__at_blocks_of_each_fork__holds_and_is_read_again(story: Story, rpc: Rpc) -> None:
    pins = default_pins()
    for block in (middle_of(story.world) - 1, middle_of(story.world), story.world.latest):
        evidence = collect_evidence(rpc, story.world.boxes[0], block=block).evidence
        again = read_evidence(write_evidence(evidence))
        trusted = bytes.fromhex(story.headers[block]["hash"][2:])
        found = verify_evidence(again, trusted, pins)
        assert found.failure is None
        assert found.proven is not None
        other = verify_evidence(again, bytes.fromhex(story.headers[block - 1]["hash"][2:]), pins)
        assert other.failure is not None
        assert other.failure.check is EvidenceCheck.HEADER


def test_receipts__of_ballots_on_both_sides__hold(story: Story, rpc: Rpc, indexed: Engine) -> None:
    repository, box = Repository(indexed), story.world.boxes[1]
    with Endpoints([rpc], operators=["a"]) as endpoints, repository.snapshot() as snapshot:
        receipts = Receipts(repository, endpoints)
        election = snapshot.load_election(box)
        assert election is not None
        blocks = set()
        for position in (0, election.records // 2, election.records - 1):
            found = receipts.find_ballot(box, position)
            assert isinstance(found, FoundBallot)
            source = found.ballot.batch.source
            verified = verify_receipt_file(receipts.fetch(found), source.block_hash, box=box, chain_id=ChainId(31337))
            assert verified.failure is None
            assert verified.record == found.ballot.record
            assert f"0x{source.block_hash.hex()}" == story.headers[source.block_number]["hash"]
            blocks.add(source.block_number)
    assert min(blocks) < middle_of(story.world) <= max(blocks)


def test_receipts__walked_through_from_the_latest_block__give_all_batches(story: Story, rpc: Rpc) -> None:
    world = story.world
    last = bytes.fromhex(story.headers[world.latest]["hash"][2:])
    for box in world.boxes[:2]:
        logs = [log for log in world.logs if log["address"] == f"0x{box.hex()}"]
        events = read_receipts(rpc, box, world.first, world.latest, last)
        assert [event.source.log_index for event in events] == [int(log["logIndex"], 16) for log in logs]
        assert [event.source.block_number for event in events] == [int(log["blockNumber"], 16) for log in logs]


def test_lots__by_headers_across_each_fork__are_drawn_from_the_same_block(
    story: Story, rpc: Rpc, indexed: Engine
) -> None:
    world, number = story.world, lot_block_of(story.world)
    trusted = encode_header(fetch_header(rpc, world.latest))
    closes_at = world.plans[0].arguments.closes_at
    found = find_lot_block(fetch_lot_headers(rpc, number, world.latest), trusted, closes_at)
    assert found.number == number
    assert f"0x{found.mix_hash.hex()}" == world.headers[number]["mixHash"]
    with Repository(indexed).snapshot() as snapshot:
        (mark,) = [mark for mark in snapshot.proofs.load_marks(world.boxes[0]) if mark.has_lot]
        kept = snapshot.proofs.load_proof(mark.box, mark.block.hash)
    assert kept is not None
    assert find_lot_block(kept.lot, kept.header, closes_at) == found


def test_changes__of_all_forks__are_among_them() -> None:
    assert len(CHANGES) == len(FORKS) + 2 * (len(FORKS) - 1) + 1
    assert [count_fields(fork) for fork in FORKS] == sorted(count_fields(fork) for fork in FORKS)
