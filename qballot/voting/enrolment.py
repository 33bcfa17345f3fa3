"""Who a voter is in an election's census, with the proof that the box asks for."""

from __future__ import annotations

from dataclasses import dataclass

from qballot.core.address import checksum_address
from qballot.core.census import Census, CensusEntry
from qballot.core.census_proof import VoterProof, check_census, check_voter_proof
from qballot.core.types import Address, Hash32
from qballot.election import ChainElection
from qballot.errors import InputError, NotInCensusError, ProofError


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A voter's entry in the census and its proof, from the leaf up. It was checked against the box's sheet roots."""

    entry: CensusEntry
    proof: tuple[Hash32, ...]


def validate_census(election: ChainElection, census: Census) -> None:
    """Raise ProofError when the census is not the one whose roots the election's box holds."""
    try:
        check_census(census, election.arguments)
    except ProofError as error:
        raise ProofError(
            f"the census is not that of the election at {checksum_address(election.box)}: {error}. Take the file that "
            "its organizer published for this box"
        ) from error


def enrol_by_census(election: ChainElection, census: Census, account: Address) -> Enrolment:
    """Find an account in the election's census.

    Raises ProofError when it is another election's census, NotInCensusError when the account is not in it.
    """
    validate_census(election, census)
    entry = census.find(account)
    if entry is None:
        raise NotInCensusError(checksum_address(account))
    return Enrolment(entry, tuple(census.prove(entry.index)))


def enrol_by_proof(election: ChainElection, proof: VoterProof, account: Address) -> Enrolment:
    """Take an account's own proof, checked against the root of its sheet in the election's box.

    Raises InputError when it is another account's, ProofError when the box does not admit the voter by it.
    """
    if proof.entry.address != account:
        raise InputError(
            f"the proof is that of {checksum_address(proof.entry.address)}, expected one of "
            f"{checksum_address(account)}: take that account's own proof, or choose the other account with --account"
        )
    try:
        check_voter_proof(proof, election.arguments)
    except ProofError as error:
        raise ProofError(
            f"the proof is not for the election at {checksum_address(election.box)}: {error}. Ask the organizer for "
            "the one for this box"
        ) from error
    return Enrolment(proof.entry, proof.proof)
