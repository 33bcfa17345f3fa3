"""The elections of the good bundles: what happens in each on a local chain, and what must come of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gather import gather, gather_box

from qballot.cast import encode_batch, plan_batches
from qballot.chain.accounts import devnet_account
from qballot.chain.contracts import encode_cancel, encode_create
from qballot.chain.devnet import Devnet
from qballot.chain.transactions import Call, send
from qballot.core.census_file import dump_census
from qballot.core.definition import parse_definition_document
from qballot.core.keccak import keccak
from qballot.core.proof import Evidence
from qballot.core.provenance import BoxArguments, box_address, compute_implementation_address
from qballot.core.records import SignedRecord
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.types import Hash32, UnixSeconds
from qballot.testing import ElectionOnDevnet, make_election
from qballot.testing.elections import LASTS, OPENS_AFTER, make_census, make_voters

SOUP, SALAD, STEW, BLANK = b"\x01\x00\x00", b"\x00\x01\x00", b"\x00\x00\x01", b"\x00\x00\x00"
SPOILED, TOO_SHORT = b"\x01\x01\x00", b"\x01"
GREATEST_WEIGHT = 2**96 - 1

Totals = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Good:
    """One bundle. totals: of every contest's options, as text. invalid_at: the one step that fails, of an election that
    is proven to be invalid. The rest as of `Verification`.
    """

    name: str
    what: str
    evidence: Evidence
    state: str
    records: int
    voters_who_cast: int
    totals: Totals
    winners: dict[str, list[str]]
    electorate_checked: bool = True
    has_lot: bool = False
    invalid_at: int | None = None


Maker = Callable[[Devnet], Good]


def cast_raw(scene: ElectionOnDevnet, signed: Sequence[SignedRecord]) -> None:
    """Bring signed ballots, once more if they are in already."""
    for batch in plan_batches(signed, scene.census.sheet_bits):
        send(scene.devnet.rpc, devnet_account(1), encode_batch(scene.deployment.box, scene.census, batch))


def lunch(soup: int, salad: int, stew: int) -> Totals:
    return {"lunch": {"soup": str(soup), "salad": str(salad), "stew": str(stew)}}


def make_small(devnet: Devnet) -> Good:
    scene = make_election(devnet)
    scene.open()
    scene.cast_signed([(0, SOUP), (1, SALAD), (3, SOUP)])
    scene.cast(2, BLANK)
    scene.cast(4, SPOILED)
    scene.close()
    what = "signed and direct ballots, a blank and a spoiled one; the election is over"
    return Good("small", what, gather(scene), "complete", 5, 5, lunch(2, 1, 0), {"lunch": ["soup"]})


def make_sheets(devnet: Devnet) -> Good:
    scene = make_election(devnet, voters=11, sheet_bits=2)
    scene.open()
    scene.cast_signed([(voter, (SOUP, SALAD, STEW)[voter % 3]) for voter in range(11)])
    scene.close()
    what = "three sheets, the last one not full; a batch for each"
    return Good("sheets", what, gather(scene), "complete", 11, 11, lunch(4, 4, 3), {"lunch": []})


def make_several_contests(devnet: Devnet) -> Good:
    contests = [
        _contest("chair", "plurality", "abc"),
        _contest("budget", "score", "xy", min_score=-5, max_score=5),
        _contest("board", "irv", "pqrs"),
    ]
    scene = make_election(devnet, definition=_define(contests))
    scene.open()
    ballots = [
        bytes([1, 0, 0, 5, 256 - 5, 1, 2, 3, 4]),
        bytes([0, 1, 0, 3, 0, 2, 1, 0, 0]),
        bytes([1, 0, 0, 128, 2, 0, 0, 1, 0]),
        bytes([0, 0, 0, 128, 128, 2, 1, 3, 0]),
        bytes([1, 1, 0, 0, 0, 1, 1, 0, 0]),
    ]
    scene.cast_signed(list(enumerate(ballots)))
    scene.close()
    totals = {
        "chair": {"a": "2", "b": "1", "c": "0"},
        "budget": {"x": "8", "y": "-3"},
        "board": {"p": "1", "q": "2", "r": "1", "s": "0"},
    }
    what = "three contests: plurality, score with negative scores and no answers, IRV in which a tie changes nothing"
    return Good(
        "several-contests",
        what,
        gather(scene),
        "complete",
        5,
        5,
        totals,
        {"chair": ["a"], "budget": ["x"], "board": ["q"]},
    )


def make_weights(devnet: Devnet) -> Good:
    scene = make_election(devnet, voters=4, weights=[1, 1_000, GREATEST_WEIGHT, 2**64])
    scene.open()
    scene.cast_signed([(0, SALAD), (1, SALAD), (2, SOUP), (3, STEW)])
    scene.close()
    totals = lunch(GREATEST_WEIGHT, 1_001, 2**64)
    return Good("weights", "weights up to 2**96 - 1", gather(scene), "complete", 4, 4, totals, {"lunch": ["soup"]})


def make_revotes(devnet: Devnet) -> Good:
    scene = make_election(devnet)
    scene.open()
    devnet.warp(devnet.rpc.block("latest").timestamp + 100)
    now = devnet.rpc.block("latest").timestamp - 50
    scene.cast(0, STEW)
    # 0 has voted directly: the signed ballot does not count.
    cast_raw(scene, [scene.sign(0, SOUP, now - 10), scene.sign(1, SOUP, now - 10)])
    cast_raw(scene, [scene.sign(1, SALAD, now + 1)])
    cast_raw(scene, [scene.sign(1, SOUP, now)])  # signed earlier, brought later
    scene.cast_signed([(2, SOUP)])
    scene.cast(2, TOO_SHORT)  # a last ballot that is spoiled replaces the earlier one all the same
    scene.close()
    what = "later ballots replace earlier ones, direct ones all signed ones, whatever the order that they came in"
    return Good("revotes", what, gather(scene), "complete", 7, 3, lunch(0, 1, 1), {"lunch": []})


def make_repeats(devnet: Devnet) -> Good:
    scene = make_election(devnet)
    scene.open()
    now = devnet.rpc.block("latest").timestamp
    first = [scene.sign(0, SOUP, now), scene.sign(1, SALAD, now)]
    cast_raw(scene, first)
    cast_raw(scene, [scene.sign(0, STEW, now)])  # as late as the first, and later in the chain
    cast_raw(scene, first)
    cast_raw(scene, first[:1])
    scene.close()
    what = "exact repeats of records are ignored; of two that were signed in one second the later in the chain counts"
    return Good("repeats", what, gather(scene), "complete", 6, 2, lunch(0, 1, 1), {"lunch": []})


def make_cancelled(devnet: Devnet) -> Good:
    scene = make_election(devnet)
    cancel(scene)
    return Good("cancelled", "cancelled before it opened", gather(scene), "cancelled", 0, 0, {}, {})


def make_empty(devnet: Devnet) -> Good:
    scene = make_election(devnet)
    scene.close()
    what = "nobody voted: the head is still the definition's hash"
    return Good("empty", what, gather(scene), "complete", 0, 0, lunch(0, 0, 0), {"lunch": []})


def make_partial(devnet: Devnet) -> Good:
    scene = make_election(devnet)
    scene.open()
    scene.cast_signed([(0, SOUP), (1, SOUP)])
    number = devnet.rpc.block("latest").number
    scene.cast_signed([(2, SALAD)])
    what = "at a block while the election is open; a batch of a later block is not in it"
    evidence = gather(scene, number=number)
    return Good("partial", what, evidence, "partial", 2, 2, lunch(2, 0, 0), {"lunch": ["soup"]})


def make_upcoming(devnet: Devnet) -> Good:
    scene = make_election(devnet)
    devnet.mine()
    what = "at a block before the election opens"
    return Good("upcoming", what, gather(scene), "partial", 0, 0, lunch(0, 0, 0), {"lunch": []})


def make_without_census(devnet: Devnet) -> Good:
    scene = make_election(devnet)
    scene.open()
    scene.cast_signed([(0, SOUP), (1, SALAD), (2, SOUP)])
    scene.close()
    what = "nothing is said of the census: the electorate is not checked"
    evidence = gather(scene, has_voters=False)
    return Good(
        "without-census",
        what,
        evidence,
        "complete",
        3,
        3,
        lunch(2, 1, 0),
        {"lunch": ["soup"]},
        electorate_checked=False,
    )


def make_census_referenced(devnet: Devnet) -> Good:
    good = make_without_census(devnet)
    file = dump_census(make_census(make_voters(5)))
    evidence = replace(good.evidence, census_hash=keccak(file))
    what = "the census is left out, and named by the hash of its file"
    return replace(good, name="census-referenced", what=what, evidence=evidence)


def make_fresh_proof(devnet: Devnet) -> Good:
    scene = make_election(devnet)
    scene.open()
    scene.cast_signed([(0, SOUP), (1, SALAD), (2, SOUP)])
    scene.close()
    devnet.mine(300)
    devnet.warp(devnet.rpc.block("latest").timestamp + 100_000_000)
    what = "a fresh proof, of a block years after the close, for old ballots"
    return Good("fresh-proof", what, gather(scene), "complete", 3, 3, lunch(2, 1, 0), {"lunch": ["soup"]})


def make_lot(devnet: Devnet) -> Good:
    scene = _tie_with_lot(devnet)
    devnet.warp(scene.deployment.arguments.closes_at + LOT_DELAY_SECONDS)
    devnet.mine(5)
    evidence = gather(scene, has_lot=True)
    what = "a tie that the lot decides, drawn from a block five blocks before the trusted one"
    return Good("lot", what, evidence, "complete", 2, 2, lunch(1, 1, 0), {}, has_lot=True)


def make_lot_of_the_block_itself(devnet: Devnet) -> Good:
    scene = _tie_with_lot(devnet)
    devnet.warp(scene.deployment.arguments.closes_at + LOT_DELAY_SECONDS)
    what = "a tie that the lot decides, drawn from the trusted block itself"
    evidence = gather(scene, has_lot=True)
    return Good("lot-of-the-block-itself", what, evidence, "complete", 2, 2, lunch(1, 1, 0), {}, has_lot=True)


def make_lot_not_yet(devnet: Devnet) -> Good:
    what = "a tie that the lot will decide, at a block before any that it can be drawn from"
    evidence = gather(_tie_with_lot(devnet))
    return Good("lot-not-yet", what, evidence, "complete", 2, 2, lunch(1, 1, 0), {"lunch": []})


def make_invalid_definition(devnet: Devnet) -> Good:
    """Everything follows, and what follows is that the election is never counted: step 2 alone fails."""
    evidence = gather_undefined(devnet, b'{"qballot":1,"title":"Without contests"}')
    what = "a definition without contests: proven to be invalid, and never counted; step 2 alone fails"
    return Good("invalid-definition", what, evidence, "invalid", 0, 0, {}, {}, electorate_checked=False, invalid_at=2)


def make_text_box(devnet: Devnet) -> Good:
    """Its voters sign text, which wallets show; but no definition asks for that yet."""
    scene = make_election(devnet, text_ballots=True)
    scene.open()
    scene.cast_signed([(0, b"yes"), (1, SALAD)])
    scene.cast(2, BLANK)
    scene.close()
    what = "the box takes ballots that are signed as text, and its definition asks for bytes; step 3 alone fails"
    return Good("invalid-text-ballots", what, gather(scene), "invalid", 3, 0, {}, {}, invalid_at=3)


def make_short_ballots(devnet: Devnet) -> Good:
    """A limit that an organizer could choose so that some ballots do not fit."""
    scene = make_election(devnet, max_ballot_bytes=2)
    scene.open()
    scene.cast_signed([(0, SOUP[:2]), (1, b"")])
    scene.close()
    what = "the box takes ballots of 2 bytes, and those of its definition have 3; step 3 alone fails"
    return Good("invalid-ballot-limit", what, gather(scene), "invalid", 2, 0, {}, {}, invalid_at=3)


def gather_undefined(devnet: Devnet, definition: bytes) -> Evidence:
    """Evidence of a box that was made for any bytes, without its voters, after the close."""
    organizer, census = devnet_account(0), make_census(make_voters(5))
    scene = make_election(devnet)
    opens_at = devnet.rpc.block("latest").timestamp + OPENS_AFTER
    arguments = BoxArguments(
        keccak(definition), organizer.address, UnixSeconds(opens_at), UnixSeconds(opens_at + LASTS), census.sheet_bits,
        len(census), 3, census.sheet_roots,
    )  # fmt: skip
    factory, salt = scene.deployment.factory, Hash32(bytes(32))
    send(devnet.rpc, organizer, Call(factory, encode_create(salt, arguments, definition)))
    box = box_address(factory, compute_implementation_address(factory), salt, arguments)
    devnet.warp(arguments.closes_at)
    return gather_box(devnet.rpc, factory=factory, box=box, salt=salt, definition=definition)


def cancel(scene: ElectionOnDevnet) -> None:
    send(scene.devnet.rpc, devnet_account(0), Call(scene.deployment.box, encode_cancel()))


def _tie_with_lot(devnet: Devnet) -> ElectionOnDevnet:
    scene = make_election(
        devnet, definition=_define([_contest("lunch", "plurality", ["soup", "salad", "stew"], tie="lot")])
    )
    scene.open()
    scene.cast_signed([(0, SOUP), (1, SALAD)])
    scene.close()
    return scene


def _contest(name: str, method: str, options: Sequence[str], **more: Any) -> dict[str, Any]:
    listed = [{"id": option, "title": option.title()} for option in options]
    return {"id": name, "title": f"The {name}", "method": method, "options": listed, **more}


def _define(contests: list[dict[str, Any]]) -> bytes:
    return parse_definition_document(json.dumps({"qballot": 1, "title": "Lunch", "contests": contests}))[1]


GOOD: tuple[Maker, ...] = (
    make_small, make_sheets, make_several_contests, make_weights, make_revotes, make_repeats, make_cancelled,
    make_empty, make_partial, make_upcoming, make_without_census, make_census_referenced, make_fresh_proof, make_lot,
    make_lot_of_the_block_itself, make_lot_not_yet, make_invalid_definition, make_text_box, make_short_ballots,
)  # fmt: skip
