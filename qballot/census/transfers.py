"""A token's Transfer logs, read in ranges that grow while they are answered and are halved when they are not."""

from __future__ import annotations

from collections.abc import Iterator

from qballot.census.progress import Report, say_nothing
from qballot.chain.answers import Log
from qballot.chain.rpc import Rpc
from qballot.core.keccak import keccak
from qballot.core.token_holders import Transfer
from qballot.core.types import Address
from qballot.errors import DecodeError, EndpointError

TRANSFER = keccak(b"Transfer(address,address,uint256)")
"""Topic of ERC-20's and ERC-721's event alike."""

TARGET_LOGS = 5_000
"""Ranges that give more logs than this are not made longer: many providers refuse 10,000."""

WORD = 32
_PARTS = 3


def fetch_transfers(
    rpc: Rpc, token: Address, from_block: int, to_block: int, *, block_range: int, report: Report = say_nothing
) -> Iterator[list[Transfer]]:
    """Read all transfers of a closed interval of blocks, in the order of the chain, some at a time.

    block_range: blocks asked for at first. Raises EndpointError when the endpoint refuses even one block, DecodeError
    for a log that is no Transfer.
    """
    start, size = from_block, block_range
    refused = False
    while start <= to_block:
        report("reading transfers", start - from_block, to_block - from_block + 1)
        end = min(start + size - 1, to_block)
        try:
            logs = rpc.logs(start, end, [token], [TRANSFER])
        except EndpointError:
            if start == end:
                raise
            size, refused = (end - start + 1) // 2, True
            continue
        yield [decode_transfer(log) for log in logs]
        start = end + 1
        size = compute_next_size(size, len(logs), refused=refused)
    report("reading transfers", to_block - from_block + 1, to_block - from_block + 1)


def compute_next_size(size: int, logs: int, *, refused: bool) -> int:
    """Compute how many blocks to ask for next. logs: how many came. refused: whether some range was refused before.

    Once a range was refused the size grows by an eighth at a time, since the refused one is not far.
    """
    if logs > TARGET_LOGS:
        return max(1, size // 2)
    if logs > TARGET_LOGS // 2:
        return size
    return size + (size + 7) // 8 if refused else 2 * size


def decode_transfer(log: Log) -> Transfer:
    """Decode a Transfer: three words, however many of them a token has indexed. Raises DecodeError."""
    words = [*log.topics[1:], *(log.data[at : at + WORD] for at in range(0, len(log.data), WORD))]
    if len(words) != _PARTS or len(words[-1]) != WORD or any(any(word[:12]) for word in words[:2]):
        raise DecodeError(
            f"block {log.block_number}, log {log.log_index}: found {len(log.topics)} topics and {len(log.data)} bytes, "
            "expected a Transfer of two addresses and a number"
        )
    sender, receiver, value = words
    return Transfer(Address(sender[12:]), Address(receiver[12:]), int.from_bytes(value))
