"""Sending one transaction so that a run that is cut off can be gone on with.

quoted ──sign──▶ written down ──send──▶ in a block ──▶ written down again
                      │
                      └── cut off anywhere from here on: the next run finds the hash, asks the node, and waits
"""

from __future__ import annotations

from collections.abc import Callable

from qballot.chain.accounts import Signer
from qballot.chain.answers import Receipt
from qballot.chain.deployments import SentTransaction, describe_sent
from qballot.chain.rpc import Rpc
from qballot.chain.transactions import RECEIPT_SECONDS, Quote, poll_receipts, send_quoted
from qballot.core.types import Hash32

WriteDown = Callable[[SentTransaction], None]
"""Writes a transaction down that is signed and about to be sent."""


def send_written_down(rpc: Rpc, signer: Signer, quoted: Quote, write_down: WriteDown | None) -> Receipt:
    """Send a transaction as it was quoted, once it is written down, and wait for it. Errors as of `send_quoted`."""
    return send_quoted(
        rpc,
        [signer],
        [quoted],
        record=write_down
        and (lambda signed: [write_down(describe_sent(item.hash, item.sender, item.nonce)) for item in signed][-1]),
    )[0]


def wait_for_sent(rpc: Rpc, sent: SentTransaction | None) -> Receipt | None:
    """Wait for a transaction that an earlier run wrote down and may have sent.

    Returns None when there is none, when the node does not know it (it was never sent, or was dropped: it can be sent
    anew), and when it reverted. Raises ChainError, retryable, when it gets into no block in time.
    """
    if sent is None:
        return None
    key = Hash32(bytes.fromhex(sent.hash.removeprefix("0x")))
    if not rpc.knows_transaction(key):
        return None
    receipt = poll_receipts(rpc, [key], RECEIPT_SECONDS)[0]
    return receipt if receipt.succeeded else None
