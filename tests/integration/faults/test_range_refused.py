"""Endpoints that refuse a range, in every wording: all ballots are read, and nobody had to set anything."""

from __future__ import annotations

import pytest
from fault_proxy import Behaviour, Call, Failure, Raw, Reply, read_range, run_proxy
from history import History
from indexes import ROUNDS, Rows, fill, gather, is_part_of, read_content
from misbehaviours import choke_on, limit_blocks, limit_bytes, limit_logs
from sqlalchemy import Engine
from wordings import HTML_413, TOO_MUCH, TooMuch

from qballot.errors import EndpointError

pytestmark = pytest.mark.integration

LIMITS = {"blocks": limit_blocks, "logs": limit_logs, "bytes": limit_bytes}


def count_most_requests(case: TooMuch, latest: int) -> int:
    """How many requests for logs are enough, the refused ones and the search for the limit included."""
    return 60 + (3 * latest // case.limit if case.counts == "blocks" else 40)


@pytest.mark.parametrize("case", TOO_MUCH, ids=lambda case: case.name)
def test_range__refused_in_these_words__is_read_in_parts(
    case: TooMuch, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    with run_proxy(LIMITS[case.counts](history.node, case.limit, case.refuse)) as proxy:
        gathered = gather([proxy.url], copied_engine, history.latest)
    assert (gathered.reached, gathered.told) == (history.latest, "")
    assert read_content(copied_engine) == honest_rows
    assert len(proxy.log_ranges) <= count_most_requests(case, history.latest)


def test_range__of_one_block_at_a_time__is_read_all_the_same(
    history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    case = next(case for case in TOO_MUCH if case.name == "ankr_range_too_wide")
    start = history.latest - 120
    fill(copied_engine, history.url, start)
    with run_proxy(limit_blocks(history.node, 1, case.refuse)) as proxy:
        gathered = gather([proxy.url], copied_engine, history.latest)
    assert (gathered.reached, gathered.told) == (history.latest, "")
    assert read_content(copied_engine) == honest_rows


@pytest.mark.parametrize("words", ["the computer says no", "query timeout exceeded"])
def test_range__refused_for_a_block_in_it__is_halved_and_grows_back(
    words: str, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    blocks = [history.busy[0] + 17, history.busy[1] + 30]
    with run_proxy(choke_on(history.node, blocks, lambda asked: Failure(-32000, words))) as proxy:
        gathered = gather([proxy.url], copied_engine, history.latest)
    assert (gathered.reached, gathered.told) == (history.latest, "")
    assert read_content(copied_engine) == honest_rows
    after = [end - start + 1 for start, end in proxy.log_ranges if start > blocks[1]]
    assert max(after) > 50, "it grows back"
    assert len(proxy.log_ranges) < 100


def refuse_block(history: History, refusal: Failure | Raw) -> Behaviour:
    """Refuse every range with one certain block in it, be it that block alone."""

    def behave(call: Call) -> Reply:
        if call.method == "eth_getLogs":
            start, end = read_range(call)
            if start <= history.busy[0] + 3 <= end:
                return refusal
        return history.node(call)

    return behave


REFUSALS = [
    Failure(-32000, "the computer says no"),
    Failure(-32600, "block range is too wide"),
    Failure(-32005, "query returned more than 10000 results"),
    Raw(HTML_413, 413),
    Raw(b"Unprocessable: window", 422),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=["unknown", "too_wide", "too_many", "page", "text"])
@pytest.mark.parametrize("company", [False, True], ids=["alone", "in_company"])
def test_block__refused_even_by_itself__is_read_elsewhere_or_ends_clearly(
    refusal: Failure | Raw, company: bool, history: History, honest_rows: Rows, copied_engine: Engine
) -> None:
    with run_proxy(refuse_block(history, refusal)) as proxy, run_proxy(history.node) as honest:
        urls = [proxy.url, honest.url] if company else [proxy.url]
        gathered = gather(urls, copied_engine, history.latest, rounds=3 if not company else ROUNDS)
    rows = read_content(copied_engine)
    if company:
        assert gathered.reached == history.latest, gathered.told
        assert rows == honest_rows
    else:
        assert gathered.errors
        assert isinstance(gathered.errors[-1], EndpointError)
        assert is_part_of(rows, honest_rows)
