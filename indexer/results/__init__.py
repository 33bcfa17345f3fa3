"""What the index says about elections: phase, turnout, and the result with its state and level.

`verdict.py` says what a result is worth, `count.py` counts, `service.py` puts both into one answer. `evidence.py` and
`receipts.py` write the files by which others verify it, `electorate.py` proves that somebody may vote.
"""

from indexer.results.count import NotCountedError
from indexer.results.electorate import Electorates, Missing
from indexer.results.evidence import Absent, EvidenceName, EvidenceSource, Unproven
from indexer.results.evidence_files import EvidenceFiles
from indexer.results.not_ready import NotReadyError
from indexer.results.receipts import FoundBallot, NoReceiptError, NoSuchBallot, Receipts
from indexer.results.service import Results, result_document

__all__ = [
    "Absent",
    "Electorates",
    "EvidenceFiles",
    "EvidenceName",
    "EvidenceSource",
    "FoundBallot",
    "Missing",
    "NoReceiptError",
    "NoSuchBallot",
    "NotCountedError",
    "NotReadyError",
    "Receipts",
    "Results",
    "Unproven",
    "result_document",
]
