"""A real anvil reorganises: afterwards an index holds what a fresh one would, and remembers what was taken away."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from fork_chain import Cast, ForkChain, cancel, cast, create, make_plan
from indexes import Watcher, read_content, read_fresh
from reorg_script import Change, ReorgScript, change_blocks
from sqlalchemy import Engine

from qballot.errors import FinalityError

pytestmark = pytest.mark.integration

SCRIPTS = 30
SEED = 1

DEPTHS = (1, 2, 7, 33, 64)


def watch(chain: ForkChain, engines: dict[str, Engine]) -> list[Watcher]:
    return [Watcher(engine, chain.devnet.rpc) for engine in engines.values()]


def assert_all_as_fresh(chain: ForkChain, watchers: list[Watcher], empty: Path) -> None:
    fresh = read_fresh(chain.devnet.url, empty)
    for watcher in watchers:
        assert read_content(watcher.engine) == fresh, watcher.engine.dialect.name
        watcher.assert_nothing_forgotten()


@pytest.mark.parametrize("change", Change, ids=lambda change: change.name.lower())
@pytest.mark.parametrize("depth", DEPTHS)
def test_reorg__of_this_depth_and_kind__ends_as_a_fresh_index(
    depth: int, change: Change, fork_chain: ForkChain, engines: dict[str, Engine], empty_sqlite: Path
) -> None:
    plan = make_plan(1, fork_chain.now + 30, fork_chain.now + 10**7)
    late, other = (make_plan(number, fork_chain.now + 10**6, fork_chain.now + 10**7) for number in (2, 3))
    ballots = [cast(Cast(plan, ((voter, b"\1\0\0"),))) for voter in range(10)]
    fork_chain.mine([(create(plan), create(late)), (), (), (ballots[0],), (ballots[1],)])
    every = max(1, depth // 8)
    tail = [[ballots[2 + at // every % 8]] if at % every == 0 else [] for at in range(depth)]
    tail[depth // 2] += [cancel(late), create(other)]
    fork_chain.mine(tail)
    watchers = watch(fork_chain, engines)
    for watcher in watchers:
        watcher.look()
    fork_chain.reorganise(change_blocks(fork_chain.tail(depth), change, random.Random(f"{depth} {change}")))
    for watcher in watchers:
        watcher.look()
    assert_all_as_fresh(fork_chain, watchers, empty_sqlite)
    assert all(watcher.seen for watcher in watchers)


@pytest.mark.parametrize("number", range(SCRIPTS))
def test_reorgs__by_a_random_script__end_as_a_fresh_index(
    number: int, fork_chain: ForkChain, engines: dict[str, Engine], empty_sqlite: Path
) -> None:
    script = ReorgScript(fork_chain, f"{SEED}/{number}")
    watchers = watch(fork_chain, engines)

    def look() -> None:
        for watcher in watchers:
            watcher.look()

    script.play(look)
    assert_all_as_fresh(fork_chain, watchers, empty_sqlite)


def test_reorg__past_a_final_block__halts_and_says_what_to_do(
    fork_chain: ForkChain, engines: dict[str, Engine], empty_sqlite: Path
) -> None:
    plan = make_plan(1, fork_chain.now + 30, fork_chain.now + 10**7)
    fork_chain.mine([(create(plan),), (), (), (cast(Cast(plan, ((0, b"\1\0\0"),))),)])
    fork_chain.mine_empty(80)
    watchers = watch(fork_chain, engines)
    for watcher in watchers:
        watcher.look()
    before = [read_content(watcher.engine) for watcher in watchers]
    fork_chain.reorganise(fork_chain.tail(70))
    for watcher, rows in zip(watchers, before, strict=True):
        with pytest.raises(FinalityError, match="qballot index --reset") as caught:
            watcher.look()
        assert not caught.value.retryable
        assert read_content(watcher.engine) == rows
