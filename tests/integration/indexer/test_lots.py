"""Heads proven at the block that lots are drawn from: as it comes, late, with and without its state."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from kept_proofs import endpoints_of, load_check, load_marks, verify
from scenes import SALAD, SOUP, STATE_GONE, Tamper, follow, hold_election, lying_endpoint
from sqlalchemy import Engine

from indexer.storage.proof_model import SPACING, KeptProof
from indexer.storage.repository import Repository
from indexer.sync import Follower, lots
from qballot.chain.devnet import Devnet
from qballot.core.definition import parse_definition_document
from qballot.core.proof import find_lot_block
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.testing import ElectionOnDevnet, make_definition, make_election

pytestmark = pytest.mark.integration


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
def test_lots__their_time__is_shown_at_the_very_block(devnet: Devnet, engine: Engine, more: int) -> None:
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
def test_lots__block_whose_state_is_gone__is_shown_by_headers_where_a_tie_waits(
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


def test_lots__many_old_elections__are_proven_at_once_with_their_lots(
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


def test_lots__block_not_to_be_had__is_tried_again_some_blocks_later(devnet: Devnet, sqlite_engine: Engine) -> None:
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


def test_lots__long_past__is_shown_only_where_lots_are_drawn(devnet: Devnet, sqlite_engine: Engine) -> None:
    untied, tied = hold_election(devnet), hold_tie(devnet)
    lot_block = pass_lot(tied, more=0)
    devnet.warp(devnet.rpc.block("latest").timestamp + 2 * lots.LATE_SECONDS)
    follow(devnet, sqlite_engine).sync_once()
    assert check_lot(sqlite_engine, tied, lot_block).block.number == lot_block
    assert [mark.has_lot for mark in load_marks(sqlite_engine, untied.deployment.box)] == [False]
