"""What the follower proves and keeps: on a real node, on one that proves nothing, and on one that lies."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from scenes import (
    SALAD,
    SOUP,
    STATE_GONE,
    Tamper,
    cancel,
    drop_one_cast,
    follow,
    hold_election,
    lying_endpoint,
    refuse_proofs,
)
from sqlalchemy import Engine

from indexer.storage.model import Block, Election, HeadCheck
from indexer.storage.proof_model import SPACING, KeptProof, Naming, ProofMark
from indexer.storage.proof_writer import Place, ProofWriter, choose_kept
from indexer.storage.repository import Repository
from indexer.sync import Follower, lots, prover
from qballot.chain.devnet import Devnet
from qballot.chain.endpoints import Endpoints
from qballot.chain.pins import default_pins
from qballot.chain.rpc import Rpc
from qballot.core.definition import parse_definition_document
from qballot.core.keccak import keccak
from qballot.core.proof import BoxOrigin, find_lot_block, prove_head
from qballot.core.provenance import clone_runtime_code
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.types import Address, BlockNumber, UnixSeconds
from qballot.testing import ElectionOnDevnet, make_definition, make_election

pytestmark = pytest.mark.integration


def load(engine: Engine, box: Address) -> Election:
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
    assert election is not None
    return election


def load_check(engine: Engine, box: Address) -> HeadCheck:
    check = load(engine, box).head_check
    assert check is not None
    return check


def load_marks(engine: Engine, box: Address) -> list[ProofMark]:
    with Repository(engine).snapshot() as snapshot:
        return snapshot.proofs.load_marks(box)


def load_proof(engine: Engine, mark: ProofMark) -> KeptProof:
    with Repository(engine).snapshot() as snapshot:
        kept = snapshot.proofs.load_proof(mark.box, mark.block.hash)
    assert kept is not None
    return kept


def verify(engine: Engine, scene: ElectionOnDevnet, mark: ProofMark) -> KeptProof:
    """Verify a kept proof by the core alone, against the hash that the real node names."""
    kept, box = load_proof(engine, mark), scene.deployment.box
    election, pins = load(engine, box), default_pins()
    code = clone_runtime_code(pins.implementation, election.arguments)
    origin = BoxOrigin(scene.devnet.rpc.chain_id(), pins.factory, box, election.salt, code)
    trusted = scene.devnet.rpc.block(mark.block.number).hash
    proven = prove_head(origin, kept.header, kept.proof, trusted, pins)
    assert proven.head == kept.head == election.head == scene.box.head(mark.block.number)
    return kept


@contextmanager
def endpoints_of(devnet: Devnet, *tampers: Tamper | None) -> Iterator[Endpoints]:
    """Run endpoints of operators a, b, …, in this order; None for the honest node itself."""
    with ExitStack() as stack:
        rpcs = [
            Rpc(devnet.url) if tamper is None else stack.enter_context(lying_endpoint(devnet, tamper))
            for tamper in tampers
        ]
        yield stack.enter_context(Endpoints(rpcs, operators=["a", "b", "c"][: len(rpcs)]))


def test_proofs__a_ballot_the_close_and_nothing_new__are_proven_at_the_next_look(
    devnet: Devnet, engine: Engine
) -> None:
    scene = make_election(devnet)
    box = scene.deployment.box
    follower = follow(devnet, engine)
    follower.sync_once()
    scene.open()
    for voter in range(2):
        scene.cast_signed([(voter, SOUP)])
        cursor = follower.sync_once()
        check = load_check(engine, box)
        assert (check.block, check.agrees, check.is_proven, check.failure) == (cursor, True, True, None)
        newest = load_marks(engine, box)[0]
        assert newest.block == cursor
        verify(engine, scene, newest)
    # Nothing new: looked at again, and nothing more to be kept.
    devnet.mine()
    cursor = follower.sync_once()
    assert load_check(engine, box).block == cursor
    assert load_marks(engine, box)[0] == newest
    scene.close()
    cursor = follower.sync_once()
    marks = load_marks(engine, box)
    assert marks[0].block == cursor
    assert verify(engine, scene, marks[0]).operator == devnet.rpc.endpoint
    assert not marks[0].has_lot
    with Repository(engine).snapshot() as snapshot:
        assert snapshot.proofs.count_unproven() == 0


def test_proofs__cancelled__is_proven(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = make_election(devnet)
    cancel(scene)
    cursor = follow(devnet, sqlite_engine).sync_once()
    check = load_check(sqlite_engine, scene.deployment.box)
    assert (check.block, check.agrees, check.is_proven) == (cursor, True, True)
    verify(sqlite_engine, scene, load_marks(sqlite_engine, scene.deployment.box)[0])


def pass_lot(scene: ElectionOnDevnet, *, more: int) -> int:
    """Close an election, go to the block of its lots, and some further. Returns that block's height."""
    scene.close()
    needed = scene.deployment.arguments.closes_at + LOT_DELAY_SECONDS
    scene.devnet.warp(needed - 1)
    scene.devnet.warp(needed)
    number = scene.devnet.rpc.block("latest").number
    if more:
        scene.devnet.mine(more)
    return number


def check_lot(engine: Engine, scene: ElectionOnDevnet, lot_block: int) -> KeptProof:
    (mark,) = [mark for mark in load_marks(engine, scene.deployment.box) if mark.has_lot]
    kept = verify(engine, scene, mark)
    found = find_lot_block(kept.lot, kept.header, scene.deployment.arguments.closes_at)
    assert found.number == lot_block
    assert found.mix_hash.hex() == devnet_mix(scene.devnet, lot_block)
    return kept


def devnet_mix(devnet: Devnet, number: int) -> str:
    return str(devnet.rpc.call("eth_getBlockByNumber", [hex(number), False])["mixHash"])[2:]


@pytest.mark.parametrize("more", [0, 1, 40])
def test_proofs__time_of_lots__is_shown_at_the_very_block(devnet: Devnet, engine: Engine, more: int) -> None:
    scene = hold_election(devnet)
    follower = follow(devnet, engine)
    scene.close()
    follower.sync_once()
    assert not any(mark.has_lot for mark in load_marks(engine, scene.deployment.box))
    lot_block = pass_lot_after_close(scene, more=more)
    follower.sync_once()
    kept = check_lot(engine, scene, lot_block)
    assert kept.block.number == lot_block
    assert len(kept.lot) == 1
    devnet.mine(2)
    marks = load_marks(engine, scene.deployment.box)
    follower.sync_once()
    assert load_marks(engine, scene.deployment.box) == marks


def pass_lot_after_close(scene: ElectionOnDevnet, *, more: int) -> int:
    needed = scene.deployment.arguments.closes_at + LOT_DELAY_SECONDS
    scene.devnet.warp(needed + 5)
    number = scene.devnet.rpc.block("latest").number
    if more:
        scene.devnet.mine(more)
    return number


def hold_tie(devnet: Devnet) -> ElectionOnDevnet:
    """Hold an election whose tie is for the lot to decide."""
    document = json.loads(make_definition())
    document["contests"][0]["tie"] = "lot"
    scene = make_election(devnet, definition=parse_definition_document(json.dumps(document))[1])
    scene.open()
    scene.cast_signed([(0, SALAD), (1, SOUP)])
    return scene


def forget_states_before(devnet: Devnet, first: Callable[[], int]) -> Tamper:
    """Prove nothing of blocks before that one, as nodes do that prune."""

    def tamper(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getProof" and int(params[2], 16) < first():
            raise STATE_GONE
        return result

    return tamper


@pytest.mark.parametrize("tied", [True, False])
def test_proofs__lot_whose_state_is_gone__is_shown_by_headers_where_a_tie_waits(
    devnet: Devnet, sqlite_engine: Engine, tied: bool
) -> None:
    scene = hold_tie(devnet) if tied else hold_election(devnet)
    lot_block = pass_lot(scene, more=7)
    latest = devnet.rpc.block("latest").number
    with endpoints_of(devnet, forget_states_before(devnet, lambda: latest)) as endpoints:
        Follower(endpoints, sqlite_engine).sync_once()
    marks = load_marks(sqlite_engine, scene.deployment.box)
    if not tied:
        assert [(mark.block.number, mark.has_lot) for mark in marks] == [(latest, False)]
        return
    kept = check_lot(sqlite_engine, scene, lot_block)
    assert (kept.block.number, len(kept.lot)) == (latest, latest - lot_block + 1)


def test_proofs__many_old_elections__are_proven_at_once_with_their_lots(
    devnet: Devnet, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lots, "BOXES_AT_ONCE", 2)
    scenes = [make_election(devnet, salt=salt) for salt in range(5)]
    pass_lot(scenes[-1], more=SPACING + 3)
    cursor = follow(devnet, engine).sync_once()
    for scene in scenes:
        check = load_check(engine, scene.deployment.box)
        assert (check.block, check.agrees, check.is_proven) == (cursor, True, True)
        (newest, *_, with_lot) = load_marks(engine, scene.deployment.box)
        assert newest.block == cursor
        # Each was made a moment after the one before.
        lot_block = with_lot.block.number
        assert check_lot(engine, scene, lot_block).block.number == lot_block


def test_proofs__lot_not_to_be_had__is_tried_again_some_blocks_later(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_tie(devnet)
    scene.close()
    broken = threading.Event()

    def tamper(method: str, params: list[Any], result: Any) -> Any:
        # Only who looks for the lot asks for single blocks by number without more.
        if broken.is_set() and method == "eth_getBlockByNumber" and params[0] == hex(before):
            return None
        return result

    with lying_endpoint(devnet, tamper) as rpc:
        follower = Follower(rpc, sqlite_engine)
        follower.sync_once()
        lot_block = pass_lot_after_close(scene, more=0)
        before = lot_block - 1
        follower_cursor = lot_block
        with Repository(sqlite_engine).snapshot() as snapshot:
            indexed = snapshot.load_cursor()
        assert indexed is not None
        assert indexed.block is not None
        assert indexed.block.number < follower_cursor
        broken.set()
        follower.sync_once()
        broken.clear()
        assert not any(mark.has_lot for mark in load_marks(sqlite_engine, scene.deployment.box))
        devnet.mine(lots.RETRY_BLOCKS)
        follower.sync_once()
    check_lot(sqlite_engine, scene, lot_block)


def count_calls(tamper: Tamper, wanted: str, calls: list[list[Any]]) -> Tamper:
    def count(method: str, params: list[Any], result: Any) -> Any:
        if method == wanted:
            calls.append(params)
        return tamper(method, params, result)

    return count


def test_proofs__no_endpoint_gives_any__heads_are_asked_for_and_it_is_not_asked_again_soon(
    devnet: Devnet, sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = hold_election(devnet)
    calls: list[list[Any]] = []
    with endpoints_of(devnet, count_calls(refuse_proofs(), "eth_getProof", calls)) as endpoints:
        follower = Follower(endpoints, sqlite_engine)
        follower.sync_once()
        check = load_check(sqlite_engine, scene.deployment.box)
        assert (check.agrees, check.is_proven) == (True, False)
        assert check.failure is not None
        assert "gives no proofs" in check.failure
        assert len(calls) == 2
        scene.cast_signed([(1, SALAD)])
        follower.sync_once()
        assert load_check(sqlite_engine, scene.deployment.box).agrees
        assert len(calls) == 2
        assert load_marks(sqlite_engine, scene.deployment.box) == []
        monkeypatch.setattr(prover, "LACKING_SECONDS", 0.0)
        follower = Follower(endpoints, sqlite_engine)
        devnet.mine(SPACING)
        follower.sync_once()
        assert len(calls) == 4
    # Another endpoint proves what was merely answered, once that is a while ago.
    scene.close()
    follow(devnet, sqlite_engine).sync_once()
    assert load_check(sqlite_engine, scene.deployment.box).is_proven


def test_proofs__closed_election_merely_answered__is_proven_by_a_better_endpoint_later(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    scene = hold_election(devnet)
    pass_lot(scene, more=0)
    with endpoints_of(devnet, refuse_proofs()) as endpoints:
        Follower(endpoints, sqlite_engine).sync_once()
    assert not load_check(sqlite_engine, scene.deployment.box).is_proven
    devnet.mine(SPACING)
    follow(devnet, sqlite_engine).sync_once()
    assert load_check(sqlite_engine, scene.deployment.box).is_proven


def test_proofs__second_endpoint_gives_them__are_had_there(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    calls: list[list[Any]] = []
    with endpoints_of(devnet, count_calls(refuse_proofs(), "eth_call", calls), None) as endpoints:
        follower = Follower(endpoints, sqlite_engine)
        for _ in range(4):
            devnet.mine(SPACING)
            follower.sync_once()
        assert all(health.failures == 0 for health in endpoints.healths())
    (newest, *_) = load_marks(sqlite_engine, scene.deployment.box)
    assert newest.operator == "b"
    assert load_check(sqlite_engine, scene.deployment.box).is_proven


def test_proofs__state_gone__says_why_and_is_tried_at_the_next_block(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    with endpoints_of(devnet, refuse_proofs(STATE_GONE)) as endpoints:
        Follower(endpoints, sqlite_engine).sync_once()
        assert endpoints.healths()[0].failures == 0
    check = load_check(sqlite_engine, scene.deployment.box)
    assert (check.chain_head, check.is_proven) == (None, False)
    assert check.failure is not None
    assert "missing trie node" in check.failure
    devnet.mine()
    follow(devnet, sqlite_engine).sync_once()
    assert load_check(sqlite_engine, scene.deployment.box).is_proven


def change_byte(text: str) -> str:
    """Change the last byte of some hex."""
    return text[:-2] + f"{int(text[-2:], 16) ^ 1:02x}"


def forge_slot(method: str, params: list[Any], result: Any) -> Any:
    if method == "eth_getProof" and params[1]:
        (slot,) = result["storageProof"]
        slot["proof"][-1] = change_byte(slot["proof"][-1])
        slot["value"] = change_byte(slot["value"])
    return result


def forge_account(method: str, _params: list[Any], result: Any) -> Any:
    if method == "eth_getProof":
        result["accountProof"][-1] = change_byte(result["accountProof"][-1])
    return result


def hide_box(method: str, params: list[Any], result: Any) -> Any:
    """Prove the implementation where the box was asked for."""
    if method == "eth_getProof" and params[1]:
        result["accountProof"].pop()
    return result


def forge_header(method: str, _params: list[Any], result: Any) -> Any:
    if method == "eth_getBlockByNumber":
        result["stateRoot"] = change_byte(result["stateRoot"])
    return result


@pytest.mark.parametrize("forge", [forge_slot, forge_account, hide_box, forge_header])
def test_proofs__forged__are_named_and_the_next_endpoint_is_used(
    devnet: Devnet, sqlite_engine: Engine, caplog: pytest.LogCaptureFixture, forge: Tamper
) -> None:
    scene = hold_election(devnet)
    box = scene.deployment.box
    with endpoints_of(devnet, forge) as endpoints:
        Follower(endpoints, sqlite_engine).sync_once()
    check = load_check(sqlite_engine, box)
    assert (check.chain_head, check.is_proven) == (None, False)
    assert check.failure is not None
    assert "gave a false" in check.failure
    assert load_marks(sqlite_engine, box) == []
    devnet.mine()
    with endpoints_of(devnet, forge, None) as endpoints:
        liar = endpoints.members[0].name
        Follower(endpoints, sqlite_engine).sync_once()
    assert load_check(sqlite_engine, box).is_proven
    assert verify(sqlite_engine, scene, load_marks(sqlite_engine, box)[0]).operator == "b"
    assert any("FALSE PROOF" in text and liar in text for text in map(str, caplog.messages))


def test_proofs__forged_code_of_the_box__is_not_the_one_that_was_made(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)

    def prove_another(method: str, params: list[Any], result: Any) -> Any:
        """Give whatever another contract's account is, under the right state root."""
        if method == "eth_getProof" and params[1]:
            implementation = f"0x{default_pins().implementation.hex()}"
            return devnet.rpc.call("eth_getProof", [implementation, params[1], params[2]])
        return result

    with endpoints_of(devnet, prove_another) as endpoints:
        Follower(endpoints, sqlite_engine).sync_once()
    check = load_check(sqlite_engine, scene.deployment.box)
    assert (check.chain_head, check.is_proven) == (None, False)


def test_proofs__headers_of_another_kind_of_chain__leave_it_at_the_answer_of_the_box(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    scene = hold_election(devnet)

    def add_field(method: str, _params: list[Any], result: Any) -> Any:
        if method == "eth_getBlockByNumber":
            return result | {"l1BlockNumber": "0x1", "extraData": "0x1234"}
        return result

    with endpoints_of(devnet, add_field) as endpoints:
        Follower(endpoints, sqlite_engine).sync_once()
    check = load_check(sqlite_engine, scene.deployment.box)
    assert (check.agrees, check.is_proven) == (True, False)
    assert check.failure is not None
    assert "l1BlockNumber" in check.failure


def test_proofs__logs_left_out_by_all__the_proven_head_contradicts(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    box = scene.deployment.box

    def lie(method: str, params: list[Any], result: Any) -> Any:
        if method == "eth_getBlockReceipts":
            raise STATE_GONE
        if method == "eth_getProof" and int(params[2], 16) < latest:
            raise STATE_GONE
        return drop_one_cast(method, params, result)

    latest = devnet.rpc.block("latest").number
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("indexer.sync.evidence.Evidence.asks_state", lambda *_: False)
        patch.setattr("indexer.sync.fetch.look_again", lambda *_: None)
        with endpoints_of(devnet, lie) as endpoints:
            Follower(endpoints, sqlite_engine).sync_once()
    check = load_check(sqlite_engine, box)
    assert (check.agrees, check.is_proven) == (False, True)
    assert check.chain_head == scene.box.head("latest")


def test_proofs__reorganised__are_dropped_with_what_was_taken_away(devnet: Devnet, engine: Engine) -> None:
    scene = make_election(devnet)
    box = scene.deployment.box
    scene.open()
    follower = follow(devnet, engine)
    follower.sync_once()
    kept = load_marks(engine, box)
    before = devnet.snapshot()
    scene.cast_signed([(0, SOUP)])
    follower.sync_once()
    assert load_marks(engine, box)[0].head != kept[0].head
    devnet.revert(before)
    devnet.rpc.call("anvil_setCoinbase", ["0x" + "12" * 20])
    devnet.mine(3)
    follower.sync_once()
    assert [mark.block for mark in load_marks(engine, box)][-len(kept) :] == [mark.block for mark in kept]
    assert {mark.head for mark in load_marks(engine, box)} == {kept[0].head}
    assert load_check(engine, box).is_proven


def test_proofs__kept_ones__are_the_newest_the_newest_final_and_one_an_epoch(devnet: Devnet, engine: Engine) -> None:
    scene = make_election(devnet)
    box = scene.deployment.box
    scene.open()
    follow(devnet, engine).sync_once()
    kept = load_proof(engine, load_marks(engine, box)[0])
    writer = ProofWriter(engine, needed=1)
    start = kept.block.number
    blocks = [
        Block(BlockNumber(start + number), keccak(b"%d" % number), UnixSeconds(kept.block.timestamp + number))
        for number in range(1, 3 * SPACING + 3)
    ]
    for block in blocks:
        writer.save_heads({}, [replace(kept, block=block)])
    numbers = [mark.block.number - start for mark in load_marks(engine, box)]
    assert numbers == [3 * SPACING + 2, 3 * SPACING, 2 * SPACING, SPACING, 0]
    final = next(block for block in blocks if block.number == start + 2 * SPACING)
    writer.save_namings([Naming(final.number, final.hash, "a", final.hash, is_final=True, named_at_unix=1.0)])
    numbers = [mark.block.number - start for mark in load_marks(engine, box)]
    assert numbers == [3 * SPACING + 2, 3 * SPACING, 2 * SPACING]


@pytest.mark.parametrize(
    ("places", "kept"),
    [
        ([], set()),
        ([Place(1, False, False)], {0}),
        ([Place(1, False, True), Place(2, False, False), Place(3, False, False)], {0, 2}),
        ([Place(1, True, False), Place(2, False, True), Place(3, False, False)], {0, 1, 2}),
        ([Place(1, True, False), Place(2, True, False), Place(20, False, False), Place(33, False, False)], {1, 3}),
        ([Place(1, False, True), Place(2, True, True), Place(40, False, False), Place(41, False, False)], {1, 2, 3}),
    ],
)
def test_choose_kept__by_place__keeps_final_lot_spaced_and_newest(places: list[Place], kept: set[int]) -> None:
    assert choose_kept(places) == kept


def test_proofs__long_past_time_of_lots__is_shown_only_where_lots_are_drawn(
    devnet: Devnet, sqlite_engine: Engine
) -> None:
    untied, tied = hold_election(devnet), hold_tie(devnet)
    lot_block = pass_lot(tied, more=0)
    devnet.warp(devnet.rpc.block("latest").timestamp + 2 * lots.LATE_SECONDS)
    follow(devnet, sqlite_engine).sync_once()
    assert check_lot(sqlite_engine, tied, lot_block).block.number == lot_block
    assert [mark.has_lot for mark in load_marks(sqlite_engine, untied.deployment.box)] == [False]
