"""The one hash function: keccak-256, by a C implementation."""

from __future__ import annotations

from collections.abc import Iterable

from sha3 import keccak_256

from qballot.core.types import Hash32

# The C code is called without eth-hash between, whose layers cost as much again as a short hash: a census is millions.


def keccak(data: bytes) -> Hash32:
    """Hash bytes of any length with keccak-256. Returns 32 bytes."""
    digest: Hash32 = keccak_256(data).digest()
    return digest


def keccak_chunks(chunks: Iterable[bytes]) -> Hash32:
    """Hash bytes that come in pieces, as if they were one. Returns 32 bytes."""
    hasher = keccak_256()
    for chunk in chunks:
        hasher.update(chunk)
    digest: Hash32 = hasher.digest()
    return digest
