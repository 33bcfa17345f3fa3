"""All receipts of one block, which its header commits to: any log of the block can be shown from them."""

from __future__ import annotations

from dataclasses import dataclass, field

from qballot.chain.proofs import fetch_header
from qballot.chain.rpc import Rpc
from qballot.core.proof import (
    Header,
    Receipt,
    ReceiptFile,
    Trie,
    build_receipt_proof,
    build_receipts_trie,
    decode_receipt_answers,
    encode_header,
    hash_header,
)
from qballot.core.proof.json_values import read_fixed, read_list, read_object
from qballot.core.types import Address, BlockNumber, ChainId, Hash32
from qballot.errors import EndpointError, MissingBlockError, ProofError


@dataclass(frozen=True, slots=True)
class BlockReceipts:
    """A block's receipts, in the order of its transactions, known to be those that its header commits to.

    transactions: their hashes, which no receipt holds: the endpoint's word. endpoint: where all of it is from.
    """

    header: Header
    receipts: tuple[Receipt, ...] = field(repr=False)
    transactions: tuple[Hash32, ...] = field(repr=False)
    trie: Trie = field(repr=False)
    endpoint: str

    def make_receipt(self, chain_id: ChainId, box: Address, log_index: int, position: int) -> ReceiptFile:
        """Make the receipt of a ballot. log_index: of its batch's log in the block. position: in its batch, from 0.

        Raises EndpointError when the block has no such log.
        """
        transaction, in_receipt = self._find_log(log_index)
        return ReceiptFile(
            chain_id=chain_id,
            box=box,
            header=encode_header(self.header),
            transaction_index=transaction,
            nodes=tuple(build_receipt_proof(self.trie, transaction)),
            log_index=in_receipt,
            position=position,
        )

    def _find_log(self, log_index: int) -> tuple[int, int]:
        """Find a log by its index in the block. Returns its transaction's index, and its own in the receipt."""
        before = 0
        for transaction, receipt in enumerate(self.receipts):
            if log_index < before + len(receipt.logs):
                return transaction, log_index - before
            before += len(receipt.logs)
        raise EndpointError(
            self.endpoint, f"eth_getBlockReceipts: found {before} logs, expected one with the index {log_index}"
        )


def fetch_block_receipts(rpc: Rpc, number: BlockNumber, block_hash: Hash32 | None = None) -> BlockReceipts:
    """Fetch a block's header and its receipts, and check that these are the header's.

    block_hash: that the block must have. Raises MissingBlockError, and ProofError that names the endpoint where what it
    gives does not follow from the hash.
    """
    header = fetch_header(rpc, number)
    if block_hash is not None and (found := hash_header(header)) != block_hash:
        raise ProofError(f"{rpc.endpoint}: has block {number} as 0x{found.hex()}, expected 0x{block_hash.hex()}")
    return fetch_receipts_under(rpc, header)


def fetch_receipts_under(rpc: Rpc, header: Header) -> BlockReceipts:
    """Fetch the receipts that a block's header commits to. Errors: see `fetch_block_receipts`."""
    # By the height, which every node takes: the root says whether they are of this block.
    answer = rpc.call("eth_getBlockReceipts", [hex(header.number)])
    if answer is None:
        raise MissingBlockError(rpc.endpoint, f"eth_getBlockReceipts: block {header.number} is not known")
    try:
        receipts = decode_receipt_answers(answer)
        items = read_list(answer, "the receipts", len(receipts))
        transactions = [_read_transaction(item) for item in items]
        trie = build_receipts_trie(receipts)
    except ProofError as error:
        raise ProofError(f"{rpc.endpoint}: eth_getBlockReceipts: {error}") from error
    if trie.root != header.receipts_root:
        raise ProofError(
            f"{rpc.endpoint}: the receipts of block {header.number} have the root 0x{trie.root.hex()}, expected "
            f"0x{header.receipts_root.hex()}"
        )
    return BlockReceipts(header, tuple(receipts), tuple(transactions), trie, rpc.endpoint)


def _read_transaction(item: object) -> Hash32:
    return Hash32(read_fixed(read_object(item, "the receipt").get("transactionHash"), "transactionHash", 32))
