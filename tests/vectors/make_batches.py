"""Makes batches.json: signed ballots in packed calldata, and bytes that are no batch.

    python tests/vectors/make_batches.py

Written from the words of contracts/README.md, and shares no code with the contracts or with qballot/core, so that it
checks both. Signatures are made up: a batch can be read without them.
"""

from __future__ import annotations

import json
from hashlib import shake_256
from pathlib import Path
from typing import Any, NamedTuple

NOON = 1_800_000_000
LAST_TIME = 2**39 - 1
MOST_WEIGHT = 2**96 - 1


class Ballot(NamedTuple):
    """A signed ballot."""

    voter: int
    cast_at: int
    weight: int
    content: bytes
    r: bytes
    vs: bytes


class Refused(NamedTuple):
    """Bytes that are no batch.

    offset: of the base or the ballot that is wrong. length: of the bytes if that is that they end too early.
    """

    name: str
    batch: bytes
    offset: int
    length: int | None


def stuff(name: object, length: int) -> bytes:
    """Make bytes up from a name."""
    return shake_256(str(name).encode()).digest(length)


def ballot(voter: int, cast_at: int = NOON, weight: int = 1, length: int = 4) -> Ballot:
    """Make up a ballot with these values."""
    name = (voter, cast_at, weight, length)
    # A long one is easier on the eye, and on the file, if it repeats itself.
    content = (stuff(name, min(length, 16)) * (length // 16 + 1))[:length]
    return Ballot(voter, cast_at, weight, content, stuff(("r", *name), 32), stuff(("vs", *name), 32))


def big(value: int, size: int) -> bytes:
    """Write an integer in so many bytes, the highest first."""
    return bytes(value // 256**place % 256 for place in reversed(range(size)))


def number(value: int, least: int = 1) -> bytes:
    """Write a number: seven bits a byte, the lowest first. least: bytes at the least; more than needed is wrong."""
    if value < 128 and least <= 1:
        return bytes([value])
    return bytes([128 + value % 128]) + number(value // 128, least - 1)


def base(voter: int, cast_at: int = NOON, weight: int = 1, length: int = 4, width: int = 0) -> bytes:
    """Write the 24 bytes that begin a batch."""
    return big(voter, 4) + big(cast_at, 5) + big(weight, 12) + big(length, 2) + big(width, 1)


def pack(ballots: list[Ballot]) -> bytes:
    """Write a batch."""
    first, earliest = ballots[0], min(each.cast_at for each in ballots)
    latest = max(each.cast_at for each in ballots) - earliest
    width = next(size for size in range(6) if latest < 256**size)
    batch = base(first.voter, earliest, first.weight, len(first.content), width)
    for before, each in zip([None, *ballots], ballots, strict=False):
        skipped = each.voter - before.voter - 1 if before else 0
        own_weight, own_length = each.weight != first.weight, len(each.content) != len(first.content)
        batch += number(4 * skipped + 2 * int(own_length) + int(own_weight)) + big(each.cast_at - earliest, width)
        batch += number(each.weight) * own_weight + number(len(each.content)) * own_length
        batch += each.content + each.r + each.vs
    return batch


def make_batches() -> dict[str, list[Ballot]]:
    """Make right batches, by name."""
    named = {
        "the example of contracts/README.md": [
            Ballot(voter, cast_at, 1, bytes.fromhex(content), stuff(("r", voter), 32), stuff(("vs", voter), 32))
            for voter, cast_at, content in ((4, 1000, "b1b1"), (6, 1300, "b2b2"), (7, 1002, "b3b3"))
        ],
        "the first voter alone": [ballot(0)],
        "the last voter that there can be alone": [ballot(2**32 - 1)],
        "no ballot's bytes": [ballot(7, length=0)],
        "nothing but zeros in the base": [ballot(0, cast_at=0, weight=0, length=0)],
        "the greatest values in the base": [ballot(2**32 - 1, LAST_TIME, MOST_WEIGHT, 1)],
        "two neighbours alike": [ballot(4), ballot(5)],
        "a whole sheet of eight": [ballot(8 + place) for place in range(8)],
        "all gaps": [ballot(voter) for voter in (0, 1, 3, 35, 68, 4164, 69_700)],
        "the widest gap": [ballot(0), ballot(2**32 - 1)],
        "steps of one byte and of two": [ballot(0), ballot(32), ballot(65)],
        "steps of two bytes and of three": [ballot(0), ballot(4096), ballot(8193)],
        "a second weight": [ballot(3, weight=1), ballot(4, weight=2)],
        "a second weight and back": [ballot(3, weight=5), ballot(4, weight=6), ballot(5, weight=5)],
        "weights of 0, 1, 127, 128 and the greatest": [
            ballot(place, weight=weight) for place, weight in enumerate((3, 0, 1, 127, 128, 2**64, MOST_WEIGHT))
        ],
        "the greatest weight first": [
            ballot(1, weight=MOST_WEIGHT),
            ballot(2, weight=1),
            ballot(3, weight=MOST_WEIGHT),
        ],
        "lengths of 0, 1, 127 and 128": [ballot(place, length=size) for place, size in enumerate((4, 0, 1, 127, 128))],
        "the longest ballot": [ballot(1, length=0), ballot(2, length=65_535)],
        "own weight, own length, both and a gap": [
            ballot(10),
            ballot(11, weight=2),
            ballot(12, length=5),
            ballot(13, weight=300, length=0),
            ballot(46, weight=300, length=200),
            ballot(47),
        ],
        "the earliest ballot last": [ballot(1, NOON + 9), ballot(2, NOON + 300), ballot(3, NOON)],
        "the whole of time": [ballot(1, LAST_TIME), ballot(2, 0)],
        "everything different": [
            ballot(100, NOON + 70_000, 7, 3),
            ballot(101, NOON, 1, 4),
            ballot(190, NOON + 1, MOST_WEIGHT, 128),
            ballot(191, NOON + 255, 7, 3),
            ballot(5000, NOON + 256, 128, 3),
        ],
    }
    for width, later in enumerate((0, 1, 256, 256**2, 256**3, 256**4)):
        named[f"times of width {width}"] = [ballot(1), ballot(2, NOON + later)]
        if width:
            named[f"the latest time of width {width}"] = [ballot(1), ballot(2, min(NOON + 256**width - 1, LAST_TIME))]
    return named


def refuse_base() -> list[Refused]:
    """Make batches that are wrong as a whole."""
    one, two = ballot(5), ballot(6, NOON + 1)
    signed = one.content + one.r + one.vs
    later = two.content + two.r + two.vs
    refused = [
        Refused(f"a width of {width}", base(5, width=width) + b"\0" + bytes(width) + signed, 0, None)
        for width in (6, 7, 32, 255)
    ]
    refused += [
        Refused(f"width {width}, all times equal", base(5, width=width) + b"\0" + bytes(width) + signed, 0, None)
        for width in range(1, 6)
    ]
    for width in range(2, 6):
        batch = (
            base(5, width=width) + b"\0" + bytes(width) + signed + b"\0" + big(256 ** (width - 1) - 1, width) + later
        )
        refused.append(Refused(f"width {width} for times of one byte less", batch, 0, None))
    early = base(5, NOON - 1, width=1) + b"\0\1" + signed + b"\0\2" + later
    refused.append(Refused("a second earlier than the earliest", early, 0, None))
    refused.append(Refused("a second earlier, one ballot", base(5, NOON - 1, width=1) + b"\0\1" + signed, 0, None))
    refused += [Refused(f"{size} bytes of the base", base(5)[:size], 0, size) for size in (1, 4, 9, 21, 23)]
    steps = {
        "a voter skipped before the first": number(4),
        "the first with a weight of its own": number(1) + number(2),
        "the first with a length of its own": number(2) + number(3),
        "the first with the base's weight again": number(1) + number(1),
        "the first step in two bytes": number(0, 2),
        "the first step of 15 bytes": b"\x80" * 14 + b"\0",
    }
    refused += [Refused(name, base(5) + step + signed, 24, None) for name, step in steps.items()]
    refused.append(Refused("the first step is all there is", base(5) + b"\4", 24, None))
    return refused


def refuse_ballots() -> list[Refused]:
    """Make batches whose second ballot is wrong."""
    start = pack([ballot(5)])
    content, signature = bytes(4), bytes(range(64))
    at = len(start)
    wrong = {
        "a step with a needless byte": number(4, 2) + content,
        "a step of nothing in two bytes": number(0, 2) + content,
        "a step of fourteen bytes, the last one needless": number(4, 14) + content,
        "a step of fifteen bytes": number(4 * 2**96, 15) + content,
        "the base's weight again": number(1) + number(1) + content,
        "the base's length again": number(2) + number(4) + content,
        "both of the base again": number(3) + number(1) + number(4) + content,
        "the base's weight, another length": number(3) + number(1) + number(3) + bytes(3),
        "another weight, the base's length": number(3) + number(2) + number(4) + content,
        "a weight with a needless byte": number(1) + number(2, 2) + content,
        "a weight of zero in two bytes": number(1) + number(0, 2) + content,
        "the base's weight with a needless byte": number(1) + number(1, 2) + content,
        "a weight of 97 bits": number(1) + number(2**96) + content,
        "a weight of 98 bits": number(1) + number(2**98 - 1) + content,
        "a weight of fifteen bytes": number(1) + number(2**98) + content,
        "a length with a needless byte": number(2) + number(3, 2) + bytes(3),
        "a length of zero in two bytes": number(2) + number(0, 2),
        "a length of fifteen bytes": number(2) + number(2**98) + content,
    }
    refused = [Refused(name, start + body + signature, at, None) for name, body in wrong.items()]
    # The number is wrong before the batch ends too early.
    refused.append(Refused("a step with a needless byte and no more", start + number(4, 2), at, None))
    refused.append(Refused("fourteen bytes of a longer step and no more", start + b"\xff" * 14, at, None))

    timed = [ballot(5, NOON), ballot(9, NOON + 300, 300, 200)]
    second = pack(timed)[len(pack(timed[:1])) + 2 :]
    start = pack(timed)[: -len(second)]
    at = len(start)
    ends = {
        "one byte of a step": 1,
        "half a time": 2,
        "no weight": 3,
        "half a weight": 4,
        "no length": 5,
        "half a length": 6,
        "no ballot's bytes": 7,
        "all but one of a ballot's bytes": 206,
        "a ballot's bytes alone": 207,
        "half of r": 223,
        "r alone": 239,
        "all but one byte of vs": 270,
    }
    refused += [Refused(f"{name} of the second", start + second[:end], at, at + end) for name, end in ends.items()]
    long_step = pack([ballot(5), ballot(5000)])
    only = len(pack([ballot(5)]))
    refused += [Refused(f"{end} bytes of a step of 3", long_step[: only + end], only, only + end) for end in (1, 2)]
    refused += [
        Refused("all but one byte of the first", pack([ballot(5)])[:-1], 24, only - 1),
        Refused("a step alone of the first", base(5) + b"\0", 24, 25),
        Refused("no time of the first", base(5, width=2) + b"\0", 24, 25),
    ]
    for name, more in {"a zero": b"\0", "a word of zeros": bytes(32), "a signature": bytes(64)}.items():
        refused.append(Refused(f"{name} behind the last signature", pack([ballot(5)]) + more, only, only + len(more)))
    unfounded = pack([ballot(5)]) + number(2) + number(2**98 - 1) + content + signature
    refused.append(Refused("a length of 98 bits", unfounded, only, len(unfounded)))
    # Both: what ends too early is not looked at any closer.
    doubly = pack([ballot(5)]) + number(1) + number(1) + content + signature[:-1]
    refused.append(Refused("the base's weight again, without the last byte", doubly, only, len(doubly)))
    return refused


def show(value: Ballot) -> dict[str, Any]:
    """Make a ballot ready for JSON."""
    return {
        "voter": value.voter,
        "cast_at": value.cast_at,
        "weight": str(value.weight),
        "ballot": "0x" + value.content.hex(),
        "r": "0x" + value.r.hex(),
        "vs": "0x" + value.vs.hex(),
    }


def main() -> None:
    """Write the file."""
    document = {
        "description": "Signed ballots in packed calldata; and bytes that are no batch, with the offset of the base or "
        "ballot that is wrong, and their length if that is that they end too early.",
        "source": "tests/vectors/make_batches.py",
        "batches": [
            {"name": name, "records": list(map(show, ballots)), "packed": "0x" + pack(ballots).hex()}
            for name, ballots in make_batches().items()
        ],
        "refused": [
            {"name": each.name, "batch": "0x" + each.batch.hex(), "offset": each.offset, "length": each.length}
            for each in refuse_base() + refuse_ballots()
        ],
    }
    Path(__file__).with_name("batches.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
