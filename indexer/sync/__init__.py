"""From the chain into the index: fetch ranges of blocks, check, decode, fold, write; follow where the chain turns.

`follower.py` is the loop and `catch_up.py` its way from one block to another: `ranges.py` says how many blocks to ask
for, `read_ahead.py` fetches them ahead, `asking.py` from one endpoint after another by `fetch.py`, which believes no
answer that `checks.py`, `blooms.py`, `states.py` and `evidence.py` do not bear out; `fold.py` turns events into
changes. `tip.py` looks how far the chain is, `reorg.py` where it forked. `proof_desk.py` has heads proved (`proofs.py`,
`lots.py`), puts right what contradicts them (`repair.py`), and asks who else names their blocks (`witnesses.py`).
`background.py` runs the loop beside something else; `observer.py` is who hears of it all.
"""

from indexer.sync.background import follow_beside
from indexer.sync.follower import Follower
from indexer.sync.observer import Observer

__all__ = ["Follower", "Observer", "follow_beside"]
