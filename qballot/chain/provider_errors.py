"""What endpoints say when they are asked for too much, too often, or for a block that they do not have, as types.

One table: each row has the words of a message, in lower case, what they mean, and where they come from. Codes tell
little: -32005 stands for "too many results" as well as for "slow down". What is in no row stays an error like any
other, and whoever asked for a range then asks for less of it.

A message may say how much may be asked for. Such a hint only saves a few questions, and is checked: some are inverted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from qballot.chain.masking import MAX_SAID
from qballot.chain.refusals import TRANSACTION_METHODS
from qballot.errors import (
    BatchRefusedError,
    EndpointError,
    MissingBlockError,
    QuotaExhaustedError,
    RangeTooWideError,
    SlowDownError,
)
from qballot.http_exchange import MAX_RETRY_AFTER_SECONDS

_INFURA = "https://docs.infura.io/reference/ethereum/json-rpc-methods/eth_getlogs/#constraints"
_INFURA_RANGE = "https://github.com/INFURA/infura/issues/237"
_INFURA_RATE = "https://docs.infura.io/api/networks/ethereum/how-to/avoid-rate-limiting"
_ALCHEMY = "https://www.alchemy.com/docs/reference/error-reference"
_ALCHEMY_RANGE = "https://github.com/boundless-xyz/boundless/issues/838"
_QUICKNODE = "https://quicknode.com/docs/camp/error-references"
_QUICKNODE_RANGE = "https://github.com/OffchainLabs/arbitrum-sdk/issues/609"
_GOLDSKY = "https://docs.goldsky.com/edge-rpc/evm/error-codes"
_GETH_PRUNED = "https://github.com/ethereum/go-ethereum/issues/31939"
_ERIGON = "https://github.com/erigontech/erigon/pull/20424"
_ERIGON_PRUNED = "https://github.com/erigontech/erigon/issues/13198"
_RETH = "https://github.com/paradigmxyz/reth/blob/main/crates/rpc/rpc-eth-types/src/logs_utils.rs"
_RETH_PRUNED = "https://github.com/paradigmxyz/reth/pull/22874"
_NETHERMIND = "https://github.com/NethermindEth/nethermind/issues/12089"
_CDK_ERIGON = "https://github.com/0xPolygon/cdk-erigon/pull/1706"
_MOONBEAM = "https://github.com/moonbeam-foundation/moonbeam/pull/3250"
_SCROLL = "https://github.com/enviodev/hyperindex/issues/605"
_CANDLE = "https://github.com/AlphaWallet/alpha-wallet-ios/issues/5277"
_PONDER = "https://github.com/ponder-sh/ponder/blob/main/packages/utils/src/getLogsRetryHelper.ts"
_DRPC = "https://drpc.org: `Batch of more than 3 requests are not allowed on free tier`, code 31, HTTP status 500"
_NOTED = "noted from an endpoint's answers; it documents none"
_VARIED = "the words above as others vary them"

_COUNT = r"(?P<blocks>\d[\d,._]*k?)"
"""A number of blocks as people write it: 10000, 10,000, 10k."""


class Fault(NamedTuple):
    """What an endpoint said. code: None where it is no JSON-RPC error. status: HTTP's. data: the error's, any JSON."""

    message: str
    code: int | None = None
    data: Any = None
    status: int = 200
    retry_after_seconds: float | None = None


class Wording(NamedTuple):
    """One row. pattern: searched for in the message in lower case; its group `blocks`: how many may be asked for."""

    pattern: str
    kind: type[EndpointError]
    source: str


# From the first row to the last: a message about a used-up quota may speak of rates, one about rates of limits. What a
# row takes for granted is the kind of question, see `_fits`.
WORDINGS = (
    Wording(r"monthly capacity limit exceeded", QuotaExhaustedError, _ALCHEMY),
    Wording(r"daily request count exceeded", QuotaExhaustedError, _INFURA_RATE),
    Wording(
        r"(?:monthly|daily|plan)[a-z ']* (?:quota|credits?|limit|capacity)[a-z ]* (?:exceeded|exhausted|reached|used)",
        QuotaExhaustedError,
        _VARIED,
    ),
    Wording(
        r"(?:exceeded|exhausted|reached|used up)[a-z ']* (?:monthly|daily)[a-z ]* (?:quota|credits?|limit|capacity)",
        QuotaExhaustedError,
        _VARIED,
    ),
    Wording(r"request rate exceeded", SlowDownError, _INFURA_RATE),
    Wording(
        r"exceeded its (?:compute units per second|throughput|concurrent requests) capacity",
        SlowDownError,
        _ALCHEMY,
    ),
    Wording(r"request(?:s|/second| limit| per second)+ (?:limit )?(?:reached|exceeded)", SlowDownError, _QUICKNODE),
    Wording(r"too many requests|rate[- ]?limit|call rate", SlowDownError, _VARIED),
    Wording(r"batch of more than \d+|batch (?:size )?too large|batch(?:es)? (?:are )?not", BatchRefusedError, _DRPC),
    Wording(r"query returned more than [\d,]+ results|query timeout exceeded", RangeTooWideError, _INFURA),
    Wording(rf"range [\d,]+ exceeds limit of {_COUNT}", RangeTooWideError, _INFURA_RANGE),
    Wording(r"log response size exceeded", RangeTooWideError, _ALCHEMY_RANGE),
    Wording(rf"up to a {_COUNT} block range", RangeTooWideError, _ALCHEMY_RANGE),
    Wording(rf"limited to (?:a |0 - )?{_COUNT} (?:blocks? )?range", RangeTooWideError, _QUICKNODE_RANGE),
    Wording(rf"limited to {_COUNT} block", RangeTooWideError, _PONDER),
    Wording(rf"block range is too wide \(maximum {_COUNT}\)", RangeTooWideError, _MOONBEAM),
    Wording(rf"block range too large, (?:range: [\d,]+, )?max(?: range)?: {_COUNT}", RangeTooWideError, _CDK_ERIGON),
    Wording(rf"max(?:imum)? block range(?::| =|) {_COUNT}", RangeTooWideError, _SCROLL),
    Wording(rf"query block range exceeds server limit, narrow your filter: {_COUNT}", RangeTooWideError, _ERIGON),
    Wording(r"query exceeds max results", RangeTooWideError, _RETH),
    Wording(r"exceeded max(?:imum)? allowed|requested range too large", RangeTooWideError, _GOLDSKY),
    Wording(rf"ranges over {_COUNT} blocks are not supported", RangeTooWideError, _NOTED),
    Wording(rf"requested too many blocks from \d+ to \d+, maximum is set to {_COUNT}", RangeTooWideError, _PONDER),
    Wording(rf"max(?:imum)?(?: is| range:) {_COUNT}", RangeTooWideError, _PONDER),
    Wording(rf"maximum allowed number of requested blocks is {_COUNT}", RangeTooWideError, _PONDER),
    Wording(rf"exceeds the range allowed for your plan \(\d+ > {_COUNT}\)", RangeTooWideError, _PONDER),
    Wording(rf"limit the query to at most {_COUNT} blocks", RangeTooWideError, _PONDER),
    Wording(rf"block range (?:greater than|exceeds) {_COUNT}", RangeTooWideError, _PONDER),
    Wording(rf"query must be smaller than size {_COUNT}", RangeTooWideError, _PONDER),
    Wording(rf"blocks distance: {_COUNT}", RangeTooWideError, _PONDER),
    Wording(r"block range (?:limit|threshold) exceeded", RangeTooWideError, _PONDER),
    Wording(r"block range (?:is )?too (?:wide|high|large|big|long)", RangeTooWideError, _CANDLE),
    Wording(
        r"(?:exceeds?|larger than)[a-z ]* block range|range[a-z ]* (?:too (?:wide|high|large|big|long)|exceed)",
        RangeTooWideError,
        _VARIED,
    ),
    Wording(
        r"backend response too large|response (?:is |size )?(?:too (?:large|big)|exceed)",
        RangeTooWideError,
        _PONDER,
    ),
    Wording(r"response size (?:should not|is larger)", RangeTooWideError, _NOTED),
    Wording(r"logs matched by query exceeds limit|too many (?:logs|results|events|blocks)", RangeTooWideError, _PONDER),
    Wording(
        r"quer(?:y|ies)[a-z ]* (?:timed out|timeout)|request timed out|context deadline exceeded",
        RangeTooWideError,
        _VARIED,
    ),
    Wording(r"block range extends beyond current head", MissingBlockError, _RETH),
    Wording(r"pruned|data before [a-z]+=\d+ is not available", MissingBlockError, _ERIGON_PRUNED),
    Wording(r"failed to get logs for block", MissingBlockError, _GETH_PRUNED),
    Wording(r"header not found|block not found", MissingBlockError, _RETH_PRUNED),
    Wording(r"receipts? not available|receipts? unavailable", MissingBlockError, _NETHERMIND),
    Wording(
        r"unknown block|cannot query unfinalized data|block is out of range|after last accepted block",
        MissingBlockError,
        _NOTED,
    ),
    Wording(r"missing (?:block )?data|block not yet imported", MissingBlockError, _GOLDSKY),
)

_PATTERNS = [(re.compile(row.pattern), row.kind) for row in WORDINGS]

_MISSING_CODES = frozenset({-32014, 4444})
"""Codes of a block that a node does not have, whatever it says. Sources: Goldsky's codes, -32014; EIP-4444, 4444."""

_ABOUT_THE_PLAN = (QuotaExhaustedError, SlowDownError, BatchRefusedError)

_HEX_RANGE = re.compile(r"\[\s*0x([0-9a-f]{1,16})\s*,\s*0x([0-9a-f]{1,16})\s*\]")
_DECIMAL_RANGE = re.compile(r"range (\d{1,18})\s*-\s*(\d{1,18})")
_RETRY_IN = re.compile(r"(?:retry|try again) (?:in|after) (\d+(?:\.\d+)?)\s*(ms|s|sec|seconds?|m|minutes?)\b")
_SECONDS = {"ms": 0.001, "m": 60.0, "minute": 60.0, "minutes": 60.0}


def find_provider_error(endpoint: str, method: str, params: Sequence[Any], fault: Fault) -> EndpointError | None:
    """Return the error that an endpoint's words mean; None for what is in no row.

    method, params: what it was asked, where that is one thing; for a range of logs the hints are checked against it.
    """
    lowered = fault.message[:MAX_SAID].lower()
    kind, found = next(
        ((kind, found) for pattern, kind in _PATTERNS if (found := pattern.search(lowered)) and _fits(kind, method)),
        (None, None),
    )
    kind = _correct(kind, method, fault)
    said = f"{method}: {fault.message[:MAX_SAID] or f'HTTP status {fault.status}'}"
    said += "" if fault.code is None else f" (code {fault.code})"
    if kind is RangeTooWideError:
        asked = read_range(params)
        if asked is None or asked[0] == asked[1]:
            # No range is narrower than one block, so another endpoint may do better where this one will not.
            return EndpointError(endpoint, said, code=fault.code)
        blocks = found.groupdict().get("blocks") if found else None
        return RangeTooWideError(
            endpoint, said, code=fault.code, suggested=_suggest(asked, lowered, fault.data, blocks)
        )
    if kind is SlowDownError:
        return SlowDownError(endpoint, said, code=fault.code, retry_after_seconds=_read_wait(lowered, fault))
    return None if kind is None else kind(endpoint, said, code=fault.code)


def read_range(params: Sequence[Any]) -> tuple[int, int] | None:
    """Return the first and last block that eth_getLogs was asked for; None where they are no numbers."""
    query = params[0] if params and isinstance(params[0], dict) else {}
    first, last = _read_number(query.get("fromBlock")), _read_number(query.get("toBlock"))
    return None if first is None or last is None else (first, last)


def _fits(kind: type[EndpointError], method: str) -> bool:
    """Whether words mean this for a method: a call or a transaction may be refused in words of its own."""
    if kind in _ABOUT_THE_PLAN:
        return True
    return method == "eth_getLogs" if kind is RangeTooWideError else method not in TRANSACTION_METHODS


def _correct(kind: type[EndpointError] | None, method: str, fault: Fault) -> type[EndpointError] | None:
    """Let HTTP's status and the few codes that are clear decide where the words do not."""
    if kind is None and fault.status == 402:
        return QuotaExhaustedError
    if kind is None and fault.status == 429:
        return SlowDownError
    if kind is None and fault.status == 413 and method == "eth_getLogs":
        return RangeTooWideError
    if kind is None and fault.code in _MISSING_CODES and method not in TRANSACTION_METHODS:
        return MissingBlockError
    return kind


def _suggest(asked: tuple[int, int], lowered: str, data: Any, blocks: str | None) -> tuple[int, int] | None:
    """Return the first hint that makes sense: a range within the asked one, not inverted, and smaller."""
    hints: list[tuple[int | None, int | None]] = []
    for pattern, base in ((_HEX_RANGE, 16), (_DECIMAL_RANGE, 10)):
        if found := pattern.search(lowered):
            hints.append((int(found.group(1), base), int(found.group(2), base)))
    if isinstance(data, dict):
        hints.append((_read_number(data.get("from")), _read_number(data.get("to"))))
    if blocks is not None:
        count = int(re.sub(r"\D", "", blocks)) * (1000 if blocks.endswith("k") else 1)
        hints.append((asked[0], asked[0] + count - 1))
    for first, last in hints:
        if first is not None and last is not None and asked[0] <= first <= last <= asked[1] and (first, last) != asked:
            return first, last
    return None


def _read_number(value: Any) -> int | None:
    """Read a block's number as nodes write it: 0x-hex, or a number in JSON."""
    if isinstance(value, str) and re.fullmatch("0x[0-9a-fA-F]{1,16}", value):
        return int(value, 16)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _read_wait(lowered: str, fault: Fault) -> float | None:
    """Return how long an endpoint says to wait: by its header, its error's data (Infura) or its words."""
    data = fault.data if isinstance(fault.data, dict) else {}
    backoff = (data["rate"] if isinstance(data.get("rate"), dict) else data).get("backoff_seconds")
    found = _RETRY_IN.search(lowered)
    waits = [
        fault.retry_after_seconds,
        float(backoff) if isinstance(backoff, int | float) and 0 < backoff < 1e9 else None,
        float(found.group(1)) * _SECONDS.get(found.group(2), 1.0) if found else None,
    ]
    known = [wait for wait in waits if wait is not None]
    return min(max(known), MAX_RETRY_AFTER_SECONDS) if known else None
