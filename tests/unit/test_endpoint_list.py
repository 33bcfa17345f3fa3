"""The list of endpoints: order, operators, and no URL in any message."""

from __future__ import annotations

import pytest

from qballot.chain.new_heads import compute_websocket_urls
from qballot.endpoint_list import number_names, parse_endpoints
from qballot.errors import InputError

pytestmark = pytest.mark.unit


def test_endpoints__several__keep_their_order_and_operators() -> None:
    found = parse_endpoints(
        "home=http://10.0.0.5:8545 https://mainnet.infura.io/v3/SECRET\n  q_n-1.a=https://x.quiknode.pro/SECRET/?a=b "
        "wss://mainnet.infura.io/ws/v3/SECRET"
    )
    assert [(item.operator, item.name, item.is_websocket) for item in found] == [
        ("home", "http://10.0.0.5:8545", False),
        ("infura.io", "https://mainnet.infura.io", False),
        ("q_n-1.a", "https://x.quiknode.pro", False),
        ("infura.io", "wss://mainnet.infura.io", True),
    ]
    assert found[2].url == "https://x.quiknode.pro/SECRET/?a=b"
    assert "SECRET" not in repr(found)


@pytest.mark.parametrize(
    ("url", "operator"),
    [
        ("http://127.0.0.1:8545", "127.0.0.1:8545"),
        ("http://[::1]:8545", "::1:8545"),
        ("http://localhost", "localhost"),
        ("http://node:8545", "node:8545"),
        ("https://rpc.eu.example.co.uk/x", "example.co.uk"),
        ("https://example.org:8443", "example.org"),
    ],
)
def test_endpoints__no_operator_named__is_the_hosts_name(url: str, operator: str) -> None:
    assert parse_endpoints(url)[0].operator == operator


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no endpoint of http"),
        ("ws://host/SECRET", "no endpoint of http"),
        ("http://a ftp://b/SECRET", "endpoint 2: .*without http"),
        ("http://a http://b:SECRET", "endpoint 2: .*cannot be read"),
        ("SECRET", "endpoint 1"),
        ("in fura=http://a/SECRET", "endpoint 1"),
        ("http://a/SECRET b=http://a/SECRET", "endpoint 2 twice"),
    ],
)
def test_endpoints__wrong__say_which_and_show_none(text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        parse_endpoints(text)
    assert "SECRET" not in str(caught.value)


KEY = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (f"{KEY}.eth.rpc.rivet.cloud", "***.eth.rpc.rivet.cloud"),
        (f"{KEY.upper()}.eth.rpc.rivet.cloud", "***.eth.rpc.rivet.cloud"),
        (f"eth.{KEY}.example.org", "eth.***.example.org"),
        ("a1b2c3d4e5f6g7h8.example.org", "***.example.org"),
        ("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9.example.org", "***.example.org"),
        (f"{KEY}.org", "***.org"),
        (f"{KEY}:8545", f"{KEY}:8545"),
        ("a1b2c3d4e5f6g7h.example.org", "a1b2c3d4e5f6g7h.example.org"),
        ("abcdefabcdefabcdef.example.org", "abcdefabcdefabcdef.example.org"),
        ("cosmological-quiet-sound2.ethereum-mainnet.quiknode.pro", None),
        ("ethereum-mainnet-archive-2.example.org", None),
        ("192.168.100.100", None),
        ("[2001:db8::123:4567:89ab:cdef]:8545", None),
    ],
)
def test_endpoints__host_with_a_key__is_named_without_it(host: str, name: str | None) -> None:
    found = parse_endpoints(f"https://{host}/v3/SECRET")[0]
    assert found.name == f"https://{name or host}".replace(KEY.upper(), KEY)
    if name is not None and "***" in name:
        assert KEY not in repr(found).lower()


def test_number_names__names_that_come_again__are_numbered() -> None:
    assert number_names(["a", "b", "a", "a"]) == ["a", "b", "a#2", "a#3"]
    assert number_names([]) == []


def test_websocket_urls__http_and_ws__are_where_nodes_have_them() -> None:
    urls = [
        "https://mainnet.infura.io/v3/KEY",
        "http://user:pass@127.0.0.1:8545",
        "https://eth-mainnet.g.alchemy.com/v2/KEY",
        "ws://127.0.0.1:8546",
        "ws://user:pass@127.0.0.1:8545",
    ]
    assert compute_websocket_urls(urls) == [
        "ws://127.0.0.1:8546",
        "ws://user:pass@127.0.0.1:8545",
        "wss://mainnet.infura.io/ws/v3/KEY",
        "wss://eth-mainnet.g.alchemy.com/v2/KEY",
    ]
