"""Where a block hash that is believed comes from, and what a verification against it is worth.

by hand        the auditor has it from elsewhere                              witnessed
endpoints      operators name it: two at least, who call the block final      final
               two at least                                                   witnessed
               one                                                            proven: one can invent a whole chain
own            the evidence's own header                                      proven, of no chain
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from qballot.chain.rpc import DEFAULT_TIMEOUT_SECONDS
from qballot.core.proof import Header, decode_header
from qballot.core.types import Hash32
from qballot.endpoint_list import NEEDED_OPERATORS, EndpointAddress
from qballot.errors import ProofError
from qballot.evidence.witnesses import BlockNames, Naming, name_block


class Source(StrEnum):
    """Who names the hash."""

    HAND = "by hand"
    ENDPOINTS = "endpoints"
    OWN = "the evidence itself"


class Level(StrEnum):
    """How far something that holds against the hash is verified."""

    PROVEN = "proven"
    WITNESSED = "witnessed"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class Trust:
    """A block hash and who names it. block_hash: None for that of the evidence's own header. names: of endpoints."""

    source: Source
    block_hash: Hash32 | None
    names: BlockNames | None = None

    @property
    def level(self) -> Level:
        """The highest level that a verification against this hash reaches."""
        names = self.names
        is_named = names is not None and len(names.operators) >= NEEDED_OPERATORS
        if self.source is not Source.HAND and not is_named:
            return Level.PROVEN
        return Level.FINAL if names is not None and names.is_final else Level.WITNESSED

    @property
    def level_text(self) -> str:
        """The level in words."""
        if self.source is Source.OWN:
            return f"{self.level.value}, of a block that nobody named"
        return self.level.value

    def describe(self) -> list[str]:
        """Say in words who names the hash, a line a fact; in capitals where nobody does."""
        if self.source is Source.OWN:
            return [
                "THE BLOCK HASH WAS TAKEN FROM THE FILE ITSELF: THIS PROVES NOTHING ABOUT THE CANONICAL CHAIN.",
                "Give --block-hash from a source of your own, or --rpc of endpoints of different operators.",
            ]
        lines = ["given by hand: whoever gave it answers for it"] if self.source is Source.HAND else []
        return lines if self.names is None else [*lines, *_describe_names(self.names)]

    def to_json(self) -> dict[str, Any]:
        """Write it as one JSON object."""
        namings = () if self.names is None else self.names.namings
        return {
            "source": self.source.value,
            "block_hash": None if self.block_hash is None else "0x" + self.block_hash.hex(),
            "operators": [] if self.names is None else list(self.names.operators),
            "final": self.names is not None and self.names.is_final,
            "endpoints": [_naming_to_json(naming) for naming in namings],
        }


def establish_trust(
    header: bytes,
    by_hand: Hash32 | None,
    addresses: Sequence[EndpointAddress],
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
) -> Trust:
    """Find out which hash the block of an encoded header has, by whoever is asked.

    by_hand: from the auditor. addresses: of endpoints that are asked for the block of this header's height, if any.
    Raises ProofError where they contradict each other or the hash by hand, or the header cannot be read; the errors of
    `name_block`.
    """
    if not addresses:
        return Trust(Source.OWN if by_hand is None else Source.HAND, by_hand)
    decoded: Header = decode_header(header)
    names = name_block(addresses, decoded.number, timeout_seconds)
    if by_hand is None:
        return Trust(Source.ENDPOINTS, names.block_hash, names)
    if by_hand != names.block_hash:
        raise ProofError(
            f"THE ENDPOINTS DISAGREE WITH THE BLOCK HASH THAT WAS GIVEN: they name 0x{names.block_hash.hex()} for "
            f"block {names.number}, found 0x{by_hand.hex()}. Nothing was verified"
        )
    return Trust(Source.HAND, by_hand, names)


def _describe_names(names: BlockNames) -> list[str]:
    operators = names.operators
    listed = ", ".join(operators)
    if len(operators) < NEEDED_OPERATORS:
        first = (
            f"named by 1 operator alone, {listed}: ONE ENDPOINT CAN INVENT A WHOLE CHAIN, ask another operator's too"
        )
    else:
        first = f"named by endpoints of {len(operators)} different operators: {listed}"
    final = "who call the block finalized" if names.is_final else "the block is not called finalized by all of them"
    silent = [naming for naming in names.namings if naming.block_hash is None]
    return [first, final, *(f"not named by {naming.operator}: {naming.problem}" for naming in silent)]


def _naming_to_json(naming: Naming) -> dict[str, Any]:
    return {
        "operator": naming.operator,
        "endpoint": naming.endpoint,
        "block_hash": None if naming.block_hash is None else "0x" + naming.block_hash.hex(),
        "final": naming.is_final,
        "problem": naming.problem or None,
    }
