"""Changed evidence and receipts, by a seed: any byte, any field, any order; and whether a verifier falls for one.

A change that only leaves out what evidence may leave out (the census, the lot), puts it in, or asks for another ballot
of the same batch, makes evidence that is true. It is told apart: no more than that may be said then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import msgspec
from evidence_samples import CHAIN_ID, INDEX, PINS, find, read_good, read_receipt, trusted_hash

from qballot.core.proof import (
    Evidence,
    Verification,
    Voters,
    read_evidence,
    read_receipt_file,
    verify_evidence_file,
    verify_receipt_file,
    write_evidence,
)
from qballot.core.records import unpack_records
from qballot.core.types import Address, Hash32, Weight
from qballot.errors import QballotError

GOOD = [item["name"] for item in INDEX["good"]]
RECEIPTS = [item["name"] for item in INDEX["receipts"] if item["record"] is not None]


TRUE = "true"
"""What a judge says of a change that is true as well; otherwise the id of the step that refused it."""


@cache
def verify_original(name: str) -> Verification:
    return verify_evidence_file([read_good(name)], trusted_hash(find("good", name)), PINS, chain_id=CHAIN_ID)


def judge_evidence(name: str, data: bytes) -> str:
    """Verify changed evidence against the hash of the good one. AssertionError where a verifier falls for it."""
    original = verify_original(name)
    found = verify_evidence_file([data], original.trusted_block_hash, PINS, chain_id=CHAIN_ID)
    if found.state is None:
        assert found.result is None
        refused = found.failure or found.unknown
        assert refused is not None
        return refused.check.id
    before, after = read_evidence([read_good(name)]), read_evidence([data])
    assert (found.state, found.proven, found.records) == (original.state, original.proven, original.records)
    assert found.voters_who_cast == original.voters_who_cast
    # Where it had no census, what is put in is the election's own, or would be refused: many of these share one.
    assert after.voters is None or before.voters in (None, after.voters)
    assert after.lot in ((), before.lot)
    rest = {"voters": None, "census_hash": None, "lot": ()}
    assert replace(after, **rest) == replace(before, **rest)  # type: ignore[arg-type]
    assert found.is_electorate_checked == (after.voters is not None)
    assert found.lot == (original.lot if after.lot else None)
    return TRUE


def judge_receipt(name: str, data: bytes) -> str:
    """Verify a changed receipt against the hash and the box of the good one."""
    original = read_receipt_file(read_receipt(name))
    trusted = trusted_hash(find("receipts", name))
    found = verify_receipt_file(data, trusted, box=original.box, chain_id=CHAIN_ID)
    refused = found.failure or found.unknown
    if refused is not None:
        assert found.record is None
        return refused.check.id
    assert found.receipt is not None
    assert found.batch is not None
    assert replace(found.receipt, position=0) == replace(original, position=0)
    assert found.record == unpack_records(found.batch)[found.receipt.position]
    return TRUE


def mutate_evidence(random: Random, name: str) -> bytes:
    """Change a good bundle once or a few times, in one of many ways."""
    data = read_good(name)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        kind = random.randrange(4)
        if kind == 0:
            data = _mutate_bytes(random, data)
        elif kind == 1:
            data = _mutate_lines(random, data)
        elif kind == 2:
            data = _mutate_field(random, data)
        else:
            data = _mutate_content(random, data)
    return data


def mutate_receipt(random: Random, name: str) -> bytes:
    """Change a good receipt once or a few times."""
    data = read_receipt(name)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        data = _mutate_bytes(random, data) if random.random() < 0.4 else _mutate_field(random, data)
    return data


def _mutate_bytes(random: Random, data: bytes) -> bytes:
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.choice((0, 1, 1, 2, 40)))
    new = random.choice(
        (
            random.randbytes(end - start),
            b"",
            data[start:end] * 2,
            data[start:end].swapcase(),
            random.choice((b" ", b"\n", b"0", b'"', b",", b"[", b"\x00", b"\xff")),
            bytes(random.choice(b"0123456789abcdef") for _ in range(end - start)),
        )
    )
    return data[:start] + new + data[end:]


def _mutate_lines(random: Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    place, other = random.randrange(len(lines)), random.randrange(len(lines))
    kind = random.randrange(5)
    if kind == 0:
        del lines[place]
    elif kind == 1:
        lines.insert(other, lines[place])
    elif kind == 2:
        lines[place], lines[other] = lines[other], lines[place]
    elif kind == 3:
        lines[place] = random.choice(read_good(random.choice(GOOD)).splitlines(keepends=True))
    else:
        random.shuffle(lines)
    return b"".join(lines)


def _mutate_field(random: Random, data: bytes) -> bytes:
    """Change one value of one line and write the line in its form."""
    lines = data.splitlines()
    if not lines:
        return data
    place = random.randrange(len(lines))
    try:
        line = msgspec.json.decode(lines[place], type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return data
    if not line:
        return data
    key = random.choice(list(line))
    line[key] = _mutate_value(random, line[key])
    lines[place] = msgspec.json.encode(line)
    return b"\n".join(lines) + b"\n"


def _mutate_value(random: Random, value: Any) -> Any:
    if isinstance(value, list) and value:
        return _mutate_list(random, value)
    if isinstance(value, str) and value.startswith("0x") and random.random() < 0.9:
        place = random.randrange(2, len(value) + 1)
        return value[:place] + random.choice("0123456789abcdefF") + value[place + random.randrange(3) :]
    if isinstance(value, int):
        return value + random.choice((-1, 1, 2**31, 2**63, 2**64, -(2**70)))
    return random.choice((None, 0, -1, "", "0x", "0x0", [], {}, True, 2**70, "9" * 5_000, value))


def _mutate_list(random: Random, value: Sequence[Any]) -> list[Any]:
    changed = list(value)
    place = random.randrange(len(changed))
    kind = random.randrange(5)
    if kind == 0:
        del changed[place]
    elif kind == 1:
        changed.insert(random.randrange(len(changed) + 1), changed[place])
    elif kind == 2:
        random.shuffle(changed)
    else:
        changed[place] = _mutate_value(random, changed[place])
    return changed


def _mutate_content(random: Random, data: bytes) -> bytes:
    """Change what evidence says, and write it whole and in its form, with counts that fit."""
    try:
        evidence = read_evidence([data])
        changed = random.choice(CONTENT)(random, evidence)
        return b"".join(write_evidence(changed))
    except QballotError:
        return data


def _flip(random: Random, data: bytes) -> bytes:
    if not data:
        return b"\x00"
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]


def _other(random: Random) -> Evidence:
    return read_evidence([read_good(random.choice(GOOD))])


def _change_batches(random: Random, evidence: Evidence) -> Evidence:
    batches = list(evidence.batches)
    others = [*_other(random).batches, *batches, b""]
    place = random.randrange(len(batches) + 1)
    kind = random.randrange(6)
    if kind == 0 or not batches:
        batches.insert(place, random.choice(others))
    elif kind == 1:
        del batches[place % len(batches)]
    elif kind == 2:
        random.shuffle(batches)
    elif kind == 3:
        batches[place % len(batches)] = _flip(random, batches[place % len(batches)])
    elif kind == 4:
        batches = [b"".join(batches)]
    else:
        batches[place % len(batches)] = random.choice(others)
    return replace(evidence, batches=batches)


def _change_voters(random: Random, evidence: Evidence) -> Evidence:
    voters = evidence.voters or _other(random).voters
    if voters is None or random.random() < 0.1:
        return replace(evidence, voters=None)
    rows = list(zip(voters.addresses, voters.weights, strict=True))
    place = random.randrange(len(rows) + 1)
    row = random.choice([*rows, (Address(bytes(20)), Weight(1)), (Address(random.randbytes(20)), Weight(1))])
    kind = random.randrange(4)
    if kind == 0 or not rows:
        rows.insert(place, row)
    elif kind == 1:
        del rows[place % len(rows)]
    elif kind == 2:
        random.shuffle(rows)
    else:
        address, weight = rows[place % len(rows)]
        more = (weight + 1, 0, 2**96 - 1, 2**96, weight * 2)
        rows[place % len(rows)] = random.choice(((row[0], weight), (address, Weight(random.choice(more)))))
    changed = Voters([address for address, _ in rows], [weight for _, weight in rows])
    return replace(evidence, voters=changed, census_hash=None)


def _change_nodes(random: Random, evidence: Evidence) -> Evidence:
    name = random.choice(("box", "implementation", "head"))
    nodes = list(getattr(evidence.proof, name))
    others = [*nodes, *_other(random).proof.box, *_other(random).proof.head, b"\x80", b"\xc0", b""]
    place = random.randrange(len(nodes) + 1)
    kind = random.randrange(4)
    if kind == 0 or not nodes:
        nodes.insert(place, random.choice(others))
    elif kind == 1:
        del nodes[place % len(nodes)]
    elif kind == 2:
        nodes[place % len(nodes)] = _flip(random, nodes[place % len(nodes)])
    else:
        random.shuffle(nodes)
    return replace(evidence, proof=replace(evidence.proof, **{name: tuple(nodes)}))


def _change_lot(random: Random, evidence: Evidence) -> Evidence:
    lot = list(evidence.lot) or list(read_evidence([read_good("lot")]).lot)
    place = random.randrange(len(lot) + 1)
    kind = random.randrange(4)
    if kind == 0:
        lot.insert(place, random.choice([*lot, evidence.header]))
    elif kind == 1:
        del lot[place % len(lot)]
    elif kind == 2:
        lot[place % len(lot)] = _flip(random, lot[place % len(lot)])
    else:
        random.shuffle(lot)
    return replace(evidence, lot=tuple(lot))


def _change_origin(random: Random, evidence: Evidence) -> Evidence:
    origin, other = evidence.origin, _other(random).origin
    name = random.choice(("factory", "box", "salt", "code", "chain_id"))
    value = getattr(other, name)
    if value == getattr(origin, name):
        value = value + 1 if isinstance(value, int) else _flip(random, value)
    return replace(evidence, origin=replace(origin, **{name: value}))


def _change_part(random: Random, evidence: Evidence) -> Evidence:
    name = random.choice(("definition", "header", "proof", "batches", "voters", "lot", "census_hash"))
    value = getattr(_other(random), name)
    if isinstance(value, bytes) and random.random() < 0.5:
        value = _flip(random, getattr(evidence, name) or Hash32(bytes(32)))
    changed: Evidence = replace(evidence, **{name: value})
    return changed


CONTENT: Sequence[Callable[[Random, Evidence], Evidence]] = (
    _change_batches,
    _change_voters,
    _change_nodes,
    _change_lot,
    _change_origin,
    _change_part,
)
