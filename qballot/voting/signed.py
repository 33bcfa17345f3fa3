"""A ballot that its voter signs for someone else to bring."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qballot.cast import next_cast_at, sign_ballot
from qballot.chain.accounts import Signer
from qballot.chain.creation import BLOCK_RANGE
from qballot.chain.rpc import Rpc
from qballot.core.ballot_words import describe_ballot
from qballot.core.signed_ballot import SignedBallot
from qballot.core.signing import BallotForm, ballot_digest, recover_signer
from qballot.core.types import UnixSeconds
from qballot.election import ChainElection
from qballot.errors import ElectionClosedError, InputError, ProofError
from qballot.voting.direct import check_length, check_open
from qballot.voting.enrolment import Enrolment
from qballot.voting.history import CastRecord, fetch_history


def sign_for(
    rpc: Rpc,
    election: ChainElection,
    enrolment: Enrolment,
    signer: Signer,
    ballot: bytes,
    *,
    after: Iterable[SignedBallot] = (),
    block_range: int = BLOCK_RANGE,
) -> SignedBallot:
    """Sign a voter's ballot so that it counts before every earlier one of theirs.

    Its time is the latest block's, but later than every signed ballot of the voter in the chain and in `after`: those
    that were signed and perhaps not brought yet.
    Raises ElectionError (not open, closed, cancelled), InputError when the voter's own transaction outranks whatever
    they sign, or the ballot is too long, ProofError when the signature is not the account's, ChainError.
    """
    latest = check_open(rpc, election)
    check_length(election, ballot)
    voter = enrolment.entry.index
    history = fetch_history(rpc, election, lambda record: record.voter == voter, block_range=block_range)
    _refuse_after_direct(history.records)
    cast_at = next_cast_at(latest.timestamp, _find_last(election, voter, history.records, after))
    if cast_at >= election.arguments.closes_at:
        rules = election.arguments
        raise ElectionClosedError(opens_at=rules.opens_at, closes_at=rules.closes_at, now=cast_at)
    form = BallotForm.of(election.arguments.text_ballots)
    signed = sign_ballot(
        signer, enrolment.entry, ballot, chain_id=election.chain_id, box=election.box, cast_at=cast_at, form=form
    )
    digest = ballot_digest(election.chain_id, election.box, voter, cast_at, ballot, form=form)
    if recover_signer(digest, signed.r + signed.vs) != signer.address:
        raise ProofError("the account gave a signature that is not its own over this ballot: nothing was written")
    words = tuple(describe_ballot(election.definition, ballot).lines)
    return SignedBallot(election.chain_id, election.box, signer.address, signed, words, enrolment.proof, form)


def _refuse_after_direct(records: Sequence[CastRecord]) -> None:
    for cast in records:
        if cast.record.is_direct:
            raise InputError(
                f"you voted by your own transaction in block {cast.block_number}, which outranks every signed ballot: "
                "vote again by `qballot vote`"
            )


def _find_last(
    election: ChainElection, voter: int, records: Sequence[CastRecord], after: Iterable[SignedBallot]
) -> UnixSeconds | None:
    """Find the greatest time of the voter's signed ballots, in the chain and at hand."""
    at_hand = [
        ballot.signed.record.cast_at
        for ballot in after
        if (ballot.chain_id, ballot.box, ballot.signed.record.voter) == (election.chain_id, election.box, voter)
    ]
    times = [cast.record.cast_at for cast in records] + at_hand
    return UnixSeconds(max(times)) if times else None
