"""What the API answers, as Python values: bytes for 0x-hex, 20 bytes for an address, exact numbers for decimal text.

The fields are those of the API's own description (`/openapi.json`); one that a newer server adds is passed over.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from qballot.core.address import parse_address
from qballot.core.types import Address, BlockNumber, ChainId, Hash32, UnixSeconds, VoterIndex, Weight
from qballot.errors import InputError

# As the API writes them; Fraction itself would also take, and spend an age on, `1e999999999`.
_NUMBER = re.compile(r"-?[0-9]+(/0*[1-9][0-9]*)?")


def _read_bytes(text: object) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise ValueError("expected bytes as 0x-hex")
    return bytes.fromhex(text[2:])


def _read_hash(text: object) -> bytes:
    value = _read_bytes(text)
    if len(value) != 32:
        raise ValueError(f"found {len(value)} bytes, expected 32")
    return value


def _read_address(text: object) -> bytes:
    try:
        return parse_address(text if isinstance(text, str) else "")
    except InputError as error:
        raise ValueError(str(error)) from None


def _read_number(text: object) -> Fraction:
    if not (isinstance(text, str) and _NUMBER.fullmatch(text)):
        raise ValueError("expected an exact number as decimal text")
    return Fraction(text)


def _read_weight(text: object) -> int:
    value = _read_number(text)
    if value.denominator != 1 or value < 0:
        raise ValueError(f"found {text}, expected a whole number")
    return int(value)


_Address = Annotated[Address, BeforeValidator(_read_address)]
_Bytes = Annotated[bytes, BeforeValidator(_read_bytes)]
_Hash = Annotated[Hash32, BeforeValidator(_read_hash)]
_Number = Annotated[Fraction, BeforeValidator(_read_number)]
_Weight = Annotated[Weight, BeforeValidator(_read_weight)]


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Block(Answer):
    """A block, by the endpoint that the index was read from."""

    number: BlockNumber
    hash: _Hash
    timestamp: UnixSeconds


class Source(Answer):
    """The log that something was read from."""

    block_number: BlockNumber
    block_hash: _Hash
    log_index: int
    transaction_hash: _Hash


class Turnout(Answer):
    """Who has voted. weight_cast: sum of the weights of the ballots that count."""

    voters_cast: int
    voters: int
    weight_cast: _Weight


class ElectionSummary(Answer):
    """An election in a list.

    title: None for one that is not counted. phase: `upcoming`, `open`, `closed`, `cancelled`, `invalid` or `unknown`
    (of a version that the server does not know), at the last indexed block. records: ballots in the box, replaced ones
    included.
    """

    election: _Address
    title: str | None
    phase: str
    opens_at: UnixSeconds
    closes_at: UnixSeconds
    voters: int
    records: int


class ElectionPage(Answer):
    """Some elections, the newest first.

    block: the last indexed; None before the first. next: `after` of the next page; None at the end.
    """

    block: Block | None
    elections: tuple[ElectionSummary, ...]
    next: int | None


class Election(ElectionSummary):
    """One election with its rules, as they hold at `block`.

    definition: all that is shown to voters, None for an invalid election, which says why in `invalid_reason`, and for
    one whose definition is of a version that the server does not know, `unknown_version`. text_ballots: whether voters
    sign their ballots as text.
    definition_bytes: as they were hashed. head: of the hash chain, recomputed by the server from the records.
    """

    chain_id: ChainId
    factory: _Address
    organizer: _Address
    salt: _Hash
    definition: dict[str, Any] | None
    definition_bytes: _Bytes
    definition_hash: _Hash
    invalid_reason: str | None
    unknown_version: int | None
    sheet_bits: int
    sheet_roots: tuple[_Hash, ...]
    max_ballot_bytes: int
    text_ballots: bool
    created: Source
    head: _Hash
    batches: int
    turnout: Turnout | None
    block: Block


class Contest(Answer):
    """One contest's count: options by their ids. leading: who would win or tie if a `partial` result were the last.

    winners, tied: empty unless the result is `complete`. tied_for: `seat`, or `elimination`, `transfer` or `next_seat`
    where the count stopped. open_seats: those that a tie leaves open. waits_for_lot: the lot that decides a tie is not
    drawn yet.
    verdict: whether the contest's requirements are met (`passed`, `not_passed`, `unknown`); None without any.
    requirements: each with its numbers. log: the count step by step. spoiled: by reason.
    """

    id: str
    title: str
    method: str
    seats: int
    winners: tuple[str, ...]
    tied: tuple[str, ...]
    tied_for: str | None
    open_seats: int
    waits_for_lot: bool
    verdict: str | None
    requirements: tuple[dict[str, Any], ...]
    leading: tuple[str, ...]
    totals: dict[str, _Number]
    log: tuple[dict[str, Any], ...]
    ballots: int
    counted: int
    blank: int
    spoiled: dict[str, int]
    ballots_weight: _Weight
    counted_weight: _Weight
    blank_weight: _Weight
    spoiled_weight: dict[str, _Weight]


class Naming(Answer):
    """What an operator's endpoint says of the block that a result is proved at.

    hash: what it calls the block of that height. agrees: whether that is the block of the proof. final: whether it
    calls it finalized.
    """

    operator: str
    hash: _Hash
    agrees: bool
    final: bool


class Proof(Answer):
    """The kept proof that a result rests on. operator: whose endpoint gave it. has_lot: whether it shows the lot."""

    block: Block
    operator: str
    has_lot: bool


class UnknownHeader(Answer):
    """The first block that the server's indexer met whose header has a form that its version does not know.

    fields: JSON-RPC's names of the unknown fields; empty where a known one is missing. text: what that means.
    """

    fields: tuple[str, ...]
    block: Block
    text: str


class Verification(Answer):
    """How far a result is verified by the server, at `block`, and by whose word.

    next_level_text: why the next level is not reached; None for the highest. named_by: every operator that was asked
    for the block's hash, of whom `needed` must agree. alarm: what contradicts the result (alarm_kind `mismatch`) or the
    chain that it rests on (`disagreement`). repaired: what was put right, the latest first. unknown_header: why
    nothing is proven at a block or later; None while every header's form is known. proof: None below `proven`.
    state: None for an election of a version that the server does not know.
    """

    election: _Address
    chain_id: ChainId
    state: str | None
    state_text: str
    level: str
    level_text: str
    next_level_text: str | None
    named_by: tuple[Naming, ...]
    needed: int
    alarm: str | None
    alarm_kind: str | None
    repaired: tuple[str, ...]
    unknown_header: UnknownHeader | None
    block: Block
    head: _Hash
    proof: Proof | None


class Result(Answer):
    """An election's result and what it is worth: `state` and `level`, each with a text for people, at `block`.

    state: None for an election of a version that the server does not know, which has no result.

    next_level_text, named_by, alarm, alarm_kind, repaired, unknown_header: as of `Verification`. With an alarm of the
    kind `mismatch` it is not to be relied on. contests: empty for an election that is cancelled or not counted.
    """

    election: _Address
    title: str | None
    chain_id: ChainId
    factory: _Address
    definition_hash: _Hash
    state: str | None
    state_text: str
    level: str
    level_text: str
    next_level_text: str | None
    named_by: tuple[Naming, ...]
    alarm: str | None
    alarm_kind: str | None
    repaired: tuple[str, ...]
    unknown_header: UnknownHeader | None
    block: Block
    head: _Hash
    turnout: Turnout | None
    records: int
    contests: tuple[Contest, ...]


class Ballot(Answer):
    """One record of the box. position: among its records, from 0. batch: of its call among the box's, from 0.

    direct: cast by the voter's own transaction, at `cast_at`; otherwise that is when it was signed.
    """

    position: int
    batch: int
    voter: VoterIndex
    cast_at: UnixSeconds
    direct: bool
    weight: _Weight
    ballot: _Bytes
    source: Source


class BallotPage(Answer):
    """Some ballots in the order of the hash chain. next: `after` of the next page; None at the end."""

    election: _Address
    block: Block
    ballots: tuple[Ballot, ...]
    next: int | None


class Alive(Answer):
    """The server answers."""

    status: str


class Readiness(Answer):
    """How far the index is behind its chain; None where nothing is known yet.

    status: `ready`, or `not_ready` with the reason in `detail`. lag_seconds: by the chain's clock.
    silent_seconds: since the indexer last looked at the chain.
    """

    status: str
    detail: str = ""
    indexed_block: BlockNumber | None
    chain_block: BlockNumber | None
    lag_blocks: int | None
    lag_seconds: int | None
    silent_seconds: float | None

    @property
    def is_ready(self) -> bool:
        """Whether the index is close enough behind its chain."""
        return self.status == "ready"
