"""What nodes say becomes a type with advice; every client's words are tried, and no others are taken for them."""

from __future__ import annotations

import pytest

from qballot.chain.amounts import format_ether, format_gwei
from qballot.chain.refusals import REFUSALS, find_refusal
from qballot.errors import (
    AlreadyKnownError,
    GasRefusedError,
    InsufficientFundsError,
    NonceTooLowError,
    TransactionRefused,
    UnderpricedError,
)

pytestmark = pytest.mark.unit

SEND = "eth_sendRawTransaction"

# Whole messages as the clients send them; the sources stand beside the rows in qballot/chain/refusals.py.
MESSAGES = [
    ("insufficient funds for gas * price + value: balance 5, tx cost 21, overshot 16", InsufficientFundsError),
    ("insufficient funds for gas * price + value: address 0x77 have 5 want 21", InsufficientFundsError),
    ("Insufficient funds for gas * price + value", InsufficientFundsError),
    ("insufficient funds for transfer", InsufficientFundsError),
    ("INTERNAL_ERROR: insufficient funds", InsufficientFundsError),
    ("Upfront cost exceeds account balance", InsufficientFundsError),
    ("InsufficientFunds, Account balance: 0, cumulative cost: 1", InsufficientFundsError),
    ("nonce too low: next nonce 7, tx nonce 3", NonceTooLowError),
    ("Nonce too low", NonceTooLowError),
    ("OldNonce, Current nonce: 7, nonce of rejected tx: 3", NonceTooLowError),
    ("already known", AlreadyKnownError),
    ("AlreadyKnown", AlreadyKnownError),
    ("Known transaction", AlreadyKnownError),
    ("transaction already imported", AlreadyKnownError),
    ("INTERNAL_ERROR: existing txn with same hash", AlreadyKnownError),
    ("replacement transaction underpriced", UnderpricedError),
    ("transaction underpriced: gas tip cap 1, minimum needed 2", UnderpricedError),
    ("max fee per gas less than block base fee: address 0x77, maxFeePerGas: 1, baseFee: 2", UnderpricedError),
    ("Gas price below current base fee", UnderpricedError),
    ("INTERNAL_ERROR: could not replace existing tx", UnderpricedError),
    ("FeeTooLowToCompete", UnderpricedError),
    ("ReplacementNotAllowed", UnderpricedError),
    ("intrinsic gas too low: gas 21000, minimum needed 21004", GasRefusedError),
    ("Intrinsic gas exceeds gas limit", GasRefusedError),
    ("exceeds block gas limit", GasRefusedError),
    ("Transaction gas limit is greater than the block gas limit, gas_limit: 2, cap: 1", GasRefusedError),
]


@pytest.mark.parametrize(("message", "kind"), MESSAGES)
def test_find_refusal__words_of_a_client__become_its_type(message: str, kind: type[TransactionRefused]) -> None:
    found = find_refusal("http://node", SEND, message, -32000)
    assert type(found) is kind
    assert str(found) == f"http://node: {SEND}: {message} (code -32000)" + str(found).partition("(code -32000)")[2]
    assert str(found).endswith(kind.advice)
    assert (found.retryable, found.code) == (False, -32000)


def test_find_refusal__geths_amounts__are_read() -> None:
    for message, kind in MESSAGES[:2]:
        found = find_refusal("http://node", SEND, message, -32000)
        assert isinstance(found, kind)
        assert isinstance(found, InsufficientFundsError)
        assert (found.balance, found.needed) == (5, 21)
        assert "the account has 0.000000000000000005 ETH" in str(found)


@pytest.mark.parametrize("message", ["", "boom", "header not found", "too many requests", "nonce too high"])
def test_find_refusal__other_words__are_left_alone(message: str) -> None:
    assert find_refusal("http://node", SEND, message, -32000) is None


def test_find_refusal__another_method__is_left_alone() -> None:
    assert find_refusal("http://node", "eth_getLogs", "insufficient funds", -32000) is None


def test_refusals__every_row__has_its_source_and_is_reached() -> None:
    for row in REFUSALS:
        assert row.words == row.words.lower()
        assert all(source.startswith("https://github.com/") for source in row.sources)
        assert len(row.sources) > 0
        found = find_refusal("http://node", SEND, row.words.upper(), 1)
        assert type(found) is row.kind


@pytest.mark.parametrize(
    ("wei", "ether", "gwei"),
    [
        (0, "0 ETH", "0 gwei"),
        (1, "0.000000000000000001 ETH", "0.000000001 gwei"),
        (10**18, "1 ETH", "1000000000 gwei"),
        (15 * 10**17, "1.5 ETH", "1500000000 gwei"),
        (100 * 10**18, "100 ETH", "100000000000 gwei"),
    ],
)
def test_format__amounts__are_exact(wei: int, ether: str, gwei: str) -> None:
    assert (format_ether(wei), format_gwei(wei)) == (ether, gwei)
