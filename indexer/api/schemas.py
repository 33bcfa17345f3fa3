"""The forms of all JSON answers but those of verification. Numbers, bytes and times are as in `schema_parts.py`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from indexer.api import examples
from indexer.api.schema_parts import (
    AddressText,
    BlockBody,
    BytesText,
    ErrorBody,
    HashText,
    NumberText,
    Schema,
)
from indexer.api.verification_schemas import (
    AlarmKindField,
    AlarmText,
    LevelText,
    NamedBy,
    NextLevelText,
    Repaired,
    StateField,
    UnknownHeader,
)
from indexer.results.phase import Phase
from indexer.results.verdict import Level


class SourceBody(Schema):
    """The log that something was read from."""

    block_number: int
    block_hash: HashText
    log_index: int
    transaction_hash: HashText


class TurnoutBody(Schema):
    """Who has voted."""

    voters_cast: Annotated[int, Field(description="Voters of whom at least one ballot is in the box")]
    voters: Annotated[int, Field(description="Voters in the census")]
    weight_cast: Annotated[NumberText, Field(description="Sum of the weights of the ballots that count")]


class ElectionSummary(Schema):
    """An election in a list."""

    election: AddressText
    title: Annotated[str | None, Field(description="None for an election that is invalid or of an unknown version")]
    phase: Phase
    opens_at: int
    closes_at: int
    voters: int
    records: Annotated[int, Field(description="Ballots in the box, replaced ones included")]


class ElectionList(Schema):
    """A page of elections, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ELECTION_LIST]})

    block: Annotated[BlockBody | None, Field(description="The last indexed block; None before the first")]
    elections: list[ElectionSummary]
    next: Annotated[int | None, Field(description="Pass as `after` for the next page; None at the end")]


class ElectionBody(ElectionSummary):
    """One election with its rules."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ELECTION]})

    chain_id: int
    factory: AddressText
    organizer: Annotated[AddressText, Field(description="Who created the box")]
    salt: HashText
    definition: Annotated[
        dict[str, Any] | None,
        Field(description="All that is shown to voters; None for an election that is invalid or of an unknown version"),
    ]
    definition_bytes: Annotated[BytesText, Field(description="The definition as it was hashed")]
    definition_hash: HashText
    invalid_reason: Annotated[str | None, Field(description="Why the election is never counted; None unless invalid")]
    unknown_version: Annotated[
        int | None,
        Field(
            description="Version of the definition, where this server does not know it: the election is neither valid "
            "nor invalid here, has no state, and is not counted; a newer QBallot can say more"
        ),
    ]
    sheet_bits: int
    sheet_roots: list[HashText]
    max_ballot_bytes: Annotated[int, Field(description="Most bytes that a ballot may have")]
    text_ballots: Annotated[
        bool, Field(description="Whether voters sign their ballots as text (EIP-712 `string ballot`), not as bytes")
    ]
    created: SourceBody
    head: Annotated[HashText, Field(description="Head of the hash chain, recomputed from the records")]
    batches: int
    turnout: Annotated[TurnoutBody | None, Field(description="None for an election that is not counted")]
    block: Annotated[
        BlockBody,
        Field(description="The block that phase and numbers hold at: the last indexed, or one shortly before it"),
    ]


class ContestBody(Schema):
    """One contest's count."""

    id: str
    title: str
    method: str
    seats: Annotated[int, Field(description="How many options win")]
    winners: Annotated[list[str], Field(description="Ids of the options that won; empty unless `complete`")]
    tied: Annotated[list[str], Field(description="Ids of the options that tie; empty unless `complete`")]
    tied_for: Annotated[
        Literal["seat", "elimination", "transfer", "next_seat"] | None,
        Field(
            description="What they tie for: `seat`, or `elimination`, where the count stopped undecided and an option "
            "that is not listed may lead, or `transfer`, of equal surpluses, or `next_seat`, where the count stopped "
            "before later seats; null without a tie"
        ),
    ]
    open_seats: Annotated[int, Field(description="Seats that the tie leaves open; 0 without a tie")]
    waits_for_lot: Annotated[
        bool, Field(description="The tie stands only because the lot that decides it is not drawn yet")
    ]
    verdict: Annotated[
        Literal["passed", "not_passed", "unknown"] | None,
        Field(description="Whether the contest's requirements are met; null without any, and unless `complete`"),
    ]
    requirements: Annotated[
        list[dict[str, Any]],
        Field(description="Each requirement with its numbers and its `verdict`; empty unless `complete`"),
    ]
    leading: Annotated[list[str], Field(description="While `partial`: who would win or tie if it ended now")]
    totals: dict[str, NumberText]
    log: Annotated[list[dict[str, Any]], Field(description="The count step by step: `kind`, `text` and numbers")]
    ballots: Annotated[int, Field(description="counted + blank + spoiled")]
    counted: int
    blank: int
    spoiled: Annotated[dict[str, int], Field(description="By reason")]
    ballots_weight: NumberText
    counted_weight: NumberText
    blank_weight: NumberText
    spoiled_weight: dict[str, NumberText]


class ResultBody(Schema):
    """An election's result, and what it is worth."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.RESULT]})

    election: AddressText
    title: str | None
    chain_id: int
    factory: AddressText
    definition_hash: HashText
    state: StateField
    state_text: str
    level: Annotated[Level, Field(description="The highest level of verification that was reached")]
    level_text: LevelText
    next_level_text: NextLevelText
    named_by: NamedBy
    alarm: AlarmText
    alarm_kind: AlarmKindField
    repaired: Repaired
    unknown_header: UnknownHeader
    block: Annotated[BlockBody, Field(description="The block that all of this holds at")]
    head: HashText
    turnout: TurnoutBody | None
    records: int
    contests: Annotated[list[ContestBody], Field(description="Empty for an election that is cancelled or not counted")]


class BallotBody(Schema):
    """One record of the box."""

    position: Annotated[int, Field(description="Place among the box's records, from 0")]
    batch: Annotated[
        int, Field(description="Place of its call among the box's calls, from 0: a link of the hash chain")
    ]
    voter: Annotated[int, Field(description="Index in the census")]
    cast_at: Annotated[int, Field(description="When it was signed or, cast directly, put in a block")]
    direct: Annotated[bool, Field(description="Cast by the voter's own transaction (bit 39 of the record's castAt)")]
    weight: NumberText
    ballot: Annotated[BytesText, Field(description="One signed byte for each option")]
    source: SourceBody


class BallotList(Schema):
    """A page of ballots, in the order of the hash chain."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.BALLOT_LIST]})

    election: AddressText
    block: Annotated[BlockBody, Field(description="The last indexed block")]
    ballots: Annotated[
        list[BallotBody],
        Field(description="Up to `limit`, and fewer where their bytes would be too many for one answer"),
    ]
    next: Annotated[
        int | None,
        Field(description="Pass as `after` for the next page, whatever the length of this one; None at the end"),
    ]


class VoterProofBody(Schema):
    """A voter with the way to the root of the voter's sheet, which stands in the box's own code."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.VOTER_PROOF]})

    address: AddressText
    index: Annotated[int, Field(description="The voter's place in the whole census, from 0")]
    proof: Annotated[list[HashText], Field(description="What `cast` asks for, the lowest node first")]
    qballot_census_proof: Annotated[int, Field(description="Version of this form")]
    root: Annotated[HashText, Field(description="Root of the voter's sheet")]
    sheet: int
    sheet_bits: int
    voters: Annotated[int, Field(description="Voters in the census")]
    weight: NumberText


class AliveBody(Schema):
    """The process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ALIVE]})

    status: str


class LagBody(Schema):
    """How far the index is behind its chain; None where nothing is known yet."""

    indexed_block: int | None
    chain_block: int | None
    lag_blocks: int | None
    lag_seconds: Annotated[int | None, Field(description="By the chain's clock")]
    silent_seconds: Annotated[float | None, Field(description="Since the indexer last looked at the chain")]


class ReadyBody(LagBody):
    """The index is close enough behind its chain."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.READY]})

    status: str


class NotReadyBody(LagBody, ErrorBody):
    """The index is too far behind its chain: an error with the same numbers."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.NOT_READY]})
