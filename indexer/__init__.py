"""Follows elections from the chain into a database and serves what it found."""
