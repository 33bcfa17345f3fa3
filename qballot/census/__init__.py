"""Work on a census that needs files or a chain; the rules are `qballot.core.census`.

Start with `from_token.py` (voters out of a token's holders) and `proofs.py` (a file for each voter).
"""
