"""How much gas a transaction may have depends on the fork that the chain follows, and the chain tells which that is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import rlp

from qballot.chain.ape_bridge import LocalChannel
from qballot.chain.rpc import Rpc
from qballot.chain.terms import LATEST_TERMS, Terms, fetch_terms
from qballot.chain.transactions import Call, choose_gas_limit, quote
from qballot.core.forks import FORKS, Field, count_fields
from qballot.core.keccak import keccak
from qballot.core.prices import NO_GROWTH, StateGrowth
from qballot.core.types import Address
from qballot.deploy.election import LARGER_SHEETS
from qballot.errors import ChainError

pytestmark = pytest.mark.unit

SENDER, FACTORY = Address(b"\x01" * 20), Address(b"\x02" * 20)
BLOCK_GAS_LIMIT = 60_000_000
BY_NAME = {fork.name: fork for fork in FORKS}

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "headers.json").read_text())["cases"]

CREATION = Call(
    FACTORY,
    b"create",
    growth=StateGrowth(accounts=1, slots=1, code_bytes=114 + 489 * 32),
    remedy=LARGER_SHEETS,
)
"""Of an election of 1,000,000 voters in sheets of 2,048."""
CREATION_GAS = 28_000_000


class Node:
    """A node that answers what a quote asks. fields: how many its headers have. block: its latest, if another."""

    def __init__(self, fields: int, estimate: int, block: dict[str, Any] | None = None) -> None:
        self.block, self.estimate = block or make_block(fields), estimate
        self.asked: list[str] = []
        self.rpc = Rpc.over(LocalChannel("node", self.answer))

    def answer(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        self.asked.append(method)
        answers = {
            "eth_chainId": "0x1",
            "eth_maxPriorityFeePerGas": "0x1",
            "eth_estimateGas": hex(self.estimate),
            "eth_getBalance": hex(10**20),
            "eth_getBlockByNumber": self.block,
        }
        return {"result": answers[method]}


def make_block(count: int) -> dict[str, str]:
    """Make a block of so many fields; further ones than we know have names that we do not know either."""
    fields = [field for fork in FORKS for field in fork.added_fields]
    fields = fields[:count] + [Field(f"later{place}") for place in range(len(fields), count)]
    values = {field.name: 7 if field.bits else bytes(field.size if field.is_fixed else 0) for field in fields}
    values["gasLimit"] = BLOCK_GAS_LIMIT
    block = {name: hex(value) if isinstance(value, int) else "0x" + value.hex() for name, value in values.items()}
    return block | {"hash": "0x" + keccak(rlp.encode(list(values.values()))).hex()}


@pytest.mark.parametrize("name", ["London", "Shanghai", "Cancun", "Osaka", "Amsterdam"])
def test_terms__headers_of_a_fork__are_that_forks(name: str) -> None:
    fork = BY_NAME[name]
    assert fetch_terms(Node(count_fields(fork), 0).rpc) == Terms(fork, BLOCK_GAS_LIMIT)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["fork"])
def test_terms__blocks_of_a_real_client__are_their_forks(case: dict[str, Any]) -> None:
    # Prague's headers are those of Osaka.
    expected = {"prague": "Osaka", "amsterdam": "Amsterdam"}[case["fork"]]
    terms = fetch_terms(Node(0, 0, case["answer"]).rpc)
    assert terms == Terms(BY_NAME[expected], int(case["answer"]["gasLimit"], 16))


def test_terms__headers_of_unknown_form__are_the_latest_forks() -> None:
    assert fetch_terms(Node(count_fields(FORKS[-1]) + 1, 0).rpc) == LATEST_TERMS
    assert LATEST_TERMS.fork.name == "Amsterdam"


def test_quote__a_million_voters_under_amsterdam__is_accepted() -> None:
    quoted = quote(Node(count_fields(BY_NAME["Amsterdam"]), CREATION_GAS).rpc, SENDER, CREATION)
    assert (quoted.gas, quoted.gas_limit) == (CREATION_GAS, 33_600_000)


def test_quote__a_million_voters_under_osaka__is_refused_with_advice() -> None:
    node = Node(count_fields(BY_NAME["Osaka"]), CREATION_GAS)
    with pytest.raises(
        ChainError,
        match=r"needs 28000000 gas, expected at most 16777216 under the rules of Osaka: .* larger sheets",
    ):
        quote(node.rpc, SENDER, CREATION)


def test_quote__limit_that_every_fork_allows__does_not_ask_for_the_fork() -> None:
    node = Node(count_fields(BY_NAME["Osaka"]), 13_900_000)
    assert quote(node.rpc, SENDER, CREATION).gas_limit == 16_680_000
    assert node.asked.count("eth_getBlockByNumber") == 1  # for the base fee


@pytest.mark.parametrize(
    ("name", "growth", "gas", "expected"),
    [
        ("Osaka", NO_GROWTH, 16_000_000, 16_777_216),
        ("Osaka", None, 16_777_216, 16_777_216),
        ("Cancun", None, 20_000_000, 24_000_000),
        # Since Amsterdam the limit counts state gas and may be above the cap.
        ("Amsterdam", StateGrowth(slots=100), 16_000_000, 19_200_000),
        ("Amsterdam", NO_GROWTH, 16_000_000, 19_200_000),
        # What a call adds to the state is unknown: the node decides.
        ("Amsterdam", None, 40_000_000, 48_000_000),
        # No more than a block holds.
        ("Amsterdam", None, 58_000_000, BLOCK_GAS_LIMIT),
    ],
)
def test_gas_limit__of_a_fork__is_estimate_and_margin_as_far_as_it_allows(
    name: str, growth: StateGrowth | None, gas: int, expected: int
) -> None:
    call = Call(FACTORY, b"", growth=growth)
    assert choose_gas_limit(call, gas, Terms(BY_NAME[name], BLOCK_GAS_LIMIT)) == expected


@pytest.mark.parametrize(
    ("name", "growth", "gas", "message"),
    [
        ("Osaka", None, 16_777_217, "needs 16777217 gas, expected at most 16777216 under the rules of Osaka: do less"),
        (
            "Amsterdam",
            StateGrowth(slots=1),
            16_777_217 + 97_920,
            "needs 16777217 gas without what it pays for new state, expected at most 16777216 under the rules of Amst",
        ),
        (
            "Amsterdam",
            None,
            BLOCK_GAS_LIMIT + 1,
            "needs 60000001 gas, expected at most 60000000 on this chain: do less",
        ),
    ],
)
def test_gas_limit__more_than_allowed__is_refused(
    name: str, growth: StateGrowth | None, gas: int, message: str
) -> None:
    with pytest.raises(ChainError, match=message):
        choose_gas_limit(Call(FACTORY, b"", growth=growth), gas, Terms(BY_NAME[name], BLOCK_GAS_LIMIT))


def test_gas_limit__block_limit_unknown__is_bounded_by_the_fork_alone() -> None:
    call = Call(FACTORY, b"")
    assert choose_gas_limit(call, 2**31, LATEST_TERMS) == 2**31 * 12 // 10
    assert choose_gas_limit(call, 2**32 - 1, LATEST_TERMS) == 2**32 - 1
    with pytest.raises(ChainError, match="expected at most 4294967295"):
        choose_gas_limit(call, 2**32, LATEST_TERMS)
