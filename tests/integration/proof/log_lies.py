"""Lies about logs: each changes what a story tells of them, by chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from story import CANCELLED, CAST, Story, number_of, read_batch, with_batch

from qballot.chain.artifacts import default_factory
from qballot.core.keccak import keccak
from qballot.core.records import pack_records, unpack_records

FACTORY = "0x" + default_factory().hex()


def _casts(story: Story) -> list[int]:
    return [place for place, log in enumerate(story.logs) if log["topics"][0] == CAST]


def drop_log(chance: random.Random, story: Story) -> None:
    del story.logs[chance.choice(_casts(story))]


def drop_many(chance: random.Random, story: Story) -> None:
    casts = set(_casts(story))
    share = chance.random()
    story.logs[:] = [log for place, log in enumerate(story.logs) if place not in casts or chance.random() > share]


def drop_block(chance: random.Random, story: Story) -> None:
    number = number_of(story.logs[chance.choice(_casts(story))])
    story.logs[:] = [log for log in story.logs if number_of(log) != number]


def drop_tail(chance: random.Random, story: Story) -> None:
    number = number_of(story.logs[chance.choice(_casts(story))])
    story.logs[:] = [log for log in story.logs if number_of(log) <= number]


def drop_cancellation(chance: random.Random, story: Story) -> None:
    story.logs[:] = [log for log in story.logs if log["topics"][0] != CANCELLED]


def alter_ballot(chance: random.Random, story: Story) -> None:
    """Change a record: its voter, weight, time or ballot."""
    place = chance.choice(_casts(story))
    records = unpack_records(read_batch(story.logs[place]))
    at = chance.randrange(len(records))
    record = records[at]
    changes: dict[str, Any] = chance.choice(
        [
            {"ballot": bytes(1 - byte if byte < 2 else 0 for byte in record.ballot)},
            {"voter": (record.voter + 1) % 10},
            {"weight": record.weight + chance.choice((1, 10**6))},
            {"cast_at": record.cast_at ^ 1},
        ]
    )
    records[at] = type(record)(
        **{name: getattr(record, name) for name in ("voter", "cast_at", "weight", "ballot")} | changes
    )
    story.logs[place] = with_batch(story.logs[place], pack_records(records))


def alter_bytes(chance: random.Random, story: Story) -> None:
    place = chance.choice(_casts(story))
    packed = bytearray(read_batch(story.logs[place]))
    packed[chance.randrange(len(packed))] ^= 1 << chance.randrange(8)
    story.logs[place] = with_batch(story.logs[place], bytes(packed))


def forge_batch(chance: random.Random, story: Story) -> None:
    """Add a batch of other ballots to a block."""
    log = dict(story.logs[chance.choice(_casts(story))])
    records = unpack_records(read_batch(log))
    others = [
        type(record)(voter=(record.voter + 3) % 10, cast_at=record.cast_at, weight=record.weight, ballot=b"\0\1\0")
        for record in records
    ]
    story.logs.append({**with_batch(log, pack_records(others)), "logIndex": hex(chance.randrange(20, 40))})


def repeat_log(chance: random.Random, story: Story) -> None:
    log = story.logs[chance.choice(_casts(story))]
    story.logs.append({**log, "logIndex": hex(int(log["logIndex"], 16) + chance.randrange(20, 40))})


def repeat_log_exactly(chance: random.Random, story: Story) -> None:
    story.logs.append(dict(story.logs[chance.choice(_casts(story))]))


def move_log(chance: random.Random, story: Story) -> None:
    """Tell a batch of another block, which has that block's hash."""
    place = chance.choice(_casts(story))
    number = chance.randrange(story.world.first + 1, story.world.latest + 1)
    moved = {"blockNumber": hex(number), "blockHash": story.world.headers[number]["hash"]}
    story.logs[place] = {**story.logs[place], **moved, "logIndex": hex(chance.randrange(40))}


def swap_logs(chance: random.Random, story: Story) -> None:
    """Let two batches of one box change places."""
    box = story.logs[chance.choice(_casts(story))]["address"]
    own = [place for place in _casts(story) if story.logs[place]["address"] == box]
    one, other = chance.choice(own), chance.choice(own)
    logs = story.logs
    logs[one], logs[other] = {**logs[one], "data": logs[other]["data"]}, {**logs[other], "data": logs[one]["data"]}


def swap_boxes(chance: random.Random, story: Story) -> None:
    """Tell a batch of another box."""
    place = chance.choice(_casts(story))
    box = "0x" + chance.choice(story.world.boxes).hex()
    story.logs[place] = {**story.logs[place], "address": box}


def forge_cancellation(chance: random.Random, story: Story) -> None:
    """Tell of an election that it was cancelled: before its first ballot, with or without what came after."""
    log = story.logs[chance.choice(_casts(story))]
    first = next(place for place, other in enumerate(story.logs) if other["address"] == log["address"])
    forged = {**story.logs[first], "topics": [CANCELLED], "data": "0x"}
    if chance.random() < 0.5:
        story.logs[:] = [other for other in story.logs if other["address"] != log["address"]]
    else:
        forged = {**forged, **{name: log[name] for name in ("blockNumber", "blockHash")}, "logIndex": hex(30)}
    story.logs.append(forged)


def vote_in_the_cancelled(chance: random.Random, story: Story) -> None:
    """Tell of ballots in the cancelled election, before its cancellation."""
    over = next(log for log in story.logs if log["topics"][0] == CANCELLED)
    batch = story.logs[chance.choice(_casts(story))]
    forged = {**batch, **{name: over[name] for name in ("address", "blockNumber", "blockHash", "transactionHash")}}
    over["logIndex"] = hex(60)
    story.logs.append({**forged, "logIndex": hex(chance.choice((1, 61)))})


def drop_creation(chance: random.Random, story: Story) -> None:
    """Hide an election altogether."""
    box = "0x" + chance.choice(story.world.boxes).hex()
    story.logs[:] = [log for log in story.logs if log["address"] != box and box[2:] not in "".join(log["topics"])]


def forge_definition(chance: random.Random, story: Story) -> None:
    """Change what the factory announced of an election."""
    place = chance.choice([place for place, log in enumerate(story.logs) if log["address"] == FACTORY])
    data = bytearray.fromhex(story.logs[place]["data"][2:])
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    story.logs[place] = {**story.logs[place], "data": "0x" + data.hex()}


def forge_transaction(chance: random.Random, story: Story) -> None:
    """Name another transaction, or another place in the block."""
    place = chance.choice(_casts(story))
    other = "0x" + keccak(b"another transaction").hex()
    story.logs[place] = {**story.logs[place], **chance.choice([{"transactionHash": other}, {"logIndex": "0x3f"}])}


EDITS: Sequence[Callable[[random.Random, Story], None]] = (
    drop_log,
    drop_log,
    drop_many,
    drop_block,
    drop_tail,
    drop_cancellation,
    alter_ballot,
    alter_ballot,
    alter_bytes,
    forge_batch,
    repeat_log,
    repeat_log_exactly,
    move_log,
    swap_logs,
    swap_boxes,
    forge_cancellation,
    vote_in_the_cancelled,
    drop_creation,
    forge_definition,
    forge_transaction,
)
