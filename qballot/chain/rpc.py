"""Typed JSON-RPC: one method for each thing that we ask a node, and answers that are checked before they are believed.

Reads are tried again within their deadline when a failure may pass; what changes the chain never is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from qballot.chain import answers
from qballot.chain.answers import BlockHeader, Log, Receipt
from qballot.chain.batch_size import BatchSize
from qballot.chain.transport import Channel, Observer, Request, Transport
from qballot.core.types import Address, ChainId, Hash32
from qballot.errors import (
    BatchRefusedError,
    ChainError,
    ContractReverted,
    EndpointError,
    MissingBlockError,
    QuotaExhaustedError,
    SlowDownError,
    WrongChainError,
)
from qballot.http_exchange import ATTEMPTS

DEFAULT_TIMEOUT_SECONDS = 20.0

MAX_BATCH_REQUESTS = 100
"""Requests sent as one batch at first; providers commonly allow 100 to 1,000, and some fewer."""

MAX_BATCH_BYTES = 1_000_000
"""Bytes of transactions sent as one batch, twice as many in hex; geth takes requests of up to 5 MiB."""

READ_PREFIXES = ("eth_", "net_", "web3_")
WRITE_METHODS = frozenset({"eth_sendRawTransaction", "eth_sendTransaction"})
"""These, and all that a test chain alone has, are never tried again: whether the first try arrived is unknown."""

T = TypeVar("T")
BlockId = int | str
"""A block's number, or a tag such as `latest` or `finalized`."""
Topic = Hash32 | Sequence[Hash32] | None
"""What one topic of a log must be: this value, one of these, or anything."""


class Rpc:
    """One endpoint. Safe to share between threads; close it, or use it as a context manager.

    timeout_seconds: how long one call may take in all, further tries included. name, attempts, on_request: as of
    `Transport`.
    """

    def __init__(
        self,
        url: str,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        *,
        name: str | None = None,
        attempts: int = ATTEMPTS,
        on_request: Observer | None = None,
    ) -> None:
        self._transport: Channel = Transport(url, timeout_seconds, name=name, attempts=attempts, on_request=on_request)
        self._batch_size = BatchSize(MAX_BATCH_REQUESTS)

    @classmethod
    def over(cls, channel: Channel) -> Self:
        """Make one that reaches its node otherwise than over HTTP."""
        rpc = cls.__new__(cls)
        rpc._transport = channel
        rpc._batch_size = BatchSize(MAX_BATCH_REQUESTS)
        return rpc

    @property
    def endpoint(self) -> str:
        """The endpoint's name without what may hold its key."""
        return self._transport.endpoint

    def __repr__(self) -> str:
        return f"Rpc({self.endpoint})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def mask(self, text: str) -> str:
        """Return a text that repeats what the endpoint said, shortened and without what may be a key."""
        return self._transport.mask(text)

    def call(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Ask for anything and return the result as plain JSON, `None` included.

        Raises EndpointError, ContractReverted.
        """
        return self._fetch((method, params), answers.decode_any)

    def call_many(self, requests: Sequence[Request]) -> list[Any]:
        """Ask for many things in few batches; the results are plain JSON in the order of the requests.

        Raises the first error among the answers.
        """
        return self._fetch_many(requests, answers.decode_any)

    def chain_id(self) -> ChainId:
        """Return the id of the chain that the endpoint serves."""
        return self._fetch(("eth_chainId", ()), answers.decode_chain_id)

    def check_chain(self, expected: int | None) -> ChainId:
        """Return the chain's id; raise WrongChainError when one is expected and this is another."""
        found = self.chain_id()
        if expected is not None and found != expected:
            raise WrongChainError(found=found, expected=expected)
        return found

    def block(self, block: BlockId | bytes = "latest") -> BlockHeader:
        """Return a block by number, tag or 32-byte hash. Raises MissingBlockError when the node does not have it."""
        request = _block_request(block)
        return self._checked_block(block, self._fetch(request, answers.decode_block))

    def blocks(self, blocks: Sequence[BlockId]) -> list[BlockHeader]:
        """Return many blocks by number or tag, in the order asked. Raises MissingBlockError when one is missing."""
        found = self._fetch_many([_block_request(block) for block in blocks], answers.decode_block)
        return [self._checked_block(block, header) for block, header in zip(blocks, found, strict=True)]

    def find_blocks(self, blocks: Sequence[BlockId]) -> list[BlockHeader | None]:
        """Return many blocks by number or tag, in the order asked; None for each that the node does not have or know.

        Raises EndpointError when it does not answer, or with a block that was not asked for.
        """
        outcomes = self._fetch_outcomes([_block_request(block) for block in blocks])
        return [self._find_block(block, outcome) for block, outcome in zip(blocks, outcomes, strict=True)]

    def block_receipts(self, block_hash: Hash32) -> list[Receipt]:
        """Return the receipts of every transaction of a block, in their order.

        Raises MissingBlockError when the node does not have the block, EndpointError when a receipt is another block's.
        """
        method = "eth_getBlockReceipts"
        found = self._fetch((method, ["0x" + block_hash.hex()]), answers.decode_receipts)
        if found is None:
            raise MissingBlockError(self.endpoint, f"{method}: block 0x{block_hash.hex()} is not known")
        for receipt in found:
            if {receipt.block_hash, *(log.block_hash for log in receipt.logs)} != {block_hash}:
                raise EndpointError(self.endpoint, f"{method}: found a receipt of another block than asked for")
        return found

    def logs(
        self,
        from_block: int,
        to_block: int,
        addresses: Sequence[Address] | None,
        topics: Sequence[Topic] = (),
        *,
        max_bytes: int | None = None,
    ) -> list[Log]:
        """Return the logs of a closed interval of blocks, in the chain's order.

        from_block, to_block: both included; both must exist, since a node answers with nothing for what it lacks.
        addresses: whose logs; None for anyone's. topics: as of eth_getLogs, from the first. max_bytes: of the answer as
        JSON, where fewer can be asked for; as many as are ever read when None.
        Raises EndpointError when a log was not asked for or comes twice, or when two blocks of one height appear, and
        AnswerTooLargeError when there are more bytes.
        """
        if from_block > to_block or (addresses is not None and not addresses):
            return []
        query: dict[str, Any] = {"fromBlock": hex(from_block), "toBlock": hex(to_block)}
        if addresses is not None:
            query["address"] = ["0x" + address.hex() for address in addresses]
        if topics:
            query["topics"] = [_encode_topic(topic) for topic in topics]
        raw = self._transport.fetch(("eth_getLogs", [query]), retry=True, max_bytes=max_bytes)
        found = self._decode("eth_getLogs", raw, answers.decode_logs)
        problem = find_problem(found, from_block, to_block, addresses, topics)
        if problem:
            raise EndpointError(self.endpoint, f"eth_getLogs: {problem}")
        found.sort(key=_position)
        return found

    def code(self, address: Address, block: BlockId = "latest") -> bytes:
        """Return the code that stands at an address; empty when there is none."""
        return self._fetch(("eth_getCode", ["0x" + address.hex(), _block_name(block)]), answers.decode_bytes)

    def codes(self, addresses: Sequence[Address], block: BlockId = "latest") -> list[bytes]:
        """Return the code at each of many addresses, in their order."""
        requests = [("eth_getCode", ["0x" + address.hex(), _block_name(block)]) for address in addresses]
        return self._fetch_many(requests, answers.decode_bytes)

    def balance(self, address: Address, block: BlockId = "latest") -> int:
        """Return an account's balance in wei."""
        return self._fetch(("eth_getBalance", ["0x" + address.hex(), _block_name(block)]), answers.decode_quantity)

    def balances(self, addresses: Sequence[Address]) -> list[int]:
        """Return the balances of many accounts at the latest block, in wei."""
        requests = [("eth_getBalance", ["0x" + address.hex(), "latest"]) for address in addresses]
        return self._fetch_many(requests, answers.decode_quantity)

    def next_nonces(self, addresses: Sequence[Address]) -> list[int]:
        """Return the nonce of each account's next transaction, those that still wait in the pool counted."""
        requests = [("eth_getTransactionCount", ["0x" + address.hex(), "pending"]) for address in addresses]
        return self._fetch_many(requests, answers.decode_quantity)

    def call_contract(
        self, to: Address, data: bytes, block: BlockId = "latest", sender: Address | None = None
    ) -> bytes:
        """Run a call at a block without a transaction and return what it returns. Raises ContractReverted."""
        transaction = {"to": "0x" + to.hex(), "data": "0x" + data.hex()}
        if sender is not None:
            transaction["from"] = "0x" + sender.hex()
        return self._fetch(("eth_call", [transaction, _block_name(block)]), answers.decode_bytes)

    def call_contracts(
        self, calls: Sequence[tuple[Address, bytes]], block: BlockId = "latest"
    ) -> list[bytes | ContractReverted]:
        """Run many calls, (to, data) each, at a block. Returns what each returns, or why the contract refused it."""
        requests = [
            ("eth_call", [{"to": "0x" + to.hex(), "data": "0x" + data.hex()}, _block_name(block)]) for to, data in calls
        ]
        results: list[bytes | ContractReverted] = []
        for outcome in self._fetch_outcomes(requests):
            if isinstance(outcome, ContractReverted):
                results.append(outcome)
            elif isinstance(outcome, ChainError):
                raise outcome
            else:
                results.append(self._decode("eth_call", outcome, answers.decode_bytes))
        return results

    def estimate_gas(self, transactions: Sequence[Mapping[str, str]]) -> list[int]:
        """Return the gas that each transaction would need now. Raises ContractReverted when one would revert."""
        return self._fetch_many([("eth_estimateGas", [item]) for item in transactions], answers.decode_quantity)

    def priority_fee(self) -> int:
        """Return the tip per gas that the node suggests, in wei."""
        return self._fetch(("eth_maxPriorityFeePerGas", ()), answers.decode_quantity)

    def send_raw(self, signed: Sequence[bytes]) -> list[Hash32 | ChainError]:
        """Hand signed transactions to the node, once. Returns each one's hash, or why it was not taken.

        Raises EndpointError when there was no usable answer: then it is unknown which of them arrived.
        """
        outcomes: list[Hash32 | ChainError] = []
        for part in _split_by_size(signed):
            requests = [("eth_sendRawTransaction", ["0x" + item.hex()]) for item in part]
            for outcome in self._transport.fetch_many(requests, retry=False):
                if isinstance(outcome, ChainError):
                    outcomes.append(outcome)
                else:
                    outcomes.append(self._decode("eth_sendRawTransaction", outcome, answers.decode_hash))
        return outcomes

    def knows_transaction(self, transaction_hash: Hash32) -> bool:
        """Say whether the node has a transaction, in a block or in its pool."""
        return self.call("eth_getTransactionByHash", ["0x" + transaction_hash.hex()]) is not None

    def receipt(self, transaction_hash: Hash32) -> Receipt | None:
        """Return a transaction's receipt; None when it is in no block yet."""
        return self._fetch(("eth_getTransactionReceipt", ["0x" + transaction_hash.hex()]), answers.decode_receipt)

    def receipts(self, transaction_hashes: Sequence[Hash32]) -> list[Receipt | None]:
        """Return the receipts of many transactions, in their order."""
        requests = [("eth_getTransactionReceipt", ["0x" + item.hex()]) for item in transaction_hashes]
        return self._fetch_many(requests, answers.decode_receipt)

    def _fetch(self, request: Request, decode: Callable[[msgspec.Raw], T]) -> T:
        method = request[0]
        return self._decode(method, self._transport.fetch(request, retry=_is_read(method)), decode)

    def _fetch_many(self, requests: Sequence[Request], decode: Callable[[msgspec.Raw], T]) -> list[T]:
        results: list[T] = []
        for (method, _), outcome in zip(requests, self._fetch_outcomes(requests), strict=True):
            if isinstance(outcome, ChainError):
                raise outcome
            results.append(self._decode(method, outcome, decode))
        return results

    def _fetch_outcomes(self, requests: Sequence[Request]) -> Iterator[msgspec.Raw | ChainError]:
        """Ask in batches, of as many requests as the endpoint takes, down to one without a batch."""
        retry = all(_is_read(method) for method, _ in requests)
        done = 0
        while done < len(requests):
            size = self._batch_size.current
            part = requests[done : done + size]
            try:
                outcomes = self._fetch_part(part, size == 1, retry=retry)
            except BatchRefusedError:
                if size == 1 or not retry:
                    raise
                self._batch_size.refused(len(part))
                continue
            self._batch_size.taken(len(part))
            done += len(part)
            yield from outcomes

    def _fetch_part(self, part: Sequence[Request], is_single: bool, *, retry: bool) -> list[msgspec.Raw | ChainError]:
        """Ask for one batch. is_single: without a batch, which then has one request."""
        if is_single:
            try:
                return [self._transport.fetch(part[0], retry=retry)]
            except BatchRefusedError:
                raise
            except ChainError as error:
                if isinstance(error, ContractReverted) or _is_answer(error):
                    return [error]
                raise
        outcomes = self._transport.fetch_many(part, retry=retry)
        for outcome in outcomes:
            if isinstance(outcome, BatchRefusedError):
                raise outcome
        return outcomes

    def _find_block(self, block: BlockId, outcome: msgspec.Raw | ChainError) -> BlockHeader | None:
        if isinstance(outcome, ChainError):
            if _is_answer(outcome):
                return None
            raise outcome
        header = self._decode("eth_getBlockByNumber", outcome, answers.decode_block)
        return None if header is None else self._checked_block(block, header)

    def _checked_block(self, block: BlockId | bytes, header: BlockHeader | None) -> BlockHeader:
        method, (name, _) = _block_request(block)
        if header is None:
            raise MissingBlockError(self.endpoint, f"{method}: block {name} is not known")
        wrong_number = isinstance(block, int) and header.number != block
        if wrong_number or (isinstance(block, bytes) and header.hash != block):
            raise EndpointError(self.endpoint, f"found block {header.number} 0x{header.hash.hex()}, expected {name}")
        return header

    def _decode(self, method: str, raw: msgspec.Raw, decode: Callable[[msgspec.Raw], T]) -> T:
        try:
            return decode(raw)
        except (ValueError, RecursionError) as error:
            said = self.mask(str(error))
            raise EndpointError(self.endpoint, f"{method}: the result is not as it should be: {said}") from None


def _is_answer(error: ChainError) -> bool:
    """Whether an error is a node's own word about what it was asked, rather than about being asked."""
    if isinstance(error, SlowDownError | QuotaExhaustedError) or not isinstance(error, EndpointError):
        return False
    return error.code is not None or isinstance(error, MissingBlockError)


def find_problem(
    logs: Sequence[Log],
    from_block: int,
    to_block: int,
    addresses: Sequence[Address] | None,
    topics: Sequence[Topic] = (),
) -> str | None:
    """Check that logs are of the asked blocks, addresses and topics, each once; return what is wrong, or None."""
    wanted = None if addresses is None else set(addresses)
    if _fit_together(logs, range(from_block, to_block + 1), wanted, topics):
        return None
    return _describe_problem(logs, range(from_block, to_block + 1), wanted, topics)


def _describe_problem(
    logs: Sequence[Log], blocks: range, wanted: AbstractSet[Address] | None, topics: Sequence[Topic]
) -> str | None:
    positions: set[tuple[int, int]] = set()
    hashes: dict[int, Hash32] = {}
    for log in logs:
        position = number, _ = log.block_number, log.log_index
        if number not in blocks:
            return f"found a log of block {number}, expected of {blocks.start} to {blocks.stop - 1}"
        if wanted is not None and log.address not in wanted:
            return f"found a log of 0x{log.address.hex()}, which was not asked for"
        if not _fits(log.topics, topics):
            return f"found a log at {position} with topics that were not asked for"
        if position in positions:
            return f"found the log {position} (block, index) twice"
        if hashes.setdefault(number, log.block_hash) != log.block_hash:
            return f"found logs of two different blocks {number}"
        positions.add(position)
    return None


def _fit_together(
    logs: Sequence[Log], blocks: range, wanted: AbstractSet[Address] | None, topics: Sequence[Topic]
) -> bool:
    """Say whether nothing is wrong with logs, by looking at each kind of value once: most of them are the same."""
    hashes = {(log.block_number, log.block_hash) for log in logs}
    numbers = {number for number, _ in hashes}
    return (
        len(numbers) == len(hashes)
        and all(number in blocks for number in numbers)
        and (wanted is None or {log.address for log in logs} <= wanted)
        and all(_fits(found, topics) for found in {log.topics for log in logs})
        and len({(log.block_number, log.log_index) for log in logs}) == len(logs)
    )


def _is_read(method: str) -> bool:
    return method.startswith(READ_PREFIXES) and method not in WRITE_METHODS


def _split_by_size(signed: Sequence[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for item in signed:
        if part and (len(part) == MAX_BATCH_REQUESTS or size + len(item) > MAX_BATCH_BYTES):
            yield part
            part, size = [], 0
        part.append(item)
        size += len(item)
    if part:
        yield part


def _fits(own: Sequence[Hash32], topics: Sequence[Topic]) -> bool:
    if len(own) < len(topics):
        return False
    for found, asked in zip(own, topics, strict=False):
        if asked is not None and found != asked and (isinstance(asked, bytes) or found not in asked):
            return False
    return True


def _position(log: Log) -> tuple[int, int]:
    return log.block_number, log.log_index


def _encode_topic(topic: Topic) -> str | list[str] | None:
    if topic is None:
        return None
    return "0x" + topic.hex() if isinstance(topic, bytes) else ["0x" + item.hex() for item in topic]


def _block_request(block: BlockId | bytes) -> Request:
    if isinstance(block, bytes):
        return "eth_getBlockByHash", ["0x" + block.hex(), False]
    return "eth_getBlockByNumber", [_block_name(block), False]


def _block_name(block: BlockId) -> str:
    return hex(block) if isinstance(block, int) else block
