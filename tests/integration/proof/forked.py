"""The true chain, told as if it went through forks: each block's header has the fields of the fork that it is of.

    anvil's block ── fields taken away or added ── sealed again: parentHash, hash ── the same hash in logs, receipts, …

State, logs and receipts stay anvil's, so that everything follows from the new block hashes as it does on a real chain.
"""

from __future__ import annotations

from collections.abc import Mapping

from lying_chain import World
from story import Json, Story

from qballot.core.forks import FIELDS, FORKS, Field, Fork
from qballot.core.keccak import keccak

LATER = Field("laterRoot")
"""A field that no fork has which we know."""


def tell_forks(world: World, since: Mapping[int, Fork], later_since: int | None = None) -> Story:
    """Tell a world's chain with forks. since: a fork by its first block, from 0 on. later_since: first with `LATER`."""
    fields: dict[int, Json] = {}
    for number, header in world.headers.items():
        fork = since[max(start for start in since if start <= number)]
        fields[number] = _shape(header, number, fork)
        if later_since is not None and number >= later_since:
            fields[number][LATER.name] = make_value(LATER, number)
    return Story(world, world.logs, rehashed=True, fields=fields, later_fields=(LATER,))


def _shape(header: Json, number: int, fork: Fork) -> Json:
    """Say what a header has otherwise than anvil's to be one of a fork."""
    own = {field.name for each in FORKS[: FORKS.index(fork) + 1] for field in each.added_fields}
    lacking = {field.name: make_value(field, number) for field in FIELDS if header.get(field.name) is None}
    return {
        **{name: value for name, value in lacking.items() if name in own},
        **{field.name: None for field in FIELDS if field.name not in own},
    }


def make_value(field: Field, number: int) -> str:
    """Make up a field's value, another in each block."""
    if field.bits:
        return hex(number + 1)
    return "0x" + keccak(f"{field.name} of {number}".encode())[: field.size].hex()
