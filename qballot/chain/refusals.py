"""What nodes say when they do not take a transaction, as types: one table, each row with where the words come from.

Nodes have codes of their own for the same thing, so only their words tell. They are looked for in lower case, from the
first row to the last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qballot.chain.amounts import format_ether
from qballot.errors import (
    AlreadyKnownError,
    GasRefusedError,
    InsufficientFundsError,
    NonceTooLowError,
    TransactionRefused,
    UnderpricedError,
)

_GETH_POOL = "https://github.com/ethereum/go-ethereum/blob/master/core/txpool/errors.go"
_GETH_CORE = "https://github.com/ethereum/go-ethereum/blob/master/core/error.go"
_ERIGON = "https://github.com/erigontech/erigon/blob/main/txnprovider/txpool/txpoolcfg/txpoolcfg.go"
_RETH = "https://github.com/paradigmxyz/reth/blob/main/crates/rpc/rpc-eth-types/src/error/mod.rs"
_NETHERMIND = (
    "https://github.com/NethermindEth/nethermind/blob/master/src/Nethermind/Nethermind.TxPool/AcceptTxResult.cs"
)
_BESU = (
    "https://github.com/hyperledger/besu/blob/main/ethereum/api/src/main/java/org/hyperledger/besu/ethereum/api/"
    "jsonrpc/internal/response/RpcErrorType.java"
)
_ANVIL = "https://github.com/foundry-rs/foundry/blob/master/crates/anvil/src/eth/error.rs"

TRANSACTION_METHODS = frozenset({"eth_sendRawTransaction", "eth_sendTransaction", "eth_estimateGas", "eth_call"})
"""Methods whose errors are about a transaction; the words may mean something else elsewhere."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row: words in a node's message, in lower case, the error that they mean, and who says so."""

    words: str
    kind: type[TransactionRefused]
    sources: tuple[str, ...]


REFUSALS = (
    # geth's pool and execution; erigon, reth and anvil say the same with other capitals or after it.
    Refusal("insufficient funds", InsufficientFundsError, (_GETH_CORE, _ERIGON, _RETH, _ANVIL)),
    Refusal("upfront cost exceeds account balance", InsufficientFundsError, (_BESU,)),
    Refusal("insufficientfunds", InsufficientFundsError, (_NETHERMIND,)),
    Refusal("nonce too low", NonceTooLowError, (_GETH_CORE, _ERIGON, _RETH, _BESU, _ANVIL)),
    Refusal("oldnonce", NonceTooLowError, (_NETHERMIND,)),
    Refusal("already known", AlreadyKnownError, (_GETH_POOL, _ERIGON)),
    Refusal("known transaction", AlreadyKnownError, (_BESU,)),
    Refusal("alreadyknown", AlreadyKnownError, (_NETHERMIND,)),
    Refusal("existing txn with same hash", AlreadyKnownError, (_ERIGON,)),
    Refusal("transaction already imported", AlreadyKnownError, (_ANVIL,)),
    # "transaction underpriced", "replacement transaction underpriced", and erigon's bare word.
    Refusal("underpriced", UnderpricedError, (_GETH_POOL, _ERIGON, _BESU, _ANVIL)),
    Refusal("max fee per gas less than block base fee", UnderpricedError, (_GETH_CORE, _RETH, _ANVIL)),
    Refusal("insufficient gas price to replace", UnderpricedError, (_ANVIL,)),
    Refusal("gas price below", UnderpricedError, (_BESU,)),
    Refusal("priority fee below minimum", UnderpricedError, (_RETH,)),
    Refusal("could not replace existing tx", UnderpricedError, (_ERIGON,)),
    Refusal("fee too low", UnderpricedError, (_ERIGON,)),
    Refusal("feetoolow", UnderpricedError, (_NETHERMIND,)),
    Refusal("replacementnotallowed", UnderpricedError, (_NETHERMIND,)),
    Refusal("intrinsic gas", GasRefusedError, (_GETH_CORE, _RETH, _BESU, _ANVIL)),
    Refusal("intrinsicgas", GasRefusedError, (_ERIGON,)),
    Refusal("exceeds block gas limit", GasRefusedError, (_GETH_POOL, _BESU)),
    Refusal("gas limit is greater than the block gas limit", GasRefusedError, (_ANVIL,)),
    Refusal("gas limit too high", GasRefusedError, (_RETH,)),
    Refusal("gas limit is too high", GasRefusedError, (_ERIGON,)),
    Refusal("gaslimitexceeded", GasRefusedError, (_NETHERMIND,)),
)

# geth's pool: "balance 1, tx cost 2, overshot 1" (core/txpool/validation.go); its execution and reth: "have 1 want 2".
_BALANCE_AND_COST = re.compile(r"(?:balance|have) (\d+),? (?:tx cost|want) (\d+)")


def find_refusal(endpoint: str, method: str, message: str, code: int) -> TransactionRefused | None:
    """Return the error that a node's message about a transaction means; None for a message that is not in the table.

    message: the node's, cut to a sensible length.
    """
    if method not in TRANSACTION_METHODS:
        return None
    lowered = message.lower()
    kind = next((row.kind for row in REFUSALS if row.words in lowered), None)
    if kind is None:
        return None
    said = f"{method}: {message} (code {code})"
    amounts = _BALANCE_AND_COST.search(lowered)
    if kind is InsufficientFundsError and amounts:
        balance, needed = int(amounts.group(1)), int(amounts.group(2))
        said += f"; the account has {format_ether(balance)}, and {format_ether(needed)} are needed"
        return InsufficientFundsError(endpoint, said, code=code, balance=balance, needed=needed)
    return kind(endpoint, said, code=code)
