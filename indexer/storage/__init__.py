"""The index in a database: the only place that knows SQL.

Start with `model.py` (what is kept, as plain dataclasses), then `repository.py` (what can be asked) and `writer.py`
(what can be written). Everything here can be deleted and read again from the chain, but for the ledger (`ledger.py`),
which is kept apart, and what reorganisations took away (`rewind.py`), of which the chain knows nothing any more.
"""
