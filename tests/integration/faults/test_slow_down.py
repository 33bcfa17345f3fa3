"""Endpoints that are asked too fast, have had enough for the month, or take too long."""

from __future__ import annotations

from pathlib import Path

import pytest
from fault_proxy import Failure, Raw, run_proxy
from history import History
from indexes import Clock, Rows, gather, is_part_of, open_copy, read_content
from misbehaviours import fail_after, fail_at_first, limit_rate
from sqlalchemy import Engine
from wordings import TOO_FAST, USED_UP, TooFast

from qballot.errors import QuotaExhaustedError

pytestmark = pytest.mark.integration

HANGS = Raw(hang=True)
SHORT_SECONDS = 0.6


@pytest.mark.parametrize("case", TOO_FAST, ids=lambda case: case.name)
def test_requests__refused_as_too_many__are_made_again_later(
    case: TooFast, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    with run_proxy(fail_at_first(history.node, case.reply, times=4)) as proxy:
        gathered = gather([proxy.url], copied_engine, history.latest)
    assert gathered.reached == history.latest, gathered.told
    assert gathered.errors, "it waited"
    assert read_content(copied_engine) == honest_rows


@pytest.mark.parametrize("case", TOO_FAST, ids=lambda case: case.name)
def test_requests_for_logs__refused_as_too_many__are_not_made_for_fewer_blocks(
    case: TooFast, history: History, copied_engine: Engine, empty_sqlite: Path
) -> None:
    with run_proxy(history.node) as honest, open_copy(empty_sqlite) as engine:
        gather([honest.url], engine, history.latest)
    behaviour = fail_at_first(history.node, case.reply, times=3, methods=["eth_getLogs"])
    with run_proxy(behaviour) as proxy:
        gather([proxy.url], copied_engine, history.latest)
    assert len(proxy.log_ranges) <= 3 + 2 * len(honest.log_ranges)
    smallest = min(end - start for start, end in honest.log_ranges)
    assert all(end - start >= smallest for start, end in proxy.log_ranges)


@pytest.mark.parametrize("case", TOO_FAST, ids=lambda case: case.name)
def test_requests__of_which_some_a_second_are_answered__are_made_as_slowly(
    case: TooFast, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    clock = Clock()
    behaviour = limit_rate(history.node, case.reply, requests=12, clock=clock)
    with run_proxy(behaviour) as proxy:
        gathered = gather([proxy.url], copied_engine, history.latest, clock=clock, rounds=60)
    assert gathered.reached == history.latest, gathered.told
    assert read_content(copied_engine) == honest_rows
    assert proxy.requests < 400


@pytest.mark.parametrize("case", USED_UP, ids=lambda case: case.name)
@pytest.mark.parametrize("requests", [0, 2, 9])
def test_quota__used_up__ends_it_and_says_so(
    case: TooFast, requests: int, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    with run_proxy(fail_after(history.node, case.reply, requests)) as proxy:
        gathered = gather([proxy.url], copied_engine, history.latest)
        asked = proxy.requests
    assert [type(error) for error in gathered.errors] == [QuotaExhaustedError]
    assert not gathered.errors[0].retryable
    assert "quota is used up" in gathered.told
    assert asked < requests + 10, "it does not go on asking"
    assert is_part_of(read_content(copied_engine), honest_rows)


@pytest.mark.parametrize("case", USED_UP, ids=lambda case: case.name)
def test_quota__used_up_at_one_of_two__is_no_end(
    case: TooFast, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    with run_proxy(fail_after(history.node, case.reply, 6)) as proxy, run_proxy(history.node) as honest:
        gathered = gather([proxy.url, honest.url], copied_engine, history.latest)
        asked = proxy.requests
    assert (gathered.reached, gathered.told) == (history.latest, "")
    assert read_content(copied_engine) == honest_rows
    assert asked < 20


@pytest.mark.parametrize("method", ["eth_chainId", "eth_getLogs", "eth_getBlockByNumber", "eth_getCode"])
def test_requests__never_answered__are_made_again(
    method: str, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    with run_proxy(fail_at_first(history.node, HANGS, times=2, methods=[method])) as proxy:
        gathered = gather([proxy.url], copied_engine, history.latest, seconds=SHORT_SECONDS)
    assert gathered.reached == history.latest, gathered.told
    assert f"no answer within {SHORT_SECONDS:g} s" in gathered.told
    assert read_content(copied_engine) == honest_rows


@pytest.mark.parametrize("reply", [HANGS, Failure(-32000, "the node is shutting down")], ids=["hangs", "fails"])
@pytest.mark.parametrize("requests", [0, 7])
def test_endpoint__gone_for_good__is_replaced_by_the_next(
    reply: Failure | Raw, requests: int, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    with run_proxy(fail_after(history.node, reply, requests)) as proxy, run_proxy(history.node) as honest:
        gathered = gather([proxy.url, honest.url], copied_engine, history.latest, seconds=SHORT_SECONDS)
    assert (gathered.reached, gathered.told) == (history.latest, "")
    assert read_content(copied_engine) == honest_rows
