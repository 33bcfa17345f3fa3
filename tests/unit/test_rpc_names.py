"""An endpoint's name is for logs and errors: what may hold a key is not in it."""

from __future__ import annotations

import re

import pytest

from qballot.chain.answers import Log
from qballot.chain.rpc import Rpc, find_problem
from qballot.core.types import Address, BlockNumber, Hash32
from qballot.endpoint_list import compute_endpoint_name
from qballot.errors import EndpointError, InputError

pytestmark = pytest.mark.unit

BOX = Address(b"\x11" * 20)
TOPIC = Hash32(b"\x22" * 32)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("https://mainnet.infura.io/v3/SECRET", "https://mainnet.infura.io"),
        ("https://eth.example/?apikey=SECRET#SECRET", "https://eth.example"),
        ("https://SECRET:SECRET@node.example:8545/SECRET", "https://node.example:8545"),
        ("http://[::1]:8545/SECRET", "http://[::1]:8545"),
    ],
)
def test_endpoint_name__url_with_key__shows_host_and_port_only(url: str, name: str) -> None:
    assert compute_endpoint_name(url) == name
    with Rpc(url) as rpc:
        assert rpc.endpoint == name
        assert "SECRET" not in repr(rpc)
        assert "SECRET" not in str(EndpointError(rpc.endpoint, "HTTP status 502"))


@pytest.mark.parametrize(
    "url", ["", "SECRET", "ws://SECRET", "http:///SECRET", "http://host:SECRET/", "http://[SECRET"]
)
def test_endpoint_name__not_an_http_url__is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InputError, match="expected http") as caught:
        Rpc(url)
    assert "SECRET" not in str(caught.value)


def make_log(block: int = 5, index: int = 0, address: Address = BOX, topics: tuple[Hash32, ...] = (TOPIC,)) -> Log:
    block_hash = Hash32(block.to_bytes(32))
    return Log(address, topics, b"", BlockNumber(block), block_hash, Hash32(bytes(32)), index)


def test_find_problem__logs_as_asked__finds_none() -> None:
    logs = [make_log(5), make_log(5, 1), make_log(9)]
    assert find_problem(logs, 5, 9, [BOX], [TOPIC]) is None
    assert find_problem(logs, 5, 9, None, [[Hash32(bytes(32)), TOPIC]]) is None
    assert find_problem(logs, 5, 9, None) is None


@pytest.mark.parametrize(
    ("logs", "problem"),
    [
        ([make_log(4)], "block 4, expected of 5 to 9"),
        ([make_log(10)], "block 10, expected of 5 to 9"),
        ([make_log(address=Address(b"\x12" * 20))], "was not asked for"),
        ([make_log(topics=())], "topics that were not asked for"),
        ([make_log(topics=(Hash32(bytes(32)),))], "topics that were not asked for"),
        ([make_log(6, 3), make_log(6, 3)], r"\(6, 3\) \(block, index\) twice"),
    ],
)
def test_find_problem__log_that_was_not_asked_for__is_named(logs: list[Log], problem: str) -> None:
    found = find_problem(logs, 5, 9, [BOX], [TOPIC])
    assert found is not None
    assert re.search(problem, found)


def test_find_problem__two_blocks_of_one_height__is_named() -> None:
    other = Log(BOX, (TOPIC,), b"", BlockNumber(5), Hash32(b"\x33" * 32), Hash32(bytes(32)), 1)
    assert find_problem([make_log(5), other], 5, 9, [BOX]) == "found logs of two different blocks 5"
