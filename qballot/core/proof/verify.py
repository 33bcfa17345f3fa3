"""Verifying evidence: from one block hash that somebody believes to the result, in sixteen numbered steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qballot.core.proof.evidence import Evidence
from qballot.core.proof.evidence_lines import MAX_EVIDENCE_BYTES
from qballot.core.proof.evidence_reader import read_evidence
from qballot.core.proof.evidence_steps import STEPS, Work
from qballot.core.proof.head import Pins
from qballot.core.proof.steps import EvidenceCheck, Outcome, StepReport, end_at_first, run_steps
from qballot.core.proof.verification import Verification
from qballot.core.types import Hash32
from qballot.errors import DecodeError, UnknownVersionError


def verify_evidence(
    evidence: Evidence, trusted_block_hash: Hash32, pins: Pins, *, chain_id: int | None = None
) -> Verification:
    """Verify evidence against the hash of the block that it is of. Never raises for bad evidence.

    trusted_block_hash: 32 bytes that the caller believes. chain_id: of the chain that this hash is of, for the evidence
    to claim the same; without it what the evidence claims is only repeated, since nothing in a block proves it.
    """
    return Verifier(evidence, trusted_block_hash, pins, chain_id=chain_id).finish()


def verify_evidence_file(
    chunks: Iterable[bytes],
    trusted_block_hash: Hash32 | None,
    pins: Pins,
    *,
    chain_id: int | None = None,
    most_bytes: int = MAX_EVIDENCE_BYTES,
) -> Verification:
    """Read an evidence file and verify it. Never raises for a bad one.

    chunks, most_bytes: as of `read_evidence`. trusted_block_hash, chain_id: as of `verify_evidence`; without a hash
    that of the evidence's own header is taken, which ties it to no chain: the verification says so.
    """
    try:
        evidence = read_evidence(chunks, most_bytes)
    except (DecodeError, UnknownVersionError) as error:
        is_own = trusted_block_hash is None
        return Verification(end_at_first(EvidenceCheck, error), trusted_block_hash, is_trust_own=is_own)
    return Verifier(evidence, trusted_block_hash, pins, chain_id=chain_id, is_file=True).finish()


class Verifier:
    """A verification that is run step by step, for whoever shows how far it is.

    trusted_block_hash: None for the hash of the evidence's own header. is_file: whether the evidence was read from a
    file, by `read_evidence`. The others as of `verify_evidence`.
    """

    def __init__(
        self,
        evidence: Evidence,
        trusted_block_hash: Hash32 | None,
        pins: Pins,
        *,
        chain_id: int | None = None,
        is_file: bool = False,
    ) -> None:
        self._is_trust_own = trusted_block_hash is None
        trusted = evidence.block_hash if trusted_block_hash is None else trusted_block_hash
        self._work = Work(evidence, trusted, pins, chain_id, is_file=is_file)
        self._steps = run_steps(STEPS, self._work)
        self._reports: list[StepReport] = []

    def run(self) -> Iterator[StepReport]:
        """Run the steps that are left, each as it is asked for."""
        for report in self._steps:
            self._reports.append(report)
            yield report

    def finish(self) -> Verification:
        """Run the steps that are left, and say what came of them all."""
        self._reports += self._steps
        work, found = self._work, vars(self._work)
        stopped = {report.check for report in self._reports if report.outcome in (Outcome.FAILS, Outcome.UNKNOWN)}
        # That the election is invalid can be proven like anything else. Any other failure leaves nothing to be said.
        is_sound = stopped <= work.invalid_by
        return Verification(
            steps=tuple(self._reports),
            trusted_block_hash=work.trusted,
            is_trust_own=self._is_trust_own,
            origin=work.evidence.origin,
            definition=found.get("definition"),
            proven=found.get("proven"),
            state=work.state if is_sound else None,
            batches=work.batches,
            records=len(work.ballots) if "ballots" in found else 0,
            voters_who_cast=work.voters_who_cast,
            lot=work.lot,
            result=found.get("result") if is_sound else None,
        )
