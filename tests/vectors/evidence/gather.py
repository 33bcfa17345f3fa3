"""Takes evidence and receipts out of a local chain, by plain JSON-RPC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qballot.chain.contracts import BALLOTS_CAST, decode_ballots_cast
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.proof import (
    BoxOrigin,
    Evidence,
    GetProofAnswer,
    HeadProof,
    ReceiptFile,
    Voters,
    build_receipt_proof,
    build_receipts_trie,
    decode_get_proof,
    decode_header_answer,
    decode_receipt_answers,
    encode_header,
)
from qballot.core.provenance import compute_implementation_address
from qballot.core.tally.lot import LOT_DELAY_SECONDS
from qballot.core.types import Address, ChainId, Hash32
from qballot.testing import ElectionOnDevnet

SLOT_0 = "0x" + "00" * 32


def fetch_header(rpc: Rpc, number: int) -> bytes:
    """A block's header, encoded."""
    return encode_header(decode_header_answer(rpc.call("eth_getBlockByNumber", [hex(number), False])))


def fetch_proof(rpc: Rpc, address: Address, slots: Sequence[str], number: int) -> GetProofAnswer:
    return decode_get_proof(rpc.call("eth_getProof", [checksum_address(address), list(slots), hex(number)]))


def gather(
    scene: ElectionOnDevnet, *, number: int | None = None, has_voters: bool = True, has_lot: bool = False
) -> Evidence:
    """All that there is about an election at a block. number: of the block, the latest by default."""
    deployment, rpc = scene.deployment, scene.devnet.rpc
    return gather_box(
        rpc,
        factory=deployment.factory,
        box=deployment.box,
        salt=deployment.salt,
        definition=scene.definition,
        number=number,
        voters=Voters.of(scene.census) if has_voters else None,
        closes_at=deployment.arguments.closes_at if has_lot else None,
    )


def gather_box(
    rpc: Rpc,
    *,
    factory: Address,
    box: Address,
    salt: Hash32,
    definition: bytes,
    number: int | None = None,
    voters: Voters | None = None,
    closes_at: int | None = None,
) -> Evidence:
    """closes_at: of the election, where the lot's headers are wanted."""
    at = rpc.block("latest").number if number is None else number
    logs = rpc.logs(0, at, [box], [BALLOTS_CAST])
    proof = HeadProof.of(
        fetch_proof(rpc, box, [SLOT_0], at),
        fetch_proof(rpc, compute_implementation_address(factory), [], at),
    )
    return Evidence(
        BoxOrigin(ChainId(rpc.chain_id()), factory, box, salt, rpc.code(box, at)),
        definition,
        fetch_header(rpc, at),
        proof,
        [decode_ballots_cast(log) for log in logs],
        voters,
        lot=() if closes_at is None else gather_lot(rpc, closes_at, at),
    )


def gather_lot(rpc: Rpc, closes_at: int, number: int) -> tuple[bytes, ...]:
    """The headers from the parent of the lot's block to that of block `number`."""
    drawn = number
    while rpc.block(drawn - 1).timestamp >= closes_at + LOT_DELAY_SECONDS:
        drawn -= 1
    return tuple(fetch_header(rpc, height) for height in range(drawn - 1, number))


def gather_receipt(rpc: Rpc, box: Address, transaction_hash: Hash32, position: int) -> ReceiptFile:
    """The receipt of one record of the batch that a transaction brought."""
    found: dict[str, Any] = rpc.call("eth_getTransactionReceipt", ["0x" + transaction_hash.hex()])
    receipts = decode_receipt_answers(rpc.call("eth_getBlockReceipts", [found["blockNumber"]]))
    index = int(found["transactionIndex"], 16)
    places = [place for place, log in enumerate(receipts[index].logs) if log.address == box]
    return ReceiptFile(
        ChainId(rpc.chain_id()),
        box,
        fetch_header(rpc, int(found["blockNumber"], 16)),
        index,
        tuple(build_receipt_proof(build_receipts_trie(receipts), index)),
        places[0],
        position,
    )
