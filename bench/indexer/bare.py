"""The bare loop: what no indexer in Python can do without, written for this bench alone, as fast as it gets.

`eth_getLogs` over given ranges, msgspec, slices, one table with the columns and the key of `ballots`, one transaction
that lasts. Nothing is checked, neither the answers nor the chain of blocks nor that of hashes; there is no index of
voters, no cursor and no tally, and all ballots of a batch are taken to be of one length.
"""

from __future__ import annotations

import http.client
import sqlite3
from collections.abc import Iterator, Sequence
from struct import Struct
from urllib.parse import urlsplit

import msgspec
import psycopg

from qballot.chain.contracts import BALLOTS_CAST
from qballot.core.types import Address

Range = tuple[int, int]
"""First and last block."""

COLUMNS = "election_id INTEGER, position BIGINT, batch_sequence BIGINT, voter BIGINT, cast_at BIGINT, weight VARCHAR"

KEY = "PRIMARY KEY (election_id, position)"
"""Rows that nobody can look up, or that a crash takes away, are no index: the bare loop's have a key and last."""

DATA_AT = 2 + 2 * 64
"""Where the records begin in the hex text of a log's data: after 0x, their offset and their length."""

LENGTH_AT = slice(21, 23)
"""Where a record has the length of its ballot."""

COPY_BEGIN, COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
"""Around the rows of a binary COPY; a row is the number of its fields, then each field with its length before it."""


class _Log(msgspec.Struct):
    data: str


class _Answer(msgspec.Struct):
    result: list[_Log]


_ANSWER = msgspec.json.Decoder(_Answer)


def fetch_batches(url: str, box: Address, ranges: Sequence[Range]) -> Iterator[bytes]:
    """Give the packed records of every batch of a box, in the order of the chain."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    for start, end in ranges:
        query = {
            "address": "0x" + box.hex(),
            "topics": ["0x" + BALLOTS_CAST.hex()],
            "fromBlock": hex(start),
            "toBlock": hex(end),
        }
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [query]}
        connection.request("POST", "/", msgspec.json.encode(request), {"Content-Type": "application/json"})
        for log in _ANSWER.decode(connection.getresponse().read()).result:
            data = log.data
            yield bytes.fromhex(data[DATA_AT : DATA_AT + 2 * int(data[DATA_AT - 16 : DATA_AT], 16)])
    connection.close()


def fill_sqlite(batches: Iterator[bytes], file: str) -> int:
    """Write all ballots into a new SQLite file; return how many."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"CREATE TABLE ballots ({COLUMNS}, ballot BLOB, {KEY})")
    connection.execute("BEGIN")
    ballots = connection.executemany("INSERT INTO ballots VALUES (1, ?, ?, ?, ?, ?, ?)", _decode(batches)).rowcount
    connection.execute("COMMIT")
    connection.close()
    return ballots


def _decode(batches: Iterator[bytes]) -> Iterator[tuple[int, int, int, int, str, bytes]]:
    position = 0
    for sequence, records in enumerate(batches):
        layout = Struct(f">IBIQIH{int.from_bytes(records[LENGTH_AT])}s")
        for voter, cast_high, cast_low, weight_high, weight_low, _, ballot in layout.iter_unpack(records):
            yield position, sequence, voter, cast_high << 32 | cast_low, str(weight_high << 32 | weight_low), ballot
            position += 1


def fill_postgres(batches: Iterator[bytes], database_url: str) -> int:
    """Write all ballots into a new table of a PostgreSQL database; return how many."""
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE ballots ({COLUMNS}, ballot BYTEA, {KEY})")
        with cursor.copy("COPY ballots FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(COPY_BEGIN)
            position = 0
            for sequence, records in enumerate(batches):
                rows = _lay_out(records, position, sequence)
                copy.write(b"".join(rows))
                position += len(rows) // FIELDS
            copy.write(COPY_END)
    return position


FIELDS = 8
"""Parts that a row is joined of."""


def _lay_out(records: bytes, position: int, sequence: int) -> list[bytes]:
    """Cut one batch into the parts of its rows. voter, cast_at and ballot go from the log to the row as they are."""
    length = int.from_bytes(records[LENGTH_AT])
    before_position = Struct(">hiii").pack(7, 4, 1, 8)
    before_voter = Struct(">iqiI").pack(8, sequence, 8, 0)
    before_cast_at = Struct(">i3x").pack(8)
    before_ballot = length.to_bytes(4)
    parts: list[bytes] = []
    for voter, cast_at, weight, ballot in Struct(f">4s5s12s2x{length}s").iter_unpack(records):
        text = _WEIGHTS[weight]
        parts += (
            before_position,
            position.to_bytes(8),
            before_voter,
            voter,
            before_cast_at,
            cast_at,
            text,
            before_ballot + ballot,
        )
        position += 1
    return parts


class _Weights(dict[bytes, bytes]):
    """Weights as a row has them, a text with its length before it, by the 12 bytes that a record has."""

    def __missing__(self, weight: bytes) -> bytes:
        text = str(int.from_bytes(weight)).encode()
        self[weight] = len(text).to_bytes(4) + text
        return self[weight]


_WEIGHTS = _Weights()
