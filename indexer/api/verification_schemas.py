"""The forms of what says how far a result is verified, and of what it can be verified by."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from indexer.api import examples
from indexer.api.schema_parts import AddressText, BlockBody, BytesText, HashText, Schema
from indexer.results.phase import State
from indexer.results.verdict import AlarmKind, Level


class NamingBody(Schema):
    """What an operator's endpoint says of the block that a result is proved at."""

    operator: Annotated[str, Field(description="Who runs the endpoint, as this server's settings group them")]
    hash: Annotated[HashText, Field(description="What the operator calls the block of that height")]
    agrees: Annotated[bool, Field(description="Whether that is the block of the proof")]
    final: Annotated[bool, Field(description="Whether the operator calls it finalized")]


StateField = Annotated[
    State | None, Field(description="What the result says; null for an election of a version that is not known here")
]
LevelText = Annotated[str, Field(description="What that level shows, in words")]
NextLevelText = Annotated[str | None, Field(description="Why the next level is not reached; None for the highest")]
NamedBy = Annotated[
    list[NamingBody],
    Field(description="Every operator that was asked for the hash of the proof's block; empty below `proven`"),
]
AlarmText = Annotated[
    str | None, Field(description="What contradicts the result, or the chain that it rests on; None when nothing does")
]
AlarmKindField = Annotated[
    AlarmKind | None,
    Field(
        description="`mismatch`: the chain contradicts the records, and the result is not to be relied on; "
        "`disagreement`: operators name different blocks"
    ),
]
Repaired = Annotated[
    list[str], Field(description="Records that contradicted a proven head and were put right, the latest first")
]


class UnknownHeaderBody(Schema):
    """The first block that the indexer met whose header has a form that its version does not know."""

    fields: Annotated[
        list[str], Field(description="JSON-RPC's names of the unknown fields; empty where a known one is missing")
    ]
    block: BlockBody
    text: Annotated[str, Field(description="What that means, in words")]


UnknownHeader = Annotated[
    UnknownHeaderBody | None,
    Field(description="Why nothing is proven at a block or later; None while every header's form is known"),
]


class ProofBody(Schema):
    """The kept proof that a result rests on."""

    block: BlockBody
    operator: Annotated[str, Field(description="Whose endpoint gave it; it was verified against the block's hash")]
    has_lot: Annotated[bool, Field(description="Whether it shows the block that lots are drawn from")]


class VerificationBody(Schema):
    """How far a result is verified, and by whose word."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.VERIFICATION]})

    election: AddressText
    chain_id: int
    state: StateField
    state_text: str
    level: Annotated[Level, Field(description="The highest level of verification that was reached")]
    level_text: LevelText
    next_level_text: NextLevelText
    named_by: NamedBy
    needed: Annotated[int, Field(description="How many different operators must name the block's hash")]
    alarm: AlarmText
    alarm_kind: AlarmKindField
    repaired: Repaired
    unknown_header: UnknownHeader
    block: Annotated[BlockBody, Field(description="The block that all of this holds at")]
    head: Annotated[HashText, Field(description="Head of the hash chain, recomputed from the records")]
    proof: Annotated[ProofBody | None, Field(description="What it rests on; None below `proven`")]


class ReceiptBody(Schema):
    """A ballot's receipt, in the one form that `qballot receipt verify` reads."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.RECEIPT]})

    kind: Literal["receipt"]
    version: Annotated[int, Field(description="Version of this form")]
    chain_id: Annotated[int, Field(description="Claimed: no field of a block names the chain")]
    box: Annotated[str, Field(pattern="^0x[0-9a-f]{40}$", description="Whose log it is, in lower case")]
    header: Annotated[BytesText, Field(description="RLP of the header of the ballot's block")]
    transaction: Annotated[int, Field(description="Index of the transaction in the block")]
    nodes: Annotated[list[BytesText], Field(description="Nodes of the receipts trie, root first")]
    log: Annotated[int, Field(description="Index of the log in the transaction's receipt")]
    position: Annotated[int, Field(description="Place of the record in its batch, from 0")]
