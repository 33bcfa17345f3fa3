"""Distinct things get distinct types, so that a voter's index cannot be passed where a weight is meant."""

from __future__ import annotations

from typing import NewType

Address = NewType("Address", bytes)
"""20 bytes. Text forms live at the edges: `qballot.core.address`."""

Hash32 = NewType("Hash32", bytes)
"""32 bytes, a keccak-256 digest."""

VoterIndex = NewType("VoterIndex", int)
"""A voter's place in the census, from 0, below 2**32."""

Weight = NewType("Weight", int)
"""Whole votes that one voter's ballot counts for: 1 … 2**96 - 1."""

UnixSeconds = NewType("UnixSeconds", int)
"""Seconds since 1970 by the chain's clock, below 2**39 (bit 39 marks a direct cast in a record)."""

ChainId = NewType("ChainId", int)
"""EIP-155 chain id."""

BlockNumber = NewType("BlockNumber", int)
"""A block's height."""
