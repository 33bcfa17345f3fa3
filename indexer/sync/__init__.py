"""From the chain into the index: fetch a range of blocks, check, decode, fold, write.

`follower.py` is the loop; `fetch.py` reads a range; `creation.py` checks new boxes; `fold.py` turns logs into changes.
"""

from indexer.sync.follower import Follower
from indexer.sync.journal import configure_logging
from indexer.sync.stopping import stop_on_signals

__all__ = ["Follower", "configure_logging", "stop_on_signals"]
