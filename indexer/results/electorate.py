"""A voter's proof out of an imported census, made when it is asked for."""

from __future__ import annotations

from enum import Enum

from indexer.storage.ledger import KeptCensus, Ledger
from indexer.storage.model import Election
from indexer.storage.repository import Repository
from qballot.core.census import CensusEntry, hash_leaf
from qballot.core.census_proof import VoterProof, check_voter_proof
from qballot.core.merkle import build_proof, build_tree
from qballot.core.types import Address
from qballot.errors import InputError, ProofError, StorageError


class Missing(Enum):
    """Why there is no proof."""

    ELECTION = "this index holds no election at this address"
    CENSUS = "the census of this election was not imported here"
    VOTER = "the census of this election has no voter with this address"


class Electorates:
    """Who may vote in the elections of one database."""

    def __init__(self, repository: Repository, ledger: Ledger) -> None:
        self._repository = repository
        self._ledger = ledger

    def find_proof(self, box: Address, address: Address) -> VoterProof | Missing:
        """Find a voter's proof, checked against the box's own roots. Raises StorageError."""
        with self._repository.snapshot() as snapshot:
            election = snapshot.load_election(box)
        if election is None:
            return Missing.ELECTION
        census = self._ledger.load_census(box)
        if census is None:
            return Missing.CENSUS
        entry = self._ledger.load_voter(census, address)
        return Missing.VOTER if entry is None else self._prove(election, census, entry)

    def _prove(self, election: Election, census: KeptCensus, entry: CensusEntry) -> VoterProof:
        sheet, place = divmod(entry.index, 1 << census.sheet_bits)
        entries = self._ledger.load_sheet(census, sheet)
        try:
            nodes = build_tree([hash_leaf(item.index, item.address, item.weight) for item in entries])
            proof = VoterProof(entry, census.voters, census.sheet_bits, nodes[0], tuple(build_proof(nodes, place)))
            check_voter_proof(proof, election.arguments)
        except (InputError, ProofError) as error:
            raise StorageError(f"the ledger's census is not this election's: {error}") from error
        return proof
