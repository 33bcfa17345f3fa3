"""Verifying a ballot's receipt: from one block hash that somebody believes to the record, in five numbered steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from qballot.core.address import checksum_address
from qballot.core.canonical import JsonTree
from qballot.core.cast_log import decode_cast_log
from qballot.core.keccak import keccak
from qballot.core.moments import format_moment
from qballot.core.proof.head import check_header
from qballot.core.proof.header import Header
from qballot.core.proof.receipt import Receipt, verify_receipt
from qballot.core.proof.receipt_file import ReceiptFile, read_receipt_file
from qballot.core.proof.steps import (
    ReceiptCheck,
    Skipped,
    Step,
    StepReport,
    end_at_first,
    find_failure,
    find_unknown,
    run_steps,
)
from qballot.core.proof.verification import block_to_json, steps_to_json
from qballot.core.records import Record, unpack_columns
from qballot.core.types import Address, Hash32
from qballot.errors import DecodeError, ProofError, UnknownVersionError


@dataclass(frozen=True, slots=True)
class ReceiptVerification:
    """A ballot's receipt, verified as far as it went.

    steps: all five. trusted_block_hash: what was believed; None where the file could not be read that far.
    is_trust_own: whether that hash was taken from the receipt itself, so that nothing ties it to any chain.
    receipt: what was read. header, batch (packed records), record: None where no step got to them.
    """

    steps: tuple[StepReport, ...]
    trusted_block_hash: Hash32 | None
    is_trust_own: bool = False
    receipt: ReceiptFile | None = None
    header: Header | None = field(default=None, repr=False)
    batch: bytes | None = field(default=None, repr=False)
    record: Record | None = None

    @property
    def failure(self) -> StepReport | None:
        """The first step that failed."""
        return find_failure(self.steps)

    @property
    def holds(self) -> bool:
        """Whether no step failed, and none ended as unknown."""
        return self.failure is None and self.unknown is None

    @property
    def unknown(self) -> StepReport | None:
        """The step that met something that was made for a newer version of QBallot."""
        return find_unknown(self.steps)

    def to_json(self) -> dict[str, JsonTree]:
        """Write it as one JSON object; hashes and ballot as 0x-hex, addresses with their checksum."""
        trusted, receipt, header, record = self.trusted_block_hash, self.receipt, self.header, self.record
        return {
            "verified": self.holds,
            "trusted_block_hash": None if trusted is None else "0x" + trusted.hex(),
            "trusted_hash_is_of_the_receipt_itself": self.is_trust_own,
            "chain_id": None if receipt is None else receipt.chain_id,
            "box": None if receipt is None else checksum_address(receipt.box),
            "block": None if header is None or trusted is None else block_to_json(header, trusted),
            "position": None if receipt is None else receipt.position,
            "record": None if record is None else _record_to_json(record),
            "steps": steps_to_json(self.steps),
        }


def verify_receipt_file(
    receipt: bytes | ReceiptFile,
    trusted_block_hash: Hash32 | None,
    *,
    box: Address | None = None,
    chain_id: int | None = None,
) -> ReceiptVerification:
    """Verify a ballot's receipt, as a file's bytes or read already. Never raises for a bad one.

    trusted_block_hash: of the receipt's block, 32 bytes that the caller believes; None for that of its own header,
    which ties it to no chain: the verification says so. box: the election's, 20 bytes, which whoever holds a receipt
    should know from elsewhere; None for the one that it names. chain_id: of the chain that the hash is of, for the
    receipt to claim the same.
    """
    is_own = trusted_block_hash is None
    try:
        work = _Work(receipt, trusted_block_hash, box, chain_id)
    except (DecodeError, UnknownVersionError) as error:
        return ReceiptVerification(end_at_first(ReceiptCheck, error), trusted_block_hash, is_own)
    steps = tuple(run_steps(_STEPS, work))
    found = vars(work)
    # What a later step refused is not said either.
    is_sound = find_failure(steps) is None
    return ReceiptVerification(
        steps,
        work.trusted,
        is_own,
        work.file,
        found.get("header"),
        work.batch if is_sound else None,
        work.record if is_sound else None,
    )


class _Work:
    """What the steps are given, and what they have found so far."""

    # Each is there from the step on that finds it.
    header: Header
    receipt: Receipt
    batch: bytes
    record: Record

    def __init__(
        self, receipt: bytes | ReceiptFile, trusted: Hash32 | None, box: Address | None, chain_id: int | None
    ) -> None:
        self.is_file = not isinstance(receipt, ReceiptFile)
        self.file = receipt if isinstance(receipt, ReceiptFile) else read_receipt_file(receipt)
        self.trusted = keccak(self.file.header) if trusted is None else trusted
        self.box = box
        self.chain_id = chain_id


def _check_format(work: _Work) -> str | Skipped:
    return "whole, in its only form" if work.is_file else Skipped("the receipt was not read from a file")


def _check_header(work: _Work) -> str:
    claimed = work.file.chain_id
    if work.chain_id is not None and claimed != work.chain_id:
        raise ProofError(f"the receipt claims chain {claimed}, expected chain {work.chain_id}, that of the block hash")
    work.header = check_header(work.file.header, work.trusted)
    return (
        f"block {work.header.number}, 0x{work.trusted.hex()}, of {format_moment(work.header.timestamp)}; chain "
        f"{claimed} is claimed, and whoever named the hash answers for it"
    )


def _check_receipt(work: _Work) -> str:
    file = work.file
    work.receipt = verify_receipt(work.header.receipts_root, file.transaction_index, file.nodes)
    return f"transaction {file.transaction_index} of the block, {len(work.receipt.logs)} logs"


def _check_log(work: _Work) -> str:
    file, logs = work.file, work.receipt.logs
    if work.box is not None and file.box != work.box:
        raise ProofError(
            f"the receipt is of the box {checksum_address(file.box)}, expected {checksum_address(work.box)}"
        )
    if file.log_index >= len(logs):
        raise ProofError(f"found {len(logs)} logs, expected one with the index {file.log_index}")
    log = logs[file.log_index]
    if log.address != file.box:
        raise ProofError(
            f"log {file.log_index} is of {checksum_address(log.address)}, expected the box {checksum_address(file.box)}"
        )
    try:
        work.batch = decode_cast_log(log.topics, log.data)
    except DecodeError as error:
        raise ProofError(f"log {file.log_index} is no cast: {error}") from error
    return f"box {checksum_address(file.box)}, a batch of {len(work.batch)} bytes"


def _check_record(work: _Work) -> str:
    position = work.file.position
    columns = unpack_columns(work.batch)
    if position >= len(columns):
        raise ProofError(f"found {len(columns)} records in the batch, expected one at position {position}")
    work.record = columns.at(position)
    record = work.record
    how = "cast by the voter's own transaction" if record.is_direct else "signed"
    return (
        f"record {position}: voter {record.voter}, weight {record.weight}, {how} at "
        f"{format_moment(record.cast_at_unix)}, ballot 0x{record.ballot.hex()}"
    )


_STEPS: Final = (
    Step(ReceiptCheck.FORMAT, _check_format),
    Step(ReceiptCheck.HEADER, _check_header),
    Step(ReceiptCheck.RECEIPT, _check_receipt),
    Step(ReceiptCheck.LOG, _check_log),
    Step(ReceiptCheck.RECORD, _check_record),
)


def _record_to_json(record: Record) -> dict[str, JsonTree]:
    return {
        "voter": record.voter,
        "cast_at": record.cast_at_unix,
        "direct": record.is_direct,
        "weight": str(record.weight),
        "ballot": "0x" + record.ballot.hex(),
    }
