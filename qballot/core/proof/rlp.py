"""RLP, the form of all that Ethereum hashes: byte strings, and lists of them, each behind its length.

    first byte   what follows                                    first byte   what follows
    00 … 7f      nothing: the byte is the string
    80 … b7      a string of 0 … 55 bytes                        c0 … f7      a list of 0 … 55 bytes
    b8 … bf      the length in 1 … 8 bytes, then the string      f8 … ff      the length in 1 … 8 bytes, then the list

Every value has one form: the shortest. Reading refuses any other, so that equal values are equal bytes. A list is
opened one level at a time, by who knows what stands in it: hostile nesting is never followed, a length is compared
with the bytes that are there before anything is made of it, and the memory used stays in proportion to the bytes.
Source: Ethereum Yellow Paper, appendix B; tests/unit/proof compares it with the package `rlp`.
"""

from __future__ import annotations

from collections.abc import Iterable

from qballot.errors import ProofError

EMPTY_STRING = b"\x80"
"""Form of the string of no bytes, of the number 0, and of an empty trie."""

EMPTY_LIST = b"\xc0"
"""Form of the list of no items."""

_SHORT = 55
"""Longest payload whose length stands in the first byte."""


def encode_string(data: bytes) -> bytes:
    """Encode a byte string of any length."""
    if len(data) == 1 and data[0] < 0x80:
        return data
    return _encode_length(len(data), 0x80) + data


def encode_uint(value: int) -> bytes:
    """Encode a number, not negative: the string of its bytes, big-endian, without leading zeros."""
    return encode_string(value.to_bytes((value.bit_length() + 7) // 8))


def encode_list(items: Iterable[bytes]) -> bytes:
    """Encode a list whose items are encoded already."""
    payload = b"".join(items)
    return _encode_length(len(payload), 0xC0) + payload


def split_list(data: bytes, most: int) -> list[bytes]:
    """Open a list: its items, each still encoded, an inner list unopened.

    data: one encoded list and nothing after it. most: how many items are read; more are refused.
    Raises ProofError, naming the byte, when the bytes are not such a list in its shortest form.
    """
    start, end = _measure(data, 0)
    if end != len(data):
        raise ProofError(f"found {len(data) - end} bytes after the RLP's end at byte {end}, expected none")
    if data[0] < 0xC0:
        raise ProofError(f"found an RLP string of {end - start} bytes, expected a list")
    items: list[bytes] = []
    position = start
    while position < end:
        prefix = data[position]
        if prefix < 0x80:
            stop = position + 1
        elif prefix & 0x3F <= _SHORT and prefix != 0x81:  # the usual forms, without a call; six bits are the length
            stop = position + 1 + (prefix & 0x3F)
        else:
            _, stop = _measure(data, position)
        if stop > end:
            raise ProofError(f"the RLP item at byte {position} ends at byte {stop}, after its list's end at byte {end}")
        if len(items) == most:
            raise ProofError(f"found an RLP list of more than {most} items, expected at most {most}")
        items.append(data[position:stop])
        position = stop
    return items


def split_fields(data: bytes, count: int) -> list[bytes]:
    """Open a list of exactly so many items, as `split_list` does. Raises ProofError when it has another number."""
    items = split_list(data, count)
    if len(items) != count:
        raise ProofError(f"found an RLP list of {len(items)} items, expected {count}")
    return items


def decode_string(item: bytes) -> bytes:
    """Read one encoded string with nothing after it. Raises ProofError when it is none, or not in its shortest form."""
    start, end = _measure(item, 0)
    if end != len(item):
        raise ProofError(f"found {len(item) - end} bytes after the RLP's end at byte {end}, expected none")
    if item[0] >= 0xC0:
        raise ProofError(f"found an RLP list of {end - start} bytes, expected a string")
    return item[start:]


def decode_fixed(item: bytes, size: int) -> bytes:
    """Read one encoded string of `size` bytes. Raises ProofError when it is anything else."""
    value = decode_string(item)
    if len(value) != size:
        raise ProofError(f"found {len(value)} bytes, expected {size}")
    return value


def decode_uint(item: bytes, bits: int) -> int:
    """Read one encoded number of at most so many bits. Raises ProofError when it is none, or has leading zeros."""
    value = decode_string(item)
    if value[:1] == b"\x00":
        raise ProofError("found a number with a leading zero byte, expected it without")
    number = int.from_bytes(value)
    if number >> bits:
        raise ProofError(f"found a number of {len(value)} bytes, expected one below 2**{bits}")
    return number


def _encode_length(length: int, offset: int) -> bytes:
    if length <= _SHORT:
        return bytes((offset + length,))
    digits = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((offset + _SHORT + len(digits),)) + digits


def _measure(data: bytes, position: int) -> tuple[int, int]:
    """Find where the payload of the item at `position` begins and ends, which is never after the end of `data`."""
    if position >= len(data):
        raise ProofError("found no bytes, expected RLP")
    prefix = data[position]
    if prefix < 0x80:
        return position, position + 1
    start, length = position + 1, prefix & 0x3F
    if length > _SHORT:
        digits = data[start : start + length - _SHORT]
        start, length = start + length - _SHORT, int.from_bytes(digits)
        if digits[:1] == b"\x00" or length <= _SHORT:
            raise ProofError(f"the RLP at byte {position} writes its length {length} in a longer form than it needs")
    if start + length > len(data):
        raise ProofError(f"the RLP at byte {position} is cut short: it needs {start + length} bytes, found {len(data)}")
    if prefix == 0x81 and data[start] < 0x80:
        raise ProofError(f"the RLP at byte {position} writes one byte in a longer form than it needs")
    return start, start + length
