"""Reading an evidence file: whatever it holds, it ends in evidence or in a DecodeError that names the line.

A stream is read once, line by line. A line is parsed, and then written again and compared, so that a file in any other
form than the one it has is refused, and every byte of it means something. Nothing is allocated for a length that the
file merely claims. Whether what it says is true is for `verify.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from qballot.core.census import MAX_VOTERS
from qballot.core.proof.evidence import BoxOrigin, Evidence, HeadProof, Voters
from qballot.core.proof.evidence_lines import (
    BATCH_DIGITS_A_LINE,
    HEADERS_A_LINE,
    MAX_BATCH_BYTES,
    MAX_EVIDENCE_BYTES,
    MAX_LINE_BYTES,
    VERSION,
    VOTERS_A_LINE,
    BatchesLine,
    BlockLine,
    CensusLine,
    DefinitionLine,
    EndLine,
    EvidenceLine,
    Line,
    LotLine,
    ProofLine,
    VotersLine,
)
from qballot.core.proof.header import MAX_HEADER_BYTES
from qballot.core.proof.hex_values import read_all_hex, read_fixed_hex, read_hex
from qballot.core.proof.line_splitter import split_lines
from qballot.core.provenance import MAX_CODE_BYTES
from qballot.core.records import count_records
from qballot.core.types import Address, ChainId, Hash32, Weight
from qballot.core.versions import refuse_unknown_file
from qballot.errors import DecodeError

MAX_WEIGHT_DIGITS: Final = 29
"""Digits of 2**96 - 1."""

_Kind = TypeVar("_Kind", bound=Line)

_decode = msgspec.json.Decoder(Line).decode


class _First(msgspec.Struct, tag_field="kind", tag="evidence"):
    """What the first line of every version has."""

    version: int


def read_evidence(chunks: Iterable[bytes], most_bytes: int = MAX_EVIDENCE_BYTES) -> Evidence:
    """Read an evidence file.

    chunks: its bytes in pieces of any size, as from a file or a connection. most_bytes: where reading stops.
    Raises UnknownVersionError for a later version's; DecodeError, naming the line, for anything else but a whole file
    in its one form.
    """
    reader = _Reader(split_lines(chunks, MAX_LINE_BYTES, most_bytes))
    try:
        origin = reader.read_origin()
        definition = read_hex(reader.take(DefinitionLine).bytes, "bytes", MAX_LINE_BYTES)
        header = read_hex(reader.take(BlockLine).header, "header", MAX_HEADER_BYTES)
        nodes = reader.take(ProofLine)
        proof = HeadProof(
            *(
                tuple(read_all_hex(item, "node", MAX_LINE_BYTES))
                for item in (nodes.box, nodes.implementation, nodes.head)
            )
        )
        batches, records = reader.read_batches()
        reference, voters = reader.read_census()
        lot = reader.read_lot()
        reader.finish(EndLine(len(batches), records, 0 if voters is None else len(voters), len(lot)))
    except DecodeError as error:
        raise DecodeError(f"line {reader.number}: {error}") from error
    return Evidence(origin, definition, header, proof, batches, voters, reference, lot)


class _Reader:
    """The lines of a file. number: of the line that was looked at last, from 1."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._is_fresh = True
        self._next: bytes | None = None
        self.number = 0

    def _peek(self) -> bytes | None:
        """Look at the next line without taking it; None where there is no more."""
        if self._is_fresh:
            self.number += 1
            self._next = next(self._lines, None)
            self._is_fresh = False
        return self._next

    def take(self, kind: type[_Kind]) -> _Kind:
        """Take the next line, which must be of this kind and in its one form."""
        raw = self._peek()
        self._is_fresh = True
        name = _name(kind)
        if raw is None:
            raise DecodeError(f"found the end, expected a line of kind {name}: the file is cut short")
        try:
            line = _decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DecodeError(f"expected a line of kind {name}: {error}") from error
        if not isinstance(line, kind):
            raise DecodeError(f"found a line of kind {_name(type(line))}, expected {name}")
        if msgspec.json.encode(line) != raw:
            raise DecodeError(
                f"the line of kind {name} is not in its one form: keys in their order, no blanks, no needless escapes"
            )
        return line

    def _take_all(self, kind: type[_Kind]) -> Iterator[_Kind]:
        """Take lines as long as they are of this kind."""
        start = f'{{"kind":"{_name(kind)}",'.encode()
        while (raw := self._peek()) is not None and raw.startswith(start):
            yield self.take(kind)

    def read_origin(self) -> BoxOrigin:
        """Take the first line."""
        first = self._peek() or b""
        refuse_unknown_file(first, "evidence", VERSION)
        try:
            msgspec.json.decode(first, type=_First)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DecodeError(f"this is no evidence: {error}") from error
        line = self.take(EvidenceLine)
        if not 0 <= line.chain_id < 2**63:
            raise DecodeError(f"found the chain id {line.chain_id}, expected 0 … 2**63 - 1")
        return BoxOrigin(
            ChainId(line.chain_id),
            Address(read_fixed_hex(line.factory, "factory", 20)),
            Address(read_fixed_hex(line.box, "box", 20)),
            Hash32(read_fixed_hex(line.salt, "salt", 32)),
            read_hex(line.code, "code", MAX_CODE_BYTES),
        )

    def read_batches(self) -> tuple[list[bytes], int]:
        """Take all batches. Returns them, and how many records they hold."""
        batches: list[bytes] = []
        records = digits = 0
        for line in self._take_all(BatchesLine):
            part = read_all_hex(line.batches, "batch", MAX_BATCH_BYTES, len(batches))
            if not part:
                raise DecodeError("found a line without a batch, expected one at least")
            if batches and digits + 2 * len(part[0]) <= BATCH_DIGITS_A_LINE:
                raise DecodeError("the line before has room for this line's first batch, expected it there")
            digits = sum(2 * len(batch) for batch in part)
            if digits > BATCH_DIGITS_A_LINE and len(part) > 1:
                raise DecodeError(f"found batches of {digits} hex digits, expected at most {BATCH_DIGITS_A_LINE}")
            for place, batch in enumerate(part, start=len(batches)):
                try:
                    records += count_records(batch)
                except DecodeError as error:
                    raise DecodeError(f"batch {place}: {error}") from error
            batches += part
        return batches, records

    def read_census(self) -> tuple[Hash32 | None, Voters | None]:
        """Take the census. Returns the reference to it or the voters, or neither."""
        for line in self._take_all(CensusLine):
            if line.hash is not None:
                return Hash32(read_fixed_hex(line.hash, "hash", 32)), None
            return None, self._read_voters()
        return None, None

    def _read_voters(self) -> Voters:
        addresses: list[Address] = []
        weights: list[Weight] = []
        for line in self._take_all(VotersLine):
            self._check_room(len(addresses), len(line.voters), VOTERS_A_LINE, "voters")
            _read_voters(line.voters, addresses, weights)
            if len(addresses) > MAX_VOTERS:
                raise DecodeError(f"found more than {MAX_VOTERS} voters, expected at most so many")
        return Voters(addresses, weights)

    def read_lot(self) -> tuple[bytes, ...]:
        """Take the headers of the lot."""
        headers: list[bytes] = []
        for line in self._take_all(LotLine):
            self._check_room(len(headers), len(line.headers), HEADERS_A_LINE, "headers")
            headers += read_all_hex(line.headers, "header", MAX_HEADER_BYTES, len(headers))
        return tuple(headers)

    @staticmethod
    def _check_room(before: int, found: int, most: int, what: str) -> None:
        if not 0 < found <= most:
            raise DecodeError(f"found a line of {found} {what}, expected 1 … {most}")
        if before % most:
            raise DecodeError(f"the line before has room for further {what}, expected them there")

    def finish(self, counted: EndLine) -> None:
        """Take the last line, which must say what was counted, and make sure that it is the last."""
        line = self.take(EndLine)
        if line != counted:
            raise DecodeError(f"the file says that it has {_tell(line)}, found {_tell(counted)}")
        if self._peek() is not None:
            raise DecodeError("found a line after the one of kind end, expected none")


def _name(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


def _tell(line: EndLine) -> str:
    return f"{line.batches} batches, {line.records} records, {line.voters} voters and {line.headers} headers of the lot"


def _read_voters(rows: Sequence[tuple[str, str]], addresses: list[Address], weights: list[Weight]) -> None:
    """Read a line's voters and add them to those before. All at once, since there may be millions."""
    first = len(addresses)
    texts, numbers = zip(*rows, strict=True)
    try:
        found = bytes.fromhex("".join([text[2:] for text in texts]))
        votes = list(map(int, numbers)) if max(map(len, numbers)) <= MAX_WEIGHT_DIGITS else []
    except ValueError:
        found, votes = b"", []
    addresses += [Address(found[start : start + 20]) for start in range(0, len(found), 20)]
    weights += votes  # type: ignore[arg-type]
    # Written again and compared, and one by one only to name the first that is not in its form.
    are_right = ["0x" + address.hex() for address in addresses[first:]] == [*texts]
    if are_right and [*map(str, votes)] == [*numbers] and min(votes) >= 0:
        return
    for place, (text, number) in enumerate(rows, start=first):
        read_fixed_hex(text, f"voter {place}: address", 20)
        if len(number) > MAX_WEIGHT_DIGITS or not number.isdecimal() or str(int(number)) != number:
            raise DecodeError(f"voter {place}: weight: found {number[:40]!r}, expected a whole number below 2**96")
    raise DecodeError(f"the voters from {first} on are not in their form")
