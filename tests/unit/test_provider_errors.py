"""What endpoints say, as types: every wording that is known, and hints that are believed only when they make sense."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qballot.chain.provider_errors import WORDINGS, Fault, find_provider_error
from qballot.errors import (
    BatchRefusedError,
    EndpointError,
    MissingBlockError,
    QuotaExhaustedError,
    RangeTooWideError,
    SlowDownError,
)

pytestmark = pytest.mark.unit

FIRST, LAST = 0x1000, 0x1000 + 999_999
PARAMS = [{"fromBlock": hex(FIRST), "toBlock": hex(LAST)}]
NAME = "https://node.example"
INFURA = "query returned more than 10000 results"
ALCHEMY = (
    "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the "
    "response size. Based on your parameters,"
)
DATA = st.none() | st.integers() | st.floats() | st.text(max_size=8)
HINTS = st.dictionaries(st.sampled_from(["from", "to", "rate", "backoff_seconds"]), DATA, max_size=4)


def find(message: str, code: int | None = -32000, **fault: Any) -> EndpointError | None:
    return find_provider_error(NAME, "eth_getLogs", PARAMS, Fault(message, code, **fault))


def count(blocks: int) -> tuple[int, int]:
    return FIRST, FIRST + blocks - 1


@pytest.mark.parametrize(
    ("code", "message", "data", "suggested"),
    [
        # Infura
        (-32005, f"{INFURA}. Try with this block range [0x1000, 0x1FFF].", None, (0x1000, 0x1FFF)),
        (-32005, INFURA, {"from": "0x1000", "limit": 10000, "to": "0x1fff"}, (0x1000, 0x1FFF)),
        (-32005, INFURA, None, None),
        (-32602, "range 1000000 exceeds limit of 10000", None, count(10_000)),
        (-32005, "query timeout exceeded", None, None),
        # Alchemy
        (-32602, f"{ALCHEMY} this block range should work: [0x1000, 0x1010]", None, (0x1000, 0x1010)),
        (-32602, f"{ALCHEMY} this block range should work: [0x1010, 0x1000]", None, None),
        (-32600, "You can make eth_getLogs requests with up to a 500 block range.", None, count(500)),
        # QuickNode, Ankr and others
        (-32614, "eth_getLogs is limited to a 10,000 range", None, count(10_000)),
        (-32614, "eth_getLogs is limited to 0 - 50 blocks range", None, count(50)),
        (-32600, "block range is too wide", None, None),
        (-32062, "Block range is too large", None, None),
        (-32012, "request exceeded max allowed range", None, None),
        (-32012, "requested range too large", None, None),
        (-32701, "exceed maximum block range: 5000", None, count(5_000)),
        (-32000, "block range too large, range: 138001, max: 100000", None, count(100_000)),
        (-32005, "block range too large, max range: 1000", None, count(1_000)),
        (-32602, "query exceeds max results 20000, retry with the range 4096-5000", None, (4096, 5000)),
        (-32020, "backend response too large", None, None),
        (-32000, "response size should not greater than 10000000 bytes", None, None),
        (35, "ranges over 10000 blocks are not supported on freetier", None, count(10_000)),
        (-32000, "block range = 5120, max block range = 5000", None, count(5_000)),
        (-32602, "query block range exceeds server limit, narrow your filter: 5", None, count(5)),
        (-32000, "requested too many blocks from 1 to 5000, maximum is set to 2048", None, count(2_048)),
        (-32000, "eth_getLogs range is too large, max is 1k blocks", None, count(1_000)),
        (-32000, "block range is too wide (maximum 1024)", None, count(1_024)),
        (-32600, "block range too high", None, None),
        (-32000, "logs matched by query exceeds limit of 10000", None, None),
        (-32002, "request timed out", None, None),
    ],
)
def test_provider_error__range_too_wide__is_told_with_its_hint(
    code: int, message: str, data: Any, suggested: tuple[int, int] | None
) -> None:
    error = find(message, code, data=data)
    assert isinstance(error, RangeTooWideError)
    assert (error.suggested, error.code, error.retryable) == (suggested, code, False)
    assert message in str(error)
    # One block is no range: whether another endpoint may do better is for the one who asks.
    alone = find_provider_error(
        NAME, "eth_getLogs", [{"fromBlock": "0x5", "toBlock": "0x5"}], Fault(message, code, data)
    )
    assert type(alone) is EndpointError
    assert alone.retryable


@pytest.mark.parametrize(
    "hint",
    [
        "[0x1fff, 0x1000]",  # inverted
        "[0x0, 0x10]",  # before what was asked
        f"[{FIRST:#x}, {LAST:#x}]",  # no less than what was asked
        f"[{FIRST:#x}, {LAST + 1:#x}]",  # more than that
        "[0x1000, ]",
        "[0xfffffffffffffffffffff, 0x1]",
    ],
)
def test_provider_error__hint_that_makes_no_sense__is_left_out(hint: str) -> None:
    error = find(f"query returned more than 10000 results. Try with this block range {hint}", -32005)
    assert isinstance(error, RangeTooWideError)
    assert error.suggested is None


@given(st.text(max_size=40) | st.from_regex(r"\[?(0x)?[0-9,k]{1,9}[-,] ?(0x)?[0-9]{1,9}\]?"), DATA | HINTS)
def test_provider_error__any_words_and_data__never_break_it_and_hints_stay_inside(words: str, data: Any) -> None:
    for prefix in ("query returned more than 1 results ", "limited to a ", "range ", "too many requests ", ""):
        error = find(prefix + words, data=data)
        if isinstance(error, RangeTooWideError) and error.suggested is not None:
            first, last = error.suggested
            assert FIRST <= first <= last <= LAST
            assert (first, last) != (FIRST, LAST)
        if isinstance(error, SlowDownError) and error.retry_after_seconds is not None:
            assert 0 <= error.retry_after_seconds <= 60


@pytest.mark.parametrize(
    ("message", "fault", "wait"),
    [
        ("project ID request rate exceeded", {"data": {"rate": {"backoff_seconds": 30.0, "allowed_rps": 10}}}, 30.0),
        ("project ID request rate exceeded", {"data": {"backoff_seconds": 30.0}}, 30.0),
        ("project ID request rate exceeded", {"data": {"rate": {"backoff_seconds": 10**30}}}, None),
        ("Your app has exceeded its compute units per second capacity.", {"status": 429}, None),
        ("Too many requests, reason: call rate limit exhausted, retry in 10s", {}, 10.0),
        ("rate limit exceeded, try again in 500ms", {}, 0.5),
        ("rate limited, try again in 10 minutes", {}, 60.0),
        ("50/second request limit reached", {"status": 429, "retry_after_seconds": 7.0}, 7.0),
        ("", {"status": 429, "retry_after_seconds": 3.0}, 3.0),
    ],
)
def test_provider_error__slow_down__is_told_with_the_wait(message: str, fault: Any, wait: float | None) -> None:
    error = find(message, -32005, **fault)
    assert isinstance(error, SlowDownError)
    assert (error.retry_after_seconds, error.retryable) == (wait, True)


@pytest.mark.parametrize(
    ("message", "code", "status"),
    [
        ("Monthly capacity limit exceeded. Visit https://… to upgrade your plan.", -32600, 403),
        ("daily request count exceeded, request rate limited", -32005, 429),
        ("your daily quota is exhausted", -32000, 429),
        ("You have exceeded your monthly request limit", -32000, 200),
        ("", None, 402),
    ],
)
def test_provider_error__quota_used_up__says_to_stop(message: str, code: int | None, status: int) -> None:
    error = find(message, code, status=status)
    assert isinstance(error, QuotaExhaustedError)
    assert not error.retryable
    assert "quota is used up" in str(error)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("unknown block", -32000),
        ("Unknown block", -39001),
        ("header not found", -32000),
        ("whatever", -32014),
        ("block not yet imported", -32014),
        ("cannot query unfinalized data", -32000),
        ("pruned history unavailable", 4444),
        ("Receipt not available for From block 14319330.", -32000),
        ("block range extends beyond current head block", -32602),
        ("failed to get logs for block #0 (0xd4e567..cb8fa3)", -32000),
        ("seek with txNum=1 but data before txNum=2662500000 is not available", -32000),
    ],
)
def test_provider_error__block_that_is_not_there__is_told(message: str, code: int) -> None:
    error = find(message, code)
    assert isinstance(error, MissingBlockError)
    assert (error.code, error.retryable) == (code, True)


def test_provider_error__batch_refused__is_told() -> None:
    messages = ("Batch of more than 3 requests are not allowed on free tier", "batch too large", "batches are not ok")
    assert all(isinstance(find(message, 31, status=500), BatchRefusedError) for message in messages)


@pytest.mark.parametrize(
    "message", ["no backend is currently healthy to serve traffic", "limit exceeded", "internal error", "", "range"]
)
def test_provider_error__unknown_words__are_no_type(message: str) -> None:
    assert find(message) is None


@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas", "eth_sendRawTransaction"])
def test_provider_error__about_a_transaction__means_something_else(method: str) -> None:
    for message in ("header not found", "response too large", "unknown block"):
        assert find_provider_error(NAME, method, [], Fault(message, -32000)) is None
    assert isinstance(find_provider_error(NAME, method, [], Fault("too many requests", -32005)), SlowDownError)


def test_wordings__every_row__is_a_pattern_in_lower_case_with_a_source() -> None:
    for row in WORDINGS:
        re.compile(row.pattern)
        assert row.source
        assert (
            row.pattern.replace("(?P<blocks>", "").replace(r"\D", "") == row.pattern.replace("(?P<blocks>", "").lower()
        )
