"""The lines of an evidence file: JSON Lines, one object a line, each told by its `kind`, in this order.

    evidence     version, and where the box comes from        one
    definition   its bytes                                    one
    block        the header                                   one
    proof        trie nodes                                   one
    batches      packed records, up to 2**20 hex digits       any number
    census       a reference, or null and then …              none or one
    voters       … [address, weight] of 2**14 voters a line   any number
    lot          512 headers a line                           any number
    end          how much there was                           one

A line has one form only: its keys in the order of the fields below, no blanks, bytes as 0x and lower-case hex digits,
`\\n` at its end. What a line has room for is not put on a further one. So the same content is the same bytes, and its
hash is a name for it.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

VERSION: Final = 1
"""Value of `version`; a change of the form is a new number."""

MAX_BATCH_BYTES: Final = 2**21
"""Longest batch: a byte in a log costs 8 gas, and a transaction has at most 2**24 (EIP-7825)."""

MAX_LINE_BYTES: Final = 2 * MAX_BATCH_BYTES + 2**10
"""Longest line: one that holds the longest batch."""

BATCH_DIGITS_A_LINE: Final = 2**20
"""A line of batches has room for the next one as long as it then has at most so many hex digits in all."""

VOTERS_A_LINE: Final = 2**14
HEADERS_A_LINE: Final = 512

MAX_EVIDENCE_BYTES: Final = 2**32
"""Longest file that is read unless the caller says otherwise. What is kept of it takes less than twice its size."""


class _Line(msgspec.Struct, forbid_unknown_fields=True, tag_field="kind"):
    pass


class EvidenceLine(_Line, tag="evidence"):
    """The first line. chain_id: claimed. code: what stands at the box."""

    version: int
    chain_id: int
    factory: str
    box: str
    salt: str
    code: str


class DefinitionLine(_Line, tag="definition"):
    """The definition's bytes as the factory's log has them."""

    bytes: str


class BlockLine(_Line, tag="block"):
    """The header's RLP."""

    header: str


class ProofLine(_Line, tag="proof"):
    """Trie nodes, root first: of the box's account, of the implementation's, of the box's slot 0."""

    box: list[str]
    implementation: list[str]
    head: list[str]


class BatchesLine(_Line, tag="batches"):
    """Batches in the chain's order, at least one."""

    batches: list[str]


class CensusLine(_Line, tag="census"):
    """Null where the voters follow; else keccak256 of the census file that has them, which is not here."""

    hash: str | None


class VotersLine(_Line, tag="voters"):
    """Voters by their index, address and weight (decimal) of each."""

    voters: list[tuple[str, str]]


class LotLine(_Line, tag="lot"):
    """Headers that link the lot's block with the block of the evidence, oldest first."""

    headers: list[str]


class EndLine(_Line, tag="end"):
    """How many batches, records, voters and headers of the lot there were, so that a file that is cut is noticed."""

    batches: int
    records: int
    voters: int
    headers: int


Line: TypeAlias = (
    EvidenceLine | DefinitionLine | BlockLine | ProofLine | BatchesLine | CensusLine | VotersLine | LotLine | EndLine
)


def encode_line(line: Line) -> bytes:
    """Write a line in its one form, with its end."""
    return msgspec.json.encode(line) + b"\n"
