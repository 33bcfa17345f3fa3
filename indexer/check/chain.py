"""The index against the chain, as one endpoint has it: its place, how many elections there are, where logs stand.

    cursor ── the block's own hash ──▶ the same chain ──▶ factory's nonce ──▶ as many elections
                                                     └──▶ boxes' logs ─────▶ block, place and transaction of each batch

Where the endpoint does not have the index's block, or leaves something out, that is no fault of the index: NotChecked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from indexer.check.faults import Fault
from indexer.storage.audit import Audit
from indexer.storage.model import Batch, Block, ChainCursor, Election, Source
from qballot.chain.answers import Log
from qballot.chain.contracts import BALLOT_BOX_CREATED, BALLOTS_CAST, read_address_topic
from qballot.chain.creation import scan_logs
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.provenance import FIRST_BOX_NONCE, box_address, compute_implementation_address, parse_clone_code
from qballot.core.types import Address, Hash32
from qballot.errors import DecodeError

NAMED = 3
"""How many missing elections are named."""


class NotChecked(Exception):
    """An endpoint does not tell; the message says why."""


def find_wrong_cursor(rpc: Rpc, kept: Audit, at: Block) -> str | None:
    """Compare the last indexed block with the endpoint's of that height. Returns in words what is wrong.

    Raises NotChecked where the endpoint lags behind the index, or has another chain since a block that is not final;
    EndpointError.
    """
    header, final = rpc.find_blocks([at.number, "finalized"])
    if header is None:
        raise NotChecked(f"{rpc.endpoint} does not have block {at.number}, the last indexed one: it lags behind")
    if header.hash == at.hash:
        if header.timestamp == at.timestamp:
            return None
        return f"the last indexed block is of {at.timestamp}, expected {header.timestamp}, as {rpc.endpoint} has it"
    found = f"{rpc.endpoint} has 0x{header.hash.hex()} as block {at.number}, and the index 0x{at.hash.hex()}"
    known = kept.load_finalized()
    if final is not None and at.number <= final.number:
        return f"{found}; the endpoint calls its own final"
    if known is not None and rpc.block(known.number).hash != known.hash:
        return f"{found}, and another block {known.number} too, which the index has as final"
    raise NotChecked(
        f"{found}: the chain was reorganised, which the index has not followed yet; check again in a while"
    )


def find_wrong_count(
    rpc: Rpc, cursor: ChainCursor, at: Block, boxes: Sequence[Address], *, from_block: int
) -> str | None:
    """Compare how many boxes the factory had created by a block with those kept. Returns in words what is wrong.

    from_block: where reading began; what the factory created before is not missed. Raises NotChecked, EndpointError.
    """
    created = max(_fetch_nonce(rpc, cursor.factory, at), FIRST_BOX_NONCE) - FIRST_BOX_NONCE
    if created == len(boxes):
        return None
    if created < len(boxes):
        return f"the factory had created {created} elections by block {at.number}, found {len(boxes)}"
    announced: dict[Address, int] = {}
    for logs in scan_logs(rpc, from_block, at.number, [cursor.factory], [BALLOT_BOX_CREATED]):
        announced |= {read_address_topic(log.topics[1]): log.block_number for log in logs}
    missing = [f"{checksum_address(box)} of block {block}" for box, block in announced.items() if box not in set(boxes)]
    if missing:
        named = ", ".join(missing[:NAMED]) + (", …" if len(missing) > NAMED else "")
        return f"{len(missing)} elections that the factory has created are missing: {named}"
    if from_block:
        return None
    raise NotChecked(
        f"{rpc.endpoint} counts {created} elections of the factory, of which its logs tell {len(announced)}: it leaves "
        "some out"
    )


def find_wrong_source(
    rpc: Rpc, election: Election, factory: Address, batches: Iterator[Batch], *, last_block: int
) -> Fault | None:
    """Compare block, place and transaction of an election's creation and of its batches with those of their logs.

    batches: in their order, as many and with the contents that the chain has, so that their places alone are compared.
    last_block: the last one's. Raises NotChecked where the endpoint leaves logs out, EndpointError.
    """
    source = election.source
    topics = [BALLOT_BOX_CREATED, Hash32(bytes(12) + election.box)]
    created = rpc.logs(source.block_number, source.block_number, [factory], topics)
    fault = _compare(rpc, "its creation", source, created[0] if created else None)
    if fault is not None or not election.batches:
        return fault
    ranges = scan_logs(rpc, source.block_number, last_block, [election.box], [BALLOTS_CAST])
    logs = (log for part in ranges for log in part)
    for batch in batches:
        fault = _compare(rpc, f"batch {batch.sequence}", batch.source, next(logs, None), batch=batch.sequence)
        if fault is not None:
            return fault
    return None


def find_wrong_reason(rpc: Rpc, election: Election, factory: Address, at: Block) -> Fault | None:
    """Find out whether an election without the roots of its census, kept as invalid, is a box of the factory's own."""
    code = rpc.code(election.box, at.number)
    try:
        implementation, arguments = parse_clone_code(code)
    except DecodeError:
        return None
    own = compute_implementation_address(factory)
    if implementation != own or box_address(factory, own, election.salt, arguments) != election.box:
        return None
    return Fault("validity", f"is kept as invalid ({election.invalid_reason!r}), and its box is the factory's own")


def _compare(rpc: Rpc, what: str, kept: Source, log: Log | None, *, batch: int | None = None) -> Fault | None:
    """Compare where something is kept to be from with its log. log: None where the endpoint gives none."""
    if log is None:
        header = rpc.block(kept.block_number)
        if header.hash == kept.block_hash:
            raise NotChecked(f"{rpc.endpoint} has no log of {what} in block {kept.block_number}: it leaves some out")
        found = f"block {kept.block_number}, 0x{kept.block_hash.hex()}"
        return Fault("source", f"{what} is kept as of {found}, expected 0x{header.hash.hex()}", batch=batch)
    for name in ("block_number", "block_hash", "log_index", "transaction_hash"):
        found, expected = getattr(kept, name), getattr(log, name)
        if found != expected:
            shown = [f"0x{value.hex()}" if isinstance(value, bytes) else str(value) for value in (found, expected)]
            message = f"the {name.replace('_', ' ')} of {what} is {shown[0]}, expected {shown[1]} as in its log"
            return Fault("source", message, batch=batch)
    return None


def _fetch_nonce(rpc: Rpc, factory: Address, at: Block) -> int:
    answer = rpc.call("eth_getTransactionCount", ["0x" + factory.hex(), hex(at.number)])
    try:
        return int(answer, 16)
    except (TypeError, ValueError):
        raise NotChecked(f"{rpc.endpoint} has no nonce of the factory at block {at.number}: {answer!r:.80}") from None
