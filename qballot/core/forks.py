"""The forks of Ethereum that this version knows: one row for each, in the order in which they happened.

A header is a list whose fields are known by their places alone, and every fork since London only added some at the
end. So the number of fields says which fork a header is of, except where a fork adds none: a header of Prague and one
of Osaka look alike.

A further fork costs one row in `FORKS`, and one attribute of `qballot.core.proof.header.Header` for each field that it
adds. docs/forks.md says what else to check.

Source: Ethereum Yellow Paper §4.4.3; EIP-1559, EIP-4399, EIP-4895, EIP-4844, EIP-4788, EIP-7685, EIP-7928, EIP-7843.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from qballot.core.bloom import BLOOM_BYTES
from qballot.core.prices import (
    AMSTERDAM_PRICES,
    LONDON_PRICES,
    OSAKA_PRICES,
    PRAGUE_PRICES,
    SHANGHAI_PRICES,
    Prices,
)

MAX_EXTRA_BYTES: Final = 32
"""Longest extraData."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a header.

    name: that of JSON-RPC. size: length of a string in bytes. bits: greatest length of a number, 0 for a string.
    is_fixed: whether a string has exactly `size` bytes; otherwise it has at most that many.
    """

    name: str
    size: int = 32
    bits: int = 0
    is_fixed: bool = True


@dataclass(frozen=True, slots=True)
class Fork:
    """A fork of Ethereum.

    added_fields: what its headers have after the fields of the fork before. prices: what it charges and allows.
    """

    name: str
    added_fields: tuple[Field, ...]
    prices: Prices


FORKS: Final[tuple[Fork, ...]] = (
    Fork(
        "London",
        added_fields=(
            Field("parentHash"),
            Field("sha3Uncles"),
            Field("miner", 20),
            Field("stateRoot"),
            Field("transactionsRoot"),
            Field("receiptsRoot"),
            Field("logsBloom", BLOOM_BYTES),
            Field("difficulty", 0, 256),
            Field("number", 0, 63),
            Field("gasLimit", 0, 64),
            Field("gasUsed", 0, 64),
            Field("timestamp", 0, 63),
            Field("extraData", MAX_EXTRA_BYTES, is_fixed=False),
            Field("mixHash"),
            Field("nonce", 8),
            Field("baseFeePerGas", 0, 256),
        ),
        prices=LONDON_PRICES,
    ),
    Fork("Shanghai", added_fields=(Field("withdrawalsRoot"),), prices=SHANGHAI_PRICES),
    Fork(
        "Cancun",
        added_fields=(Field("blobGasUsed", 0, 64), Field("excessBlobGas", 0, 64), Field("parentBeaconBlockRoot")),
        prices=SHANGHAI_PRICES,
    ),
    Fork("Prague", added_fields=(Field("requestsHash"),), prices=PRAGUE_PRICES),
    Fork("Osaka", added_fields=(), prices=OSAKA_PRICES),
    Fork(
        "Amsterdam",
        added_fields=(Field("blockAccessListHash"), Field("slotNumber", 0, 64)),
        prices=AMSTERDAM_PRICES,
    ),
)
"""Every fork since London, the first whose headers are read; it has all the fields that are older."""

FIELDS: Final[tuple[Field, ...]] = tuple(field for fork in FORKS for field in fork.added_fields)
"""The fields of a header in their order, those of the latest fork at the end."""


def count_fields(fork: Fork) -> int:
    """Count the fields of a fork's headers."""
    return sum(len(each.added_fields) for each in FORKS[: FORKS.index(fork) + 1])


def find_fork(field_count: int) -> Fork | None:
    """Find the latest fork whose headers have this many fields; None if this version knows none.

    21 fields are called Osaka's, though Prague's headers have as many.
    """
    return next((fork for fork in reversed(FORKS) if count_fields(fork) == field_count), None)
