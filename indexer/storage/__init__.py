"""The index in a database: the only place that knows SQL.

Start with `model.py` (what is kept, as plain dataclasses), then `repository.py` (what can be asked and written).
Everything here can be deleted and read again from the chain, but for the ledger (`ledger.py`), which is kept apart.
"""
