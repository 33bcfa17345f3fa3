"""What the index says about elections: phase, turnout, and the result with its state and level.

`verdict.py` says what a result is worth, `count.py` counts, `service.py` puts both into one answer.
"""

from indexer.results.service import Results, result_document

__all__ = ["Results", "result_document"]
