"""The evidence of an election, built from what one endpoint gives and from nothing else.

    the factory's log ──▶ salt, definition          the box's code ──▶ times, electorate's roots
    the box's logs ─────▶ batches                   header, eth_getProof ──▶ the head at that block

Whatever the endpoint leaves out, adds or forges shows when the evidence is verified, which is done before it is given
out; all but the block's hash itself, which is for others to name (`witnesses.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from qballot.census.progress import Report, say_nothing
from qballot.chain.contracts import BALLOTS_CAST, BallotBoxCreated, decode_ballots_cast
from qballot.chain.creation import BLOCK_RANGE, check_provenance, find_creation, scan_logs
from qballot.chain.networks import describe_chain
from qballot.chain.pins import default_pins
from qballot.chain.proofs import fetch_head_proof, fetch_header
from qballot.chain.rpc import BlockId, Rpc
from qballot.core.address import checksum_address
from qballot.core.census import Census
from qballot.core.census_proof import check_census
from qballot.core.definition import refuse_unknown_definition
from qballot.core.proof import (
    BoxOrigin,
    Evidence,
    EvidenceCheck,
    Header,
    Pins,
    ProvenHead,
    Verification,
    Voters,
    encode_header,
)
from qballot.core.proof.verify import Verifier
from qballot.core.provenance import BoxArguments, parse_clone_code
from qballot.core.types import Address, BlockNumber, Hash32
from qballot.errors import DecodeError, InputError, ProofError
from qballot.evidence.lot import collect_lot, needs_lot


@dataclass(frozen=True, slots=True)
class Collected:
    """Evidence, and what came of verifying it against the hash of its own header.

    proven: the box's head at the evidence's block. lot_left_out: why the headers that a tied count waits for are not in
    it; empty where none are needed, or they are.
    """

    evidence: Evidence
    verification: Verification
    proven: ProvenHead
    lot_left_out: str = ""


def collect_evidence(
    rpc: Rpc,
    box: Address,
    *,
    block: BlockId = "latest",
    census: Census | None = None,
    census_hash: Hash32 | None = None,
    pins: Pins | None = None,
    from_block: int = 0,
    block_range: int = BLOCK_RANGE,
    report: Report = say_nothing,
) -> Collected:
    """Build the evidence of an election at a block, and verify it.

    block: nodes give proofs of about the last 128 blocks, and the head does not change after the close. census: the
    electorate, to be put in. census_hash: keccak256 of the census file, to be named instead of putting its voters in.
    pins: by default this version's. from_block: at or before the box's creation. block_range: see `scan_logs`.
    Raises InputError when no ballot box stands at the address, ProofError when the factory did not make it, when the
    census is another or when what the endpoint gives does not hold together, ChainError when it does not give it, and
    UnknownVersionError when the definition is of a later version.
    """
    pins = pins or default_pins()
    chain_id = rpc.chain_id()
    header = fetch_header(rpc, block)
    code = _fetch_code(rpc, box, header)
    created, created_in, arguments = _find_origin(rpc, box, code, header, pins, from_block, block_range)
    refuse_unknown_definition(created.definition)
    if census is not None:
        check_census(census, arguments)
    proof = fetch_head_proof(rpc, box, pins.implementation, header.number)
    evidence = Evidence(
        origin=BoxOrigin(chain_id, pins.factory, box, created.salt, code),
        definition=created.definition,
        header=encode_header(header),
        proof=proof,
        batches=_read_batches(rpc, box, created_in, header.number, block_range, report),
        voters=None if census is None or census_hash is not None else Voters.of(census),
        census_hash=census_hash,
    )
    collected = _verify(rpc, evidence, pins, report)
    if not needs_lot(collected.verification):
        return collected
    lot = collect_lot(rpc, header, created_in, arguments.closes_at, report)
    if isinstance(lot, str):
        return replace(collected, lot_left_out=lot)
    return _verify(rpc, replace(evidence, lot=lot), pins, report)


def _fetch_code(rpc: Rpc, box: Address, header: Header) -> bytes:
    code = rpc.code(box, header.number)
    shown = checksum_address(box)
    if not code:
        raise InputError(
            f"no contract stands at {shown} at block {header.number} of chain {describe_chain(rpc.chain_id())}: check "
            "the address, the block, and the chain (QBALLOT_RPC_URL, --network)"
        )
    try:
        parse_clone_code(code)
    except DecodeError as error:
        raise InputError(f"the contract at {shown} is no ballot box: check the address ({error})") from error
    return code


def _find_origin(  # noqa: PLR0917 # what it is looked for by
    rpc: Rpc, box: Address, code: bytes, header: Header, pins: Pins, from_block: int, block_range: int
) -> tuple[BallotBoxCreated, BlockNumber, BoxArguments]:
    found = find_creation(
        rpc, pins.factory, box, from_block=from_block, to_block=header.number, block_range=block_range
    )
    if found is None:
        since = f" since block {from_block}" if from_block else ""
        raise ProofError(
            f"{rpc.endpoint}: the factory {checksum_address(pins.factory)} has announced no ballot box at "
            f"{checksum_address(box)}{since}: it may be a look-alike; check the address with the organizer, and "
            "QBALLOT_FACTORY and QBALLOT_FROM_BLOCK if you set them"
        )
    created, created_in = found
    arguments = check_provenance(created, code, factory=pins.factory, implementation=pins.implementation)
    return created, created_in, arguments


def _read_batches(  # noqa: PLR0917 # what they are looked for by
    rpc: Rpc, box: Address, start: int, end: int, block_range: int, report: Report
) -> list[bytes]:
    batches: list[bytes] = []
    blocks = end - start + 1
    for logs in scan_logs(rpc, start, end, [box], [BALLOTS_CAST], block_range=block_range):
        batches += map(decode_ballots_cast, logs)
        if logs:
            report("reading ballots", logs[-1].block_number - start + 1, blocks)
    report("reading ballots", blocks, blocks)
    return batches


def _verify(rpc: Rpc, evidence: Evidence, pins: Pins, report: Report) -> Collected:
    verifier = Verifier(evidence, None, pins, chain_id=evidence.origin.chain_id)
    for step in verifier.run():
        report("verifying", step.check.number, len(EvidenceCheck))
    found = verifier.finish()
    # An invalid election is proven to be one.
    if found.proven is not None and found.state is not None:
        return Collected(evidence, found, found.proven)
    failure = found.failure
    said = "" if failure is None else f", see step {failure.check.number}, {failure.check.id}: {failure.text}"
    raise ProofError(
        f"{rpc.endpoint}: what it gave does not hold together{said}. It left something out, forged it, or the chain "
        "changed meanwhile: try again, or ask another endpoint"
    )
