"""Real chains with an election each, built once and kept as anvil dumps its state, blocks and logs with it.

census ─▶ box ─▶ signed ballots, block by block ─▶ anvil ─▶ is head() right? ─▶ .build/bench-index/NAME-….json
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from elections import LASTS, OPENS_AFTER, STARTS_AT, Election, make_definition
from electorate import RELAYER, Electorate, make_census, sign_blocks
from rich.console import Console
from rich.progress import track

from qballot.chain.accounts import devnet_account
from qballot.chain.artifacts import BALLOT_BOX, default_factory, load_artifact
from qballot.chain.contracts import BALLOTS_CAST, BallotBoxContract, decode_ballots_cast
from qballot.chain.devnet import Devnet
from qballot.core.census import Census
from qballot.core.records import advance_head, unpack_records
from qballot.core.types import Address, Hash32
from qballot.deploy import create_election, deploy_factory

KEPT = Path(__file__).parents[2] / ".build" / "bench-index"
TIMEOUT_SECONDS = 600.0
BLOCK_GAS = 60_000_000
"""Gas limit of a block: mainnet's since November 2025."""

ANVIL = ("--gas-limit", str(BLOCK_GAS), "--order", "fifo", "--no-request-size-limit")
VOTER_WEI = 10**18
RELAYER_WEI = 10**27
CHECKED_BLOCKS = 50


@dataclass(frozen=True)
class Chain:
    """A kept chain. box: the election's, open still. logs: of the box, in so many blocks. build_s: what it took.

    file: with anvil's state, in `KEPT`.
    """

    file: str
    box: Address
    ballots: int
    logs: int
    log_blocks: int
    last_block: int
    build_s: float

    @property
    def name(self) -> str:
        """Its election's name."""
        return self.file.partition("-")[0]


@contextmanager
def serve(chain: Chain) -> Iterator[Devnet]:
    """Run an anvil that goes on from a kept chain."""
    with Devnet(options=(*ANVIL, "--load-state", str(KEPT / chain.file)), timeout_seconds=TIMEOUT_SECONDS) as devnet:
        yield devnet


def mine_block(devnet: Devnet, signed: Sequence[bytes], timestamp: int) -> None:
    """Mine one block with exactly these transactions, on a chain that does not mine by itself."""
    for outcome in devnet.rpc.send_raw(signed):
        if not isinstance(outcome, bytes):
            raise outcome
    devnet.warp(timestamp)


def find_or_build(election: Election, console: Console) -> Chain:
    """Return the kept chain of an election; build it first where there is none, or contracts or election changed."""
    content = repr(election).encode() + make_definition() + default_factory() + load_artifact(BALLOT_BOX).bytecode
    state = KEPT / f"{election.name}-{hashlib.sha256(content).hexdigest()[:16]}.json"
    facts = state.with_suffix(".facts")
    if not facts.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob(f"{election.name}-*"):
            old.unlink()
        # Written last, so that what was interrupted is built again.
        facts.write_bytes(msgspec.json.encode(_build(election, state, console)))
    return msgspec.json.decode(facts.read_bytes(), type=Chain)


def _build(election: Election, state: Path, console: Console) -> Chain:
    started = time.monotonic()
    console.print(f"building the chain {election.name!r}: {election.ballots:,} ballots, once")
    census = make_census(election)
    options = (*ANVIL, "--dump-state", str(state))
    with Devnet(options=options, timeout_seconds=TIMEOUT_SECONDS, starts_at=STARTS_AT) as devnet:
        electorate = _prepare(devnet, election, census)
        blocks = sum(1 for _ in election.blocks())
        for number, signed in enumerate(track(sign_blocks(electorate), "casting", blocks, console=console), start=1):
            mine_block(devnet, signed, electorate.timestamp(number))
        logs, log_blocks = _check(devnet, electorate)
        last_block = devnet.rpc.block("latest").number
        _dump(devnet)
    _drop_traces(state)
    build_s = round(time.monotonic() - started, 1)
    return Chain(state.name, electorate.box, election.ballots, logs, log_blocks, last_block, build_s)


def _prepare(devnet: Devnet, election: Election, census: Census) -> Electorate:
    """Put factory and election on a chain, give ether to whoever needs it, and open."""
    organizer, opens_at = devnet_account(0), STARTS_AT + OPENS_AFTER
    deploy_factory(devnet.rpc, organizer)
    deployment = create_election(
        devnet.rpc,
        organizer,
        make_definition(),
        census,
        opens_at=opens_at,
        closes_at=opens_at + LASTS,
        salt=Hash32(bytes(32)),
    )
    voters = {cast.voters[0] for casts in election.blocks() for cast in casts if cast.is_direct}
    voters.update(range(election.voters - election.spare, election.voters))
    devnet.set_balances({RELAYER.address: RELAYER_WEI, **{census.addresses[voter]: VOTER_WEI for voter in voters}})
    devnet.rpc.call("evm_setAutomine", [False])
    devnet.warp(opens_at)
    return Electorate(election, census, deployment.box, devnet.rpc.chain_id(), opens_at)


def _check(devnet: Devnet, electorate: Electorate) -> tuple[int, int]:
    """Check that every ballot is in the box and its head follows from the logs; return the logs and their blocks."""
    rpc, box = devnet.rpc, BallotBoxContract(devnet.rpc, electorate.box)
    head, ballots, logs, log_blocks = box.definition_hash("latest"), 0, 0, set()
    latest = rpc.block("latest").number
    for start in range(0, latest + 1, CHECKED_BLOCKS):
        for log in rpc.logs(start, min(start + CHECKED_BLOCKS - 1, latest), [electorate.box], [BALLOTS_CAST]):
            packed = decode_ballots_cast(log)
            head = advance_head(head, packed)
            ballots += len(unpack_records(packed))
            logs += 1
            log_blocks.add(log.block_number)
    if ballots != electorate.election.ballots or head != box.head("latest"):
        raise AssertionError(f"found {ballots} ballots on chain, or another head than theirs")
    return logs, len(log_blocks)


def _dump(devnet: Devnet) -> None:
    """End anvil in the way that makes it write its state, however long it takes."""
    os.kill(devnet.process_id, signal.SIGTERM)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while devnet.is_running and time.monotonic() < deadline:
        time.sleep(0.1)


class _State(msgspec.Struct):
    """What anvil dumps. Only the traces are looked at: they are most of it, and nobody asks for them here."""

    block: msgspec.Raw
    accounts: msgspec.Raw
    best_block_number: msgspec.Raw
    blocks: msgspec.Raw
    historical_states: msgspec.Raw
    transactions: list[dict[str, msgspec.Raw]]


def _drop_traces(state: Path) -> None:
    dumped = msgspec.json.decode(state.read_bytes(), type=_State)
    for transaction in dumped.transactions:
        info = msgspec.json.decode(transaction["info"], type=dict[str, msgspec.Raw])
        transaction["info"] = msgspec.Raw(msgspec.json.encode({**info, "traces": []}))
    state.write_bytes(msgspec.json.encode(dumped))
