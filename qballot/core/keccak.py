"""The one hash function: keccak-256, by a C implementation."""

from __future__ import annotations

from eth_hash.backends.pysha3 import backend
from eth_hash.main import Keccak256

from qballot.core.types import Hash32

# The backend is named rather than left to eth-hash's search, which takes the several times slower pycryptodome first
# where that is installed (ape and web3.py bring it along).
_hasher = Keccak256(backend)


def keccak(data: bytes) -> Hash32:
    """Hash bytes of any length with keccak-256. Returns 32 bytes."""
    return Hash32(_hasher(data))
