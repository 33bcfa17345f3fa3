"""Bringing into the ledger what people hold and the chain does not. Today: an election's census."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from sqlalchemy import Engine

from indexer.storage.ledger import Ledger
from indexer.storage.repository import Repository
from qballot.core.address import checksum_address
from qballot.core.census_file import load_census
from qballot.core.census_proof import check_census
from qballot.core.census_recipe import write_recipe
from qballot.core.keccak import keccak
from qballot.core.types import Address, Hash32
from qballot.errors import InputError


@dataclass(frozen=True, slots=True)
class Import:
    """What was imported. new: whether the ledger did not have this census yet."""

    box: Address
    census_hash: Hash32
    voters: int
    sheets: int
    new: bool


def import_census(engine: Engine, box: Address, data: bytes) -> Import:
    """Keep an election's census, once every sheet root has been compared with the box's.

    data: a census file. The box's roots are those of the index, which are bound to the box's address. Raises InputError
    for no census file or an election that is not in the index, ProofError when it is not the box's census.
    """
    census = load_census(data)
    with Repository(engine).snapshot() as snapshot:
        election = snapshot.load_election(box)
    if election is None:
        raise InputError(
            f"the index holds no election at {checksum_address(box)}: check the address, or run `qballot index` first"
        )
    check_census(census, election.arguments)
    recipe = None if census.recipe is None else msgspec.json.encode(write_recipe(census.recipe))
    census_hash = keccak(data)
    new = Ledger(engine).save_census(box, census, census_hash, recipe)
    return Import(box, census_hash, len(census), census.sheet_count, new)
