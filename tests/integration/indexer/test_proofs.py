"""What the follower proves and keeps: on a real node, on one that proves nothing, and on one that lies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from bad_endpoint import fault, run_bad_endpoint
from hypothesis import given
from hypothesis import strategies as st
from kept_proofs import endpoints_of, load_check, load_marks, load_proof, verify
from properties import examples
from scenes import (
    SALAD,
    SOUP,
    STATE_GONE,
    Tamper,
    cancel,
    drop_one_cast,
    follow,
    hold_election,
    refuse_proofs,
)
from sqlalchemy import Engine

from indexer.storage.model import Block
from indexer.storage.proof_model import SPACING, Naming
from indexer.storage.proof_writer import Place, ProofWriter, choose_kept
from indexer.storage.repository import Repository
from indexer.sync import Follower, prover
from indexer.sync.proving import prove_boxes
from qballot.chain.devnet import Devnet
from qballot.chain.pins import default_pins
from qballot.chain.proofs import fetch_proof_answers
from qballot.chain.rpc import Rpc
from qballot.chain.transport import Request
from qballot.core.keccak import keccak
from qballot.core.types import Address, BlockNumber, UnixSeconds
from qballot.errors import ChainError, EndpointError, FalseProofError, NoProofError
from qballot.testing import make_election

pytestmark = pytest.mark.integration


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
    scene.close()
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


@pytest.mark.parametrize(
    ("code", "message", "lasting"),
    [
        (-32601, "the method eth_getProof does not exist/is not available", True),
        (-32601, "Method not found", True),
        (-32000, "The method eth_getProof is not supported", True),
        (-32600, "Unsupported method: eth_getProof on ETH_MAINNET", True),
        (-32000, "rpc method is not whitelisted", True),
        (-32004, "eth_getProof", True),
        (-32000, "missing trie node 0f (path ) state 0x0f is not available, not found", False),
        (-32000, "distance to target block exceeds maximum proof window", False),
        (-32000, "requested block is too old, block must be within 100000 blocks of the head block", False),
        (-32000, "historical state unavailable: state is pruned", False),
        (-32000, "No state available for block 7", False),
        (-32000, "World state unavailable", False),
        (-32602, "header not found", False),
        (-32000, "out of order", False),
    ],
)
def test_proofs__words_of_nodes__say_whether_there_are_ever_any(code: int, message: str, lasting: bool) -> None:
    with (
        run_bad_endpoint(fault(code, message)) as endpoint,
        Rpc(endpoint.url) as rpc,
        pytest.raises(NoProofError, match=r"gives no proof") as raised,
    ):
        fetch_proof_answers(rpc, [Address(bytes(20))], Address(bytes(20)), 7)
    assert raised.value.lasting is lasting


class Recorded:
    """A channel to an endpoint that always says the same. texts: an answer to each request, as JSON."""

    endpoint = "recorded"

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.texts = list(texts)

    def close(self) -> None:
        """Nothing is open."""

    def mask(self, text: str) -> str:
        return text

    def fetch(self, request: Request, *, retry: bool, max_bytes: int | None = None) -> msgspec.Raw:
        assert request[0] == "eth_getBlockByNumber"
        assert (retry, max_bytes) == (True, None)
        return msgspec.Raw(self.texts[0])

    def fetch_many(self, requests: Sequence[Request], *, retry: bool) -> list[msgspec.Raw | ChainError]:
        assert len(requests) == len(self.texts)
        return [msgspec.Raw(text) for text in self.texts]


def test_proofs__any_digit_changed__prove_nothing_else(devnet: Devnet, sqlite_engine: Engine) -> None:
    scene = hold_election(devnet)
    cursor = follow(devnet, sqlite_engine).sync_once()
    assert cursor is not None
    devnet.mine()
    at = Block(BlockNumber(cursor.number + 1), devnet.rpc.block("latest").hash, cursor.timestamp)
    with Repository(sqlite_engine).snapshot() as snapshot:
        (due,) = snapshot.proofs.load_due(at, watched=1)
    pins, chain_id = default_pins(), devnet.rpc.chain_id()
    answers = fetch_proof_answers(devnet.rpc, [due.box], pins.implementation, at.number)
    honest = [json.dumps(answer).encode() for answer in (answers.header, answers.implementation, *answers.boxes)]
    channel = Recorded(honest)
    rpc = Rpc.over(channel)
    (expected,) = prove_boxes(rpc, "a", [due], at, pins, chain_id)
    assert expected.head == scene.box.head(at.number)
    refused = set()

    @given(st.integers(0, len(honest) - 1), st.integers(0, 10**6), st.sampled_from(b'0123456789abcdef"x'))
    @examples(1_000)
    def check(part: int, place: int, digit: int) -> None:
        text = bytearray(honest[part])
        text[place % len(text)] = digit
        channel.texts = [*honest[:part], bytes(text), *honest[part + 1 :]]
        try:
            (found,) = prove_boxes(rpc, "a", [due], at, pins, chain_id)
        except EndpointError as error:
            refused.add(type(error))
        else:
            assert found == expected

    check()
    assert FalseProofError in refused
