"""From the chain into the index: fetch a range of blocks, check, decode, fold, write.

`follower.py` is the loop; `fetch.py` reads a range; `creation.py` checks new boxes; `fold.py` turns logs into changes;
`heads.py` asks the boxes for their heads; `background.py` runs the loop beside something else.
"""

from indexer.sync.background import follow_beside
from indexer.sync.follower import Follower

__all__ = ["Follower", "follow_beside"]
