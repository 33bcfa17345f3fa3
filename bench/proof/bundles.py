"""Bundles of any size, with real hashes throughout: tries, header, box address, census and chain are built, not mined.

A state trie of mainnet's depth is made by its one way down, with random hashes for everything beside it, which costs a
verifier the same. Signatures are in no evidence, so that a million voters need no keys.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qballot.core.census import Census, build_census
from qballot.core.definition import parse_definition_document
from qballot.core.keccak import keccak
from qballot.core.proof import EMPTY_ROOT, BoxOrigin, Evidence, Header, HeadProof, Pins, Voters, encode_header
from qballot.core.proof.rlp import encode_list, encode_string, encode_uint
from qballot.core.proof.trie import pack_path
from qballot.core.provenance import BoxArguments, box_address, clone_runtime_code
from qballot.core.records import DIRECT_BIT, Record, compute_head, pack_records
from qballot.core.types import Address, BlockNumber, ChainId, Hash32, UnixSeconds, VoterIndex, Weight

STATE_DEPTH = 8
"""Branches above an account's leaf: mainnet's hundreds of millions of accounts fill seven, and an eighth in part."""

OPENS_AT, CLOSES_AT = 1_800_000_000, 1_810_000_000
OPTIONS = 4
MAX_WEIGHT = 100
PINS = Pins(Address(keccak(b"factory")[:20]), keccak(b"implementation"))
ORGANIZER = Address(keccak(b"organizer")[:20])
SALT = Hash32(bytes(32))


@dataclass(frozen=True)
class Size:
    """How much a bundle holds.

    direct: ballots in batches of their own. signed: in batches of at most `batch`, each of one sheet of 2**sheet_bits
    voters. again: how many voters cast a second, signed ballot; they are among the ballots.
    """

    name: str
    voters: int
    sheet_bits: int
    direct: int
    signed: int
    batch: int
    again: int


SIZES = (
    Size("100k", voters=101_000, sheet_bits=10, direct=20_000, signed=80_000, batch=100, again=1_000),
    Size("1m", voters=1_000_000, sheet_bits=11, direct=0, signed=1_000_000, batch=1_024, again=1_000),
)


def make_bundle(size: Size) -> Evidence:
    """Make a bundle: all that is in it follows from its header's hash and `PINS`."""
    chooser = random.Random(size.name)
    census = build_census(
        ((Address(chooser.randbytes(20)), Weight(chooser.randrange(1, MAX_WEIGHT + 1))) for _ in range(size.voters)),
        size.sheet_bits,
    )
    definition = make_definition()
    arguments = BoxArguments(
        definition_hash=keccak(definition),
        organizer=ORGANIZER,
        opens_at=UnixSeconds(OPENS_AT),
        closes_at=UnixSeconds(CLOSES_AT),
        sheet_bits=size.sheet_bits,
        voters=size.voters,
        max_ballot_bytes=OPTIONS,
        sheet_roots=census.sheet_roots,
    )
    box = box_address(PINS.factory, PINS.implementation, SALT, arguments)
    code = clone_runtime_code(PINS.implementation, arguments)
    batches = list(make_batches(size, census, chooser))
    head = compute_head(arguments.definition_hash, batches)
    header, proof = make_proof(chooser, box, keccak(code), head)
    origin = BoxOrigin(ChainId(1), PINS.factory, box, SALT, code)
    return Evidence(origin, definition, header, proof, batches, Voters.of(census))


def make_definition() -> bytes:
    """Write a definition with one IRV contest."""
    options = [{"id": f"o{number}", "title": f"Option {number}"} for number in range(OPTIONS)]
    contest = {"id": "c", "title": "Who shall it be?", "method": "irv", "options": options}
    return parse_definition_document(json.dumps({"qballot": 1, "title": "Bench", "contests": [contest]}))[1]


def make_batches(size: Size, census: Census, chooser: random.Random) -> Iterator[bytes]:
    """Give the batches in the chain's order: the direct ballots among the signed ones, the second ballots last."""
    voters = chooser.sample(range(size.voters), size.direct + size.signed - size.again)
    direct, signed = voters[: size.direct], sorted(voters[size.direct :])
    batches = [[(voter, DIRECT_BIT)] for voter in direct]
    batches += [[(voter, 0) for voter in part] for part in _cut(signed, size)]
    chooser.shuffle(batches)
    batches += [[(voter, 1) for voter in part] for part in _cut(sorted(signed[: size.again]), size)]
    for batch in batches:
        yield pack_records(
            Record(VoterIndex(voter), OPENS_AT + later, census.weights[voter], make_ballot(chooser))
            for voter, later in batch
        )


def make_ballot(chooser: random.Random) -> bytes:
    """Rank some of the options; now and then none."""
    ranked = chooser.sample(range(OPTIONS), chooser.randrange(OPTIONS + 1))
    return bytes(ranked.index(option) + 1 if option in ranked else 0 for option in range(OPTIONS))


def make_proof(chooser: random.Random, box: Address, code_hash: Hash32, head: Hash32) -> tuple[bytes, HeadProof]:
    """Make a header and proofs of the box, its head and the implementation, deep in one state."""
    slot_path = keccak(bytes(32)).hex()
    slot = encode_list((encode_string(pack_path(slot_path, is_leaf=True)), encode_string(encode_string(head))))
    accounts = [
        (keccak(box).hex(), make_account(keccak(slot), code_hash)),
        (keccak(PINS.implementation).hex(), make_account(EMPTY_ROOT, PINS.implementation_code_hash)),
    ]
    (first, one), (second, two) = accounts
    if first[0] == second[0]:
        raise AssertionError("the two accounts share their first digit, expected their ways to part at the root")
    ways = [make_way(chooser, path, account, 1) for path, account in ((first, one), (second, two))]
    children = [encode_string(chooser.randbytes(32)) for _ in range(16)]
    for path, way in zip((first, second), ways, strict=True):
        children[int(path[0], 16)] = encode_string(keccak(way[0]))
    root = encode_list((*children, encode_string(b"")))
    header = make_header(chooser, keccak(root))
    return header, HeadProof((root, *ways[0]), (root, *ways[1]), (slot,))


def make_way(chooser: random.Random, path: str, value: bytes, top: int = 0) -> list[bytes]:
    """Make the nodes on the way to a value. top: depth of the first, 0 for the root."""
    nodes = [encode_list((encode_string(pack_path(path[STATE_DEPTH:], is_leaf=True)), encode_string(value)))]
    for depth in range(STATE_DEPTH - 1, top - 1, -1):
        children = [encode_string(chooser.randbytes(32)) for _ in range(16)]
        children[int(path[depth], 16)] = encode_string(keccak(nodes[0]))
        nodes.insert(0, encode_list((*children, encode_string(b""))))
    return nodes


def make_account(storage_root: Hash32, code_hash: Hash32) -> bytes:
    """Encode a contract's account."""
    return encode_list((encode_uint(1), encode_uint(0), encode_string(storage_root), encode_string(code_hash)))


def make_header(chooser: random.Random, state_root: Hash32) -> bytes:
    """Encode a header of Prague after the close."""

    def word() -> Hash32:
        return Hash32(chooser.randbytes(32))

    header = Header(
        word(), word(), ORGANIZER, state_root, word(), word(), chooser.randbytes(256), 0, BlockNumber(25_000_000),
        60_000_000, 30_000_000, UnixSeconds(CLOSES_AT + 12), b"", word(), bytes(8), 10**9, word(), 0, 0, word(), word(),
    )  # fmt: skip
    return encode_header(header)


def _cut(voters: Sequence[int], size: Size) -> Iterator[list[int]]:
    """Cut ascending voters into batches, each of one sheet."""
    part: list[int] = []
    for voter in voters:
        if part and (len(part) == size.batch or voter >> size.sheet_bits != part[0] >> size.sheet_bits):
            yield part
            part = []
        part.append(voter)
    if part:
        yield part
