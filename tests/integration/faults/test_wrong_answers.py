"""Endpoints that answer wrongly: nothing of it gets into the index, and what they hide is found elsewhere or missed.

Each wrong answer is met three times: where the endpoint answers so only at first; where it always does and there is no
other, so that no index can be complete; and where there is an honest one beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fault_proxy import Behaviour, Call, Failure, Raw, Reply, Result, run_proxy
from history import History
from indexes import Rows, gather, is_part_of, read_content
from misbehaviours import (
    add_foreign_address,
    add_log_after_range,
    add_log_before_range,
    change_at_first,
    cut_data,
    cut_records,
    fail_at_first,
    forge_block_hash,
    mark_removed,
    repeat_first_log,
)
from sqlalchemy import Engine
from wordings import HTML_502

from qballot.errors import DecodeError, EndpointError

pytestmark = pytest.mark.integration

ALWAYS = 10**9

READS = ["eth_getLogs", "eth_getBlockByNumber"]

NESTED = b"[" * 100_000 + b"]" * 100_000

BODIES = {
    "html_with_status_502": Raw(HTML_502, 502, {"Content-Type": "text/html"}),
    "html_with_status_200": Raw(HTML_502, 200, {"Content-Type": "text/html"}),
    "empty_body": Raw(b""),
    "wrong_id": Raw(b'{"jsonrpc":"2.0","id":123456789,"result":[]}'),
    "no_id": Raw(b'{"jsonrpc":"2.0","result":[]}'),
    "neither_result_nor_error": Raw(b'{"jsonrpc":"2.0","id":$id}'),
    "null_result": Result(None),
    "result_of_another_form": Result({"unexpected": 1}),
    "truncated_json": Raw(b'{"jsonrpc":"2.0","id":$id,"result":[{"address":"0x5fbdb2315678afecb3'),
    "torn_connection": Raw(b'{"jsonrpc":"2.0","id":$id,"result":[', torn=True),
    "no_utf8": Raw(b'{"jsonrpc":"2.0","id":$id,"result":"\xff\xfe"}'),
    "a_list": Raw(b"[]"),
    "a_number": Raw(b"7"),
    "error_that_is_a_text": Raw(b'{"jsonrpc":"2.0","id":$id,"error":"no"}'),
    "nested_result": Raw(b'{"jsonrpc":"2.0","id":$id,"result":' + NESTED + b"}"),
    "nested_error": Raw(b'{"jsonrpc":"2.0","id":$id,"error":{"code":1,"message":"x","data":' + NESTED + b"}}"),
    "wait_beyond_all_years": Raw(b"slow down", 429, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 -0100"}),
    "error_of_nothing": Raw(b'{"jsonrpc":"2.0","id":$id,"error":{}}'),
}
"""Answers that are none, whatever was asked."""

LOGS: dict[str, Callable[[Call, list[Any]], list[Any]]] = {
    "duplicate_logs": repeat_first_log,
    "logs_after_the_range": add_log_after_range,
    "logs_before_the_range": add_log_before_range,
    "logs_of_a_foreign_block": forge_block_hash,
    "cut_data": cut_data,
    "logs_that_were_removed": mark_removed,
}
"""Wrong changes of an answer to `eth_getLogs`."""


def give_body(history: History, name: str, times: int) -> Behaviour:
    return fail_at_first(history.node, BODIES[name], times=times, methods=READS)


def give_logs(history: History, name: str, times: int) -> Behaviour:
    return change_at_first(history.node, "eth_getLogs", LOGS[name], times=times)


Wrong = Callable[[History, int], Behaviour]
WRONGS = [
    *(pytest.param(lambda history, times, name=name: give_body(history, name, times), id=name) for name in BODIES),
    *(pytest.param(lambda history, times, name=name: give_logs(history, name, times), id=name) for name in LOGS),
]


@pytest.mark.parametrize("wrong", WRONGS)
def test_wrong_answer__at_first__is_asked_for_again(
    wrong: Wrong, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    with run_proxy(wrong(history, 2)) as proxy:
        gathered = gather([proxy.url], copied_engine, history.latest)
    assert gathered.reached == history.latest, gathered.told
    assert read_content(copied_engine) == honest_rows


@pytest.mark.parametrize("wrong", WRONGS)
def test_wrong_answer__always_and_nobody_else__is_said_and_nothing_wrong_is_kept(
    wrong: Wrong, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    with run_proxy(wrong(history, ALWAYS)) as proxy:
        gathered = gather([proxy.url], copied_engine, history.latest, rounds=3)
    assert gathered.reached != history.latest
    assert all(isinstance(error, EndpointError) for error in gathered.errors)
    assert "127.0.0.1" in gathered.told
    assert is_part_of(read_content(copied_engine), honest_rows)


@pytest.mark.parametrize("wrong", WRONGS)
def test_wrong_answer__always_but_from_another__is_read_from_that(
    wrong: Wrong, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    with run_proxy(wrong(history, ALWAYS)) as proxy, run_proxy(history.node) as honest:
        gathered = gather([proxy.url, honest.url], copied_engine, history.latest)
    assert gathered.reached == history.latest, gathered.told
    assert read_content(copied_engine) == honest_rows


@pytest.mark.parametrize("company", [False, True], ids=["alone", "in_company"])
def test_logs__of_addresses_that_were_not_asked_for__are_not_written(
    company: bool, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    behaviour = change_at_first(history.node, "eth_getLogs", add_foreign_address, times=ALWAYS)
    with run_proxy(behaviour) as proxy, run_proxy(history.node) as honest:
        urls = [proxy.url, honest.url] if company else [proxy.url]
        gather(urls, copied_engine, history.latest, rounds=3)
    rows = read_content(copied_engine)
    assert is_part_of(rows, honest_rows)
    assert not company or rows == honest_rows


@pytest.mark.parametrize("company", ["alone", "in_company", "in_company_of_one_that_fails_at_first"])
def test_records__that_no_contract_can_have_written__end_it_only_where_nobody_has_others(
    company: str, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    behaviour = change_at_first(history.node, "eth_getLogs", cut_records, times=ALWAYS)
    other = history.node
    if company == "in_company_of_one_that_fails_at_first":
        other = fail_at_first(history.node, Failure(-32603, "internal error"), times=4)
    with run_proxy(behaviour) as proxy, run_proxy(other) as honest:
        urls = [proxy.url] if company == "alone" else [proxy.url, honest.url]
        if company == "alone":
            with pytest.raises(DecodeError, match="records are cut short"):
                gather(urls, copied_engine, history.latest)
        else:
            gathered = gather(urls, copied_engine, history.latest)
            assert gathered.reached == history.latest, gathered.told
    rows = read_content(copied_engine)
    assert is_part_of(rows, honest_rows)
    assert company == "alone" or rows == honest_rows


def swap_hashes(history: History, block: int) -> Behaviour:
    """Serve a block, and every later one, as if they stood on another fork from there on."""

    def behave(call: Call) -> Reply:
        reply = history.node(call)
        if call.method == "eth_getBlockByNumber" and isinstance(reply, Result) and reply.value:
            header = reply.value
            if int(header["number"], 16) >= block:
                return Result({**header, "hash": "0x" + header["hash"][:1:-1]})
        return reply

    return behave


def test_blocks__that_contradict_their_logs__are_not_believed(
    history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    behaviour = swap_hashes(history, history.recent)
    with run_proxy(behaviour) as proxy:
        gathered = gather([proxy.url], copied_engine, history.latest, rounds=3)
    assert gathered.reached != history.latest
    assert is_part_of(read_content(copied_engine), honest_rows)
    with run_proxy(behaviour) as proxy, run_proxy(history.node) as honest:
        gathered = gather([proxy.url, honest.url], copied_engine, history.latest)
    assert gathered.reached == history.latest, gathered.told
    assert read_content(copied_engine) == honest_rows
