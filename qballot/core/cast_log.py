"""The log of a cast, `BallotsCast(bytes records)`, by which a ballot box says which batch went in."""

from __future__ import annotations

from collections.abc import Sequence

from qballot.core.keccak import keccak
from qballot.core.types import Hash32
from qballot.errors import DecodeError

CAST_TOPIC = keccak(b"BallotsCast(bytes)")
"""The log's only topic."""


_OFFSET = (32).to_bytes(32)


def decode_cast_log(topics: Sequence[Hash32], data: bytes) -> bytes:
    """Take the packed records of one batch out of a box's log. Raises DecodeError when the log is another.

    The data of one `bytes` value is: 32 (where it starts), its length, itself, zeros up to a multiple of 32. Cut out by
    hand, since every ballot ever cast passes here.
    """
    if len(topics) != 1 or topics[0] != CAST_TOPIC:
        found = f"0x{topics[0].hex()}" if topics else "none"
        raise DecodeError(f"found {len(topics)} topics, the first {found}; expected 1, 0x{CAST_TOPIC.hex()}")
    size = int.from_bytes(data[32:64])
    end = 64 + size
    if data[:32] != _OFFSET or len(data) != end + -size % 32 or data[end:].strip(b"\0"):
        raise DecodeError(f"found {len(data)} bytes of data in BallotsCast, expected one ABI-encoded `bytes`")
    return data[64:end]
