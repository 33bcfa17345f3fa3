"""Evidence from an endpoint, and whose word a block's hash is.

`collect.py` builds the evidence of an election, `receipts.py` the receipt of one ballot, both from a node alone and
without any index. `witnesses.py` asks several endpoints for a block's hash, which is all that evidence cannot prove,
and `trust.py` says what that makes a verification worth.
"""

from __future__ import annotations

from qballot.evidence.collect import Collected, collect_evidence
from qballot.evidence.receipts import FoundReceipt, collect_receipt
from qballot.evidence.trust import Level, Source, Trust, establish_trust
from qballot.evidence.witnesses import BlockNames, Naming, name_block

__all__ = [
    "BlockNames",
    "Collected",
    "FoundReceipt",
    "Level",
    "Naming",
    "Source",
    "Trust",
    "collect_evidence",
    "collect_receipt",
    "establish_trust",
    "name_block",
]
