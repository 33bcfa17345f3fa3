"""The index in a database: the only place that knows SQL.

Start with `model.py` (what is kept, as plain dataclasses), then `repository.py` (what can be asked and written).
Everything here but the observations can be deleted and read again from the chain.
"""
