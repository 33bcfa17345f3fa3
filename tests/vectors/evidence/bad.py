"""The bad bundles: one at least for every step that can fail, each the work of somebody who would be believed.

Some are honest evidence that was changed afterwards. Where an attacker would need another state of the chain (a box
that was never created, a head over forged records), the local chain is brought into that state, so that header and
proofs are real and only what they say is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gather import SLOT_0, fetch_header, fetch_proof, gather
from good import SALAD, SOUP, cast_raw, make_lot, make_small, make_without_census

from qballot.chain.devnet import Devnet
from qballot.core.address import ZERO_ADDRESS
from qballot.core.keccak import keccak
from qballot.core.proof import Evidence, HeadProof, Voters, decode_header, encode_header, write_evidence
from qballot.core.provenance import box_address, clone_runtime_code, parse_clone_code
from qballot.core.records import DIRECT_BIT, Record, compute_head, pack_record, pack_records, unpack_records
from qballot.core.types import Address, Hash32, UnixSeconds, VoterIndex, Weight
from qballot.testing import ElectionOnDevnet, make_election

OTHER_CODE = b"\x60\x00\x60\x00\xf3"


@dataclass(frozen=True)
class Bad:
    """One bundle that must not verify. step: the first that fails. trusted: the block hash that is believed."""

    name: str
    what: str
    lines: list[bytes]
    trusted: Hash32
    step: int


def _spoil(name: str, what: str, step: int, evidence: Evidence, trusted: Hash32 | None = None) -> Bad:
    return Bad(name, what, list(write_evidence(evidence)), trusted or evidence.block_hash, step)


def make_bad(devnet: Devnet) -> list[Bad]:
    """All of them. What one does to the chain is undone before the next."""
    makers: Sequence[Callable[[Devnet], list[Bad]]] = (
        make_malformed, make_other_origins, make_impossible_boxes, make_other_blocks, make_other_states,
        make_uninitialized, make_other_chains, make_forged_records, make_other_batches, make_other_voters,
        make_other_lots,
    )  # fmt: skip
    found = []
    for maker in makers:
        snapshot = devnet.snapshot()
        found += maker(devnet)
        devnet.revert(snapshot)
    return found


def make_malformed(devnet: Devnet) -> list[Bad]:
    evidence = make_small(devnet).evidence
    lines = list(write_evidence(evidence))
    trusted = evidence.block_hash

    def bad(name: str, what: str, changed: list[bytes]) -> Bad:
        return Bad(f"format-{name}", what, changed, trusted, 1)

    return [
        bad("cut", "the last line is missing", lines[:-1]),
        bad("blank", "a blank after a colon", [lines[0].replace(b'"version":1', b'"version": 1'), *lines[1:]]),
        bad("upper-case", "hex digits in upper case", [*lines[:2], _raise_digits(lines[2]), *lines[3:]]),
        bad("order", "two lines have changed places", [lines[0], lines[2], lines[1], *lines[3:]]),
        bad("twice", "a line of batches stands twice", [*lines[:5], lines[4], *lines[5:]]),
        bad("unknown-key", "a key that is not known", [lines[0].replace(b'"version"', b'"x":0,"version"'), *lines[1:]]),
        bad("counts", "the end names another number of records", [*lines[:-1], _change_count(lines[-1])]),
        bad("after-the-end", "a line follows the end", [*lines, lines[-1]]),
        bad("no-newline", "the last line has no end", [*lines[:-1], lines[-1][:-1]]),
        bad("cut-record", "the last record of a batch is cut short", [*lines[:4], _cut_batch(evidence), *lines[5:]]),
    ]  # fmt: skip


def _change_count(line: bytes) -> bytes:
    return line.replace(b'"records":5', b'"records":4')


def _raise_digits(line: bytes) -> bytes:
    start, digits = line.split(b"0x")
    return start + b"0x" + digits[:-3].upper() + digits[-3:]


def _cut_batch(evidence: Evidence) -> bytes:
    batches = ['"0x' + batch.hex() + '"' for batch in evidence.batches]
    batches[-1] = batches[-1][:-3] + '"'
    return ('{"kind":"batches","batches":[' + ",".join(batches) + "]}\n").encode()


def make_other_origins(devnet: Devnet) -> list[Bad]:
    evidence = make_small(devnet).evidence
    origin, definition = evidence.origin, evidence.definition
    implementation, arguments = parse_clone_code(origin.code)
    other = Address(b"\x77" * 20)
    lying = clone_runtime_code(implementation, replace(arguments, organizer=other))
    own = clone_runtime_code(other, arguments)
    address_of_own = box_address(origin.factory, other, origin.salt, arguments)
    with_blank = replace(evidence, definition=definition + b" ")
    of_another = replace(evidence, definition=definition.replace(b"Lunch", b"Lynch"))

    def bad(name: str, what: str, step: int, **changes: Any) -> Bad:
        return _spoil(name, what, step, replace(evidence, origin=replace(origin, **changes)))

    return [
        _spoil("definition-not-canonical", "the definition ends with a blank", 2, with_blank),
        _spoil("definition-of-another", "the definition has another title", 3, of_another),
        bad("code-not-a-clone", "the code is not that of a box", 3, code=OTHER_CODE),
        bad("address-of-another-salt", "the salt is another", 4, salt=Hash32(b"\x01" * 32)),
        bad("address-of-another-factory", "the factory is another", 4, factory=other),
        bad("address-of-other-arguments", "the organizer in the code is another", 4, code=lying),
        bad(
            "implementation-of-another",
            "the code runs another implementation, and the address is computed from it",
            5,
            code=own,
            box=address_of_own,
        ),
        make_lying_box(devnet),
    ]


def make_impossible_boxes(devnet: Devnet) -> list[Bad]:
    """Boxes that the factory never makes, each at the address that follows from its code, with a head of its own."""
    evidence = make_small(devnet).evidence
    implementation, arguments = parse_clone_code(evidence.origin.code)
    opens_at, roots = arguments.opens_at, arguments.sheet_roots

    def bad(name: str, what: str, **changes: Any) -> Bad:
        rules = replace(arguments, **changes)
        code, rpc = clone_runtime_code(implementation, rules), devnet.rpc
        box = box_address(evidence.origin.factory, implementation, evidence.origin.salt, rules)
        rpc.call("anvil_setCode", ["0x" + box.hex(), "0x" + code.hex()])
        _put_head(devnet, box, keccak(evidence.definition))
        origin = replace(evidence.origin, box=box, code=code)
        number = rpc.block("latest").number
        nodes = HeadProof.of(fetch_proof(rpc, box, [SLOT_0], number), fetch_proof(rpc, implementation, [], number))
        header = fetch_header(rpc, number)
        return _spoil(f"arguments-{name}", what, 3, Evidence(origin, evidence.definition, header, nodes, ()))

    second = UnixSeconds(opens_at - 1)
    return [
        bad("closes-before-it-opens", "the close is a second before the opening", closes_at=second),
        bad("closes-as-it-opens", "the close is the second of the opening", closes_at=opens_at),
        bad("root-too-many", "a root more than the voters fill sheets", sheet_roots=(*roots, *roots)),
        bad("root-too-few", "no root at all", sheet_roots=()),
    ]


def make_lying_box(devnet: Devnet) -> Bad:
    """A box made outside the factory, byte-identical, whose chain of records was written before."""
    scene = make_election(devnet, salt=7)
    scene.open()
    evidence, rpc = gather(scene), devnet.rpc
    forged = pack_records([_record(scene, 0, SALAD)])
    address = Address(b"\x66" * 20)
    rpc.call("anvil_setCode", ["0x" + address.hex(), "0x" + evidence.origin.code.hex()])
    _put_head(devnet, address, compute_head(keccak(evidence.definition), [forged]))
    number = rpc.block("latest").number
    slot, code = fetch_proof(rpc, address, [SLOT_0], number), fetch_proof(rpc, _implementation(evidence), [], number)
    changed = replace(
        evidence,
        origin=replace(evidence.origin, box=address),
        header=fetch_header(rpc, number),
        proof=HeadProof.of(slot, code),
        batches=[forged],
    )
    what = "a box made outside the factory, byte-identical, with a forged start; header and proofs are real"
    return _spoil("address-lying-box", what, 4, changed)


def make_other_blocks(devnet: Devnet) -> list[Bad]:
    evidence = make_small(devnet).evidence
    header = decode_header(evidence.header)
    later = encode_header(replace(header, timestamp=UnixSeconds(header.timestamp + 1)))
    parent = fetch_header(devnet.rpc, header.number - 1)
    added = replace(evidence, header=later)
    fields = replace(evidence, header=_lengthen(evidence.header))
    mixed = replace(evidence, header=parent)
    return [
        _spoil("header-of-another-block", "the trusted hash is of the block before", 6, evidence, header.parent_hash),
        _spoil("header-changed", "a second was added to the header's time", 6, added, evidence.block_hash),
        _spoil("header-of-a-later-fork", "a header with fields that are not known", 6, fields),
        _spoil("box-account-of-another-block", "header and hash of one block, proofs of another", 7, mixed),
    ]


def make_other_states(devnet: Devnet) -> list[Bad]:
    scene = make_election(devnet)
    rpc, box = devnet.rpc, scene.deployment.box
    before = rpc.block("latest").number - 1
    devnet.mine()
    evidence = gather(scene)
    proof, implementation = evidence.proof, _implementation(evidence)
    absent = HeadProof.of(fetch_proof(rpc, box, [SLOT_0], before), fetch_proof(rpc, implementation, [], before))
    early = replace(evidence, header=fetch_header(rpc, before), proof=absent)
    without_node = replace(evidence, proof=replace(proof, box=proof.box[:-1]))
    with_node = replace(evidence, proof=replace(proof, implementation=(*proof.implementation, b"\x80")))
    flipped = replace(evidence, proof=replace(proof, head=(*proof.head[:-1], _flip(proof.head[-1]))))
    without_head = replace(evidence, proof=replace(proof, head=()))
    found = [
        _spoil("box-account-absent", "before the box's creation: it is shown not to exist", 7, early),
        _spoil("box-account-node-missing", "a node of the box's proof is missing", 7, without_node),
        _spoil("implementation-account-node-added", "the implementation's proof has a node too many", 8, with_node),
        _spoil("head-node-changed", "a byte of the node with the head is changed", 9, flipped),
        _spoil("head-node-missing", "there is no proof of the slot", 9, without_head),
    ]
    for address, name, step in ((box, "box", 7), (implementation, "implementation", 8)):
        snapshot = devnet.snapshot()
        rpc.call("anvil_setCode", ["0x" + address.hex(), "0x" + OTHER_CODE.hex()])
        devnet.mine()
        changed = replace(gather(scene), origin=evidence.origin)
        what = f"other code stands at the {name}'s address, and header and proofs say so"
        found.append(_spoil(f"{name}-account-other-code", what, step, changed))
        devnet.revert(snapshot)
    return found


def make_uninitialized(devnet: Devnet) -> list[Bad]:
    """The box's code at its right address, without the call that begins its chain."""
    snapshot = devnet.snapshot()
    scene = make_election(devnet)
    box, code = scene.deployment.box, devnet.rpc.code(scene.deployment.box)
    devnet.revert(snapshot)
    devnet.rpc.call("anvil_setCode", ["0x" + box.hex(), "0x" + code.hex()])
    devnet.mine()
    return [_spoil("head-empty", "the slot is empty: the box was never initialized", 9, gather(scene))]


def make_other_chains(devnet: Devnet) -> list[Bad]:
    scene = make_election(devnet)
    scene.open()
    cast_raw(scene, [scene.sign(0, SOUP), scene.sign(1, SALAD)])
    cast_raw(scene, [scene.sign(2, SALAD)])
    cast_raw(scene, [scene.sign(3, SOUP)])
    scene.close()
    evidence = gather(scene)
    first, second, third = evidence.batches
    lists = {
        "dropped": ("the second of three batches is missing", [first, third]),
        "last-dropped": ("the last batch is missing", [first, second]),
        "added": ("a batch more than were cast", [first, second, third, second]),
        "repeated": ("a batch stands twice", [first, second, second, third]),
        "reordered": ("two batches have changed places", [second, first, third]),
        "altered": ("a mark is on another option", [first, second, third[:-3] + SALAD]),
        "merged": ("two batches are made one", [first, second + third]),
        "split": ("one batch is made two", [pack_record(record) for record in unpack_records(first)] + [second, third]),
        "none": ("no batch at all", []),
    }
    found = [
        _spoil(f"chain-{name}", what, 10, replace(evidence, batches=batches)) for name, (what, batches) in lists.items()
    ]
    cancelled = make_election(devnet, salt=9)
    _put_head(devnet, cancelled.deployment.box, keccak(b"QBallot: cancelled"))
    evidence = replace(gather(cancelled), batches=[first])
    return [*found, _spoil("chain-of-a-cancelled-election", "batches in a cancelled election", 10, evidence)]


def make_forged_records(devnet: Devnet) -> list[Bad]:
    """The head is made to follow from records that the box never admits."""
    scene = make_election(devnet, weights=[1, 2, 3, 4, 5])
    scene.open()
    opens_at, closes_at = scene.deployment.arguments.opens_at, scene.deployment.arguments.closes_at
    good = _record(scene, 0, SOUP)

    def forge(name: str, what: str, step: int, *records: Record) -> Bad:
        snapshot = devnet.snapshot()
        batches = [pack_records([good]), pack_records([good, *records]) if records else b""]
        _put_head(devnet, scene.deployment.box, compute_head(keccak(scene.definition), batches))
        bad = _spoil(name, what, step, replace(gather(scene), batches=batches))
        devnet.revert(snapshot)
        return bad

    late = devnet.rpc.block("latest").timestamp + 1_000
    other = _record(scene, 1, SALAD)
    return [
        forge("records-none", "a batch without a record", 11),
        forge("records-voter", "a voter who is not in the census", 11, replace(good, voter=VoterIndex(5))),
        forge("records-weight-0", "a weight of 0", 11, replace(other, weight=Weight(0))),
        forge("records-too-early", "signed before the opening", 11, replace(other, cast_at=opens_at - 1)),
        forge("records-too-late", "cast directly at the close", 11, replace(other, cast_at=closes_at | DIRECT_BIT)),
        forge("records-after-the-block", "signed after the block that has it", 11, replace(other, cast_at=late)),
        forge(
            "records-too-long", "a ballot that is longer than the box takes", 11, replace(other, ballot=SOUP + b"\x00")
        ),
        forge("membership-weight", "a voter with more weight than the census says", 13, _record(scene, 3, SALAD, 40)),
    ]


def make_other_batches(devnet: Devnet) -> list[Bad]:
    """The head is made to follow from records that the box admits, but never in one batch."""
    scene = make_election(devnet, sheet_bits=1)
    scene.open()
    first, second, third = (_record(scene, voter, SOUP) for voter in range(3))
    own = [replace(record, cast_at=record.cast_at | DIRECT_BIT) for record in (first, second)]

    def forge(name: str, what: str, *records: Record) -> Bad:
        snapshot = devnet.snapshot()
        batches = [pack_records([first]), pack_records(records)]
        _put_head(devnet, scene.deployment.box, compute_head(keccak(scene.definition), batches))
        bad = _spoil(f"records-{name}", what, 11, replace(gather(scene), batches=batches))
        devnet.revert(snapshot)
        return bad

    return [
        forge("descending", "the voters of a batch are not ascending", second, first),
        forge("voter-twice", "a voter stands twice in a batch", first, replace(first, ballot=SALAD)),
        forge("of-two-sheets", "the voters of a batch are of two sheets", second, third),
        forge("direct-after-signed", "a voter's own transaction in a batch of signed ballots", first, own[1]),
        forge("direct-before-signed", "the same with the own transaction first", own[0], second),
        forge("two-direct", "two voters' own transactions in one batch", *own),
    ]


def make_other_voters(devnet: Devnet) -> list[Bad]:
    evidence = make_without_census(devnet).evidence
    scene_voters = make_small(devnet).evidence.voters
    assert scene_voters is not None
    addresses, weights = list(scene_voters.addresses), list(scene_voters.weights)
    one = [Weight(1)]

    def bad(name: str, what: str, rows: list[Address], votes: list[Weight]) -> Bad:
        return _spoil(f"census-{name}", what, 12, replace(evidence, voters=Voters(rows, votes)))

    return [
        bad("one-less", "the last voter is missing", addresses[:-1], weights[:-1]),
        bad("one-more", "a voter more than the box admits", [*addresses, Address(b"\x05" * 20)], weights + one),
        bad("empty", "a census without voters", [], []),
        bad("other-weight", "a voter has another weight", addresses, [Weight(2), *weights[1:]]),
        bad("weight-0", "a voter has the weight 0", addresses, [Weight(0), *weights[1:]]),
        bad("other-address", "a voter has another address", [Address(b"\x05" * 20), *addresses[1:]], weights),
        bad("repeated-address", "a voter stands twice", [addresses[1], *addresses[1:]], weights),
        bad("zero-address", "a voter has the zero address", [ZERO_ADDRESS, *addresses[1:]], weights),
        bad("reordered", "two voters have changed places", [addresses[1], addresses[0], *addresses[2:]], weights),
    ]


def make_other_lots(devnet: Devnet) -> list[Bad]:
    evidence = make_lot(devnet).evidence
    lot = evidence.lot
    header = decode_header(lot[1])
    other = encode_header(replace(header, mix_hash=Hash32(b"\x07" * 32)))
    early = fetch_header(devnet.rpc, header.number - 2)
    lists = {
        "one-block-late": ("drawn from the block after the right one", lot[1:]),
        "one-block-early": ("drawn from a block before the right one", (early, *lot)),
        "changed": ("the randomness is another", (lot[0], other, *lot[2:])),
        "gap": ("a header between is missing", (*lot[:3], *lot[4:])),
        "not-linked": ("the last header is missing", lot[:-1]),
    }
    return [_spoil(f"lot-{name}", what, 15, replace(evidence, lot=headers)) for name, (what, headers) in lists.items()]


def _record(scene: ElectionOnDevnet, voter: int, ballot: bytes, weight: int | None = None) -> Record:
    at = scene.deployment.arguments.opens_at
    return Record(VoterIndex(voter), at, Weight(weight or scene.census.weights[voter]), ballot)


def _put_head(devnet: Devnet, box: Address, head: Hash32) -> None:
    devnet.rpc.call("anvil_setStorageAt", ["0x" + box.hex(), SLOT_0, "0x" + head.hex()])
    devnet.mine()


def _implementation(evidence: Evidence) -> Address:
    return parse_clone_code(evidence.origin.code)[0]


def _flip(node: bytes) -> bytes:
    return node[:-1] + bytes([node[-1] ^ 1])


def _lengthen(header: bytes) -> bytes:
    """One more field at the end, the empty string, and the list's length with it (a header has two bytes of that)."""
    return header[:1] + (int.from_bytes(header[1:3]) + 1).to_bytes(2) + header[3:] + b"\x80"
