"""Elections on the local chain as the indexer's tests need them, and an endpoint that lies about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from bad_endpoint import respond, run_bad_endpoint
from sqlalchemy import Engine

from indexer.storage.model import HeadCheck
from indexer.storage.proof_writer import ProofWriter
from indexer.storage.repository import Repository
from indexer.sync import Follower
from qballot.chain.accounts import devnet_account
from qballot.chain.artifacts import default_factory, default_implementation
from qballot.chain.contracts import BALLOTS_CAST, encode_cancel, encode_create
from qballot.chain.devnet import Devnet
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import Call, send
from qballot.core.keccak import keccak
from qballot.core.provenance import BoxArguments, box_address
from qballot.core.types import Address, Hash32, UnixSeconds
from qballot.testing import ElectionOnDevnet, make_election

SOUP, SALAD, STEW, BLANK, SPOILED = b"\1\0\0", b"\0\1\0", b"\0\0\1", b"\0\0\0", b"\1\1\0"

Tamper = Callable[[str, list[Any], Any], Any]
"""Takes a method, its parameters and anvil's result; returns what the endpoint says instead, or raises Refusal."""


class Refusal(Exception):
    """What an endpoint says instead of a result: a JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        self.error = {"code": code, "message": message}
        super().__init__(message)


NO_SUCH_METHOD = Refusal(-32601, "the method eth_getProof does not exist/is not available")
STATE_GONE = Refusal(-32000, "missing trie node 0f (path ) state 0x0f is not available, not found")


def follow(devnet: Devnet, engine: Engine, **options: Any) -> Follower:
    """Make a follower of the local chain."""
    return Follower(devnet.rpc, engine, **options)


def hold_election(devnet: Devnet, **options: Any) -> ElectionOnDevnet:
    """Create, open, vote: soup 2, salad 1, one blank, one spoiled; voter 0 changes from salad to soup."""
    election = make_election(devnet, **options)
    election.open()
    election.cast_signed([(0, SALAD), (1, SOUP), (2, SALAD)])
    election.cast_signed([(3, BLANK), (4, SPOILED)])
    election.cast(0, SOUP)
    return election


def cancel(election: ElectionOnDevnet) -> None:
    send(election.devnet.rpc, devnet_account(0), Call(election.deployment.box, encode_cancel()))


def create_raw(devnet: Devnet, definition: bytes, *, salt: int = 99, voters: int = 3) -> Address:
    """Create an election with any bytes as its definition, which our own service would refuse."""
    now = devnet.rpc.block("latest").timestamp
    arguments = BoxArguments(
        definition_hash=keccak(definition),
        organizer=devnet_account(0).address,
        opens_at=UnixSeconds(now + 1_000),
        closes_at=UnixSeconds(2**39 - 1),
        sheet_bits=10,
        voters=voters,
        max_ballot_bytes=3,
        sheet_roots=(keccak(b"nobody"),),
    )
    salt32 = Hash32(salt.to_bytes(32))
    send(devnet.rpc, devnet_account(0), Call(default_factory(), encode_create(salt32, arguments, definition)))
    return box_address(default_factory(), default_implementation(), salt32, arguments)


@contextmanager
def lying_endpoint(devnet: Devnet, tamper: Tamper) -> Iterator[Rpc]:
    """Run an endpoint that hands requests on to the local chain and changes its answers."""
    with httpx.Client() as client:

        def answer(request: Any) -> bytes:
            calls = request if isinstance(request, list) else [request]
            answers = client.post(devnet.url, json=calls).json()
            for call, found in zip(calls, answers, strict=True):
                if "result" in found:
                    try:
                        found["result"] = tamper(call["method"], call["params"], found["result"])
                    except Refusal as refusal:
                        del found["result"]
                        found["error"] = refusal.error
            return respond(answers if isinstance(request, list) else answers[0], "200 OK", None)

        with run_bad_endpoint(answer) as endpoint, Rpc(endpoint.url) as rpc:
            yield rpc


def refuse_proofs(refusal: Refusal = NO_SUCH_METHOD) -> Tamper:
    """Give no proofs, for this reason."""

    def tamper(method: str, _params: list[Any], result: Any) -> Any:
        if method == "eth_getProof":
            raise refusal
        return result

    return tamper


def drop_one_cast(method: str, _params: list[Any], result: Any) -> Any:
    """Leave the last log of a box out."""
    if method != "eth_getLogs":
        return result
    casts = [log for log in result if log["topics"][0] == f"0x{BALLOTS_CAST.hex()}"]
    return [log for log in result if log != casts[-1]] if casts else result


def drop_blooms_too(method: str, params: list[Any], result: Any) -> Any:
    """Leave the last log of a box out, and the filters that would tell."""
    if method == "eth_getBlockByNumber":
        return {name: value for name, value in result.items() if name != "logsBloom"}
    return drop_one_cast(method, params, result)


def contradict_head(devnet: Devnet, engine: Engine, box: Address) -> Hash32:
    """Index honestly, then let the index remember another answer of `head()`. Returns that answer."""
    cursor = follow(devnet, engine).sync_once()
    assert cursor is not None
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
    assert election is not None
    other = keccak(b"another head")
    ProofWriter(engine, needed=2).save_heads({election.number: HeadCheck(cursor, election.head, other)}, ())
    return other
