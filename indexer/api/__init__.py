"""Read-only HTTP over one index: JSON for programs, plain pages for people.

`app.py` puts it together, `routes/` has the questions, `schemas.py` the answers, `server.py` runs it.
"""

from indexer.api.app import build_app, create_app
from indexer.api.server import listen, run_server

__all__ = ["build_app", "create_app", "listen", "run_server"]
