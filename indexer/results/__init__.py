"""What the index says about elections: phase, turnout, and the result with its state and level.

`verdict.py` says what a result is worth, `count.py` counts, `service.py` puts both into one answer. `electorate.py`
proves that somebody may vote.
"""

from indexer.results.count import NotCountedError
from indexer.results.electorate import Electorates, Missing
from indexer.results.service import Results, result_document

__all__ = ["Electorates", "Missing", "NotCountedError", "Results", "result_document"]
