"""A ballot by the voter's own transaction, which outranks everything the voter ever signed."""

from __future__ import annotations

from qballot.cast import validate_open
from qballot.chain.answers import BlockHeader
from qballot.chain.contracts import BallotBoxContract, encode_cast
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import Call
from qballot.core.prices import NO_GROWTH
from qballot.election import ChainElection
from qballot.errors import InputError
from qballot.voting.enrolment import Enrolment


def plan_vote(rpc: Rpc, election: ChainElection, enrolment: Enrolment, ballot: bytes) -> Call:
    """Make the call that casts a ballot now; the voter's account is to send it.

    ballot: encoded. Raises ElectionError (not open, closed, cancelled), InputError (ballot too long), ChainError.
    """
    check_open(rpc, election)
    check_length(election, ballot)
    entry = enrolment.entry
    data = encode_cast(entry.index, entry.weight, ballot, enrolment.proof)
    return Call(election.box, data, growth=NO_GROWTH)


def check_open(rpc: Rpc, election: ChainElection) -> BlockHeader:
    """Return the latest block; raise ElectionError when the election takes no ballots by its clock."""
    latest = rpc.block("latest")
    head = BallotBoxContract(rpc, election.box).head(latest.number)
    validate_open(election.box, election.arguments, head, latest.timestamp)
    return latest


def check_length(election: ChainElection, ballot: bytes) -> None:
    """Raise InputError when the box does not take a ballot of this length."""
    most = election.arguments.max_ballot_bytes
    if len(ballot) > most:
        raise InputError(f"found a ballot of {len(ballot)} bytes, expected at most {most}, which the box takes")
