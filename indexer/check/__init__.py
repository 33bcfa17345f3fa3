"""Recomputing an index from its own rows: is every chain of hashes, count and group what the kept records give?

`walk.py` goes through one election's rows; `tally.py` counts turnout and groups anew; `reread.py` asks an endpoint for
the log of a batch that does not hold, which names the very record and field; `rules.py` recomputes an election's
address from its rules; `chain.py` compares places and numbers with an endpoint's chain; `faults.py` says what can be
wrong; `service.py` checks all of it.
"""

from indexer.check.faults import Fault
from indexer.check.service import ElectionReport, IndexReport, check_index

__all__ = ["ElectionReport", "Fault", "IndexReport", "check_index"]
