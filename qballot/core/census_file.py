"""The census as files: the list of voters that a person writes, and the census file that is published.

The list is CSV with a header: `address`, and `weight` unless every voter has one vote. The census file is JSON,

    {"qballot_census":1,"recipe":{…},"sheet_bits":10,"sheet_roots":["0x…",…],"voters":[["0x…","1"],…]}

in one form only, RFC 8785 (keys sorted, no spaces, no newline at the end), so that the same census always has the same
hash. `recipe` is there only where a program made the list: see `census_recipe.py`. The roots are for the reader:
loading recomputes them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import msgspec

from qballot.core.address import checksum_address, parse_address, parse_checksum_address
from qballot.core.census import MAX_WEIGHT, Census, build_census
from qballot.core.census_recipe import RecipeDocument, TokenRecipe, read_recipe, write_recipe
from qballot.core.types import Address, Weight
from qballot.core.versions import refuse_unknown_version
from qballot.errors import CensusError, InputError, ProofError

CENSUS_VERSION = 1
"""Value of `qballot_census`; a change of the form is a new number."""

ADDRESS_COLUMN = "address"
WEIGHT_COLUMN = "weight"
COLUMNS = (ADDRESS_COLUMN, WEIGHT_COLUMN)

MAX_REPORTED_ROWS = 20
"""Reading stops after so many bad rows: they have one cause as a rule."""


class _CensusDocument(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The census file's JSON, its keys in the order of RFC 8785. Nothing in it needs an escape or is a fraction."""

    qballot_census: int
    recipe: RecipeDocument | None = None
    sheet_bits: int
    sheet_roots: list[str]
    voters: list[tuple[str, str]]


def parse_voters_csv(text: str) -> list[tuple[Address, Weight]]:
    """Read a list of voters: columns `address` and, if wanted, `weight` (1 without it), in any order.

    A byte order mark, any line ends, spaces around cells and blank lines are accepted. The voters keep their order.
    Raises CensusError with every bad row, up to `MAX_REPORTED_ROWS`: an address in another form, with a wrong checksum,
    zero or listed before; a weight that is not a whole number 1 … 2**96 - 1; a wrong number of cells; a bad header.
    """
    return _parse_voters(text, repeated=False)


def _parse_voters(text: str, *, repeated: bool) -> list[tuple[Address, Weight]]:
    """Read a list of voters. repeated: whether an address may be listed more than once."""
    rows = _read_rows(text)
    columns = _parse_header(*next(rows, (1, [])))
    voters: list[tuple[Address, Weight]] = []
    problems: list[tuple[int, str]] = []
    first_rows: dict[Address, int] = {}
    last_row = 1
    for last_row, cells in rows:
        try:
            address, weight = _parse_row(cells, columns)
        except InputError as error:
            problems.append((last_row, str(error)))
        else:
            voters.append((address, weight))
            first = first_rows.setdefault(address, last_row)
            if first != last_row and not repeated:
                problems.append((last_row, f"{checksum_address(address)} is listed already, in row {first}"))
        if len(problems) == MAX_REPORTED_ROWS:
            break
    if problems:
        raise CensusError(*problems[0], later=problems[1:])
    if not voters:
        raise CensusError(last_row, "no voter follows the header")
    return voters


def dump_census(census: Census) -> bytes:
    """Write the census file's bytes, in the one form that it has."""
    voters = [
        (checksum_address(address), str(weight))
        for address, weight in zip(census.addresses, census.weights, strict=True)
    ]
    roots = ["0x" + root.hex() for root in census.sheet_roots]
    return msgspec.json.encode(
        _CensusDocument(
            qballot_census=CENSUS_VERSION,
            recipe=None if census.recipe is None else write_recipe(census.recipe),
            voters=voters,
            sheet_bits=census.sheet_bits,
            sheet_roots=roots,
        )
    )


def load_census(data: bytes) -> Census:
    """Read a census file's bytes and build its trees anew.

    Raises InputError when the file is not a census in its one form, and ProofError when the roots in it are not those
    of its voters.
    """
    document = _decode_document(data)
    if msgspec.json.encode(document) != data:
        raise InputError(
            "the census file is not in its one form (RFC 8785, no newline at the end): it was reformatted, "
            "so its hash is not that of the census any more"
        )
    census = build_census(_read_voters(document), document.sheet_bits, _read_recipe(document))
    _check_roots(document.sheet_roots, census)
    return census


def list_voters(data: bytes) -> list[tuple[Address, Weight]]:
    """List the voters of any file of them, repeated addresses included: for audits, which look at other people's files.

    data: a census file, or a list of voters as CSV. Raises InputError for a file that is neither, and ProofError for a
    census file without repeated addresses whose roots are not those of its voters.
    """
    if not data.lstrip().startswith(b"{"):
        try:
            return _parse_voters(data.decode("utf-8-sig"), repeated=True)
        except UnicodeDecodeError as error:
            raise InputError(f"neither a census file nor CSV in UTF-8: see byte {error.start}") from error
    rows = _read_voters(_decode_document(data))
    if len({address for address, _ in rows}) == len(rows):
        load_census(data)
    return rows


def _read_voters(document: _CensusDocument) -> list[tuple[Address, Weight]]:
    rows = []
    for index, (address, weight) in enumerate(document.voters):
        try:
            rows.append((parse_checksum_address(address), _parse_exact_weight(weight)))
        except InputError as error:
            raise InputError(f"voters[{index}] of the census file: {error}") from error
    return rows


def _read_recipe(document: _CensusDocument) -> TokenRecipe | None:
    if document.recipe is None:
        return None
    try:
        return read_recipe(document.recipe)
    except InputError as error:
        raise InputError(f"recipe of the census file: {error}") from error


def _decode_document(data: bytes) -> _CensusDocument:
    refuse_unknown_version(data, "qballot_census", CENSUS_VERSION, "census file version")
    try:
        return msgspec.json.decode(data, type=_CensusDocument)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not a census file: {error}") from error


def _check_roots(found: Sequence[str], census: Census) -> None:
    if len(found) != census.sheet_count:
        raise ProofError(f"the census file names {len(found)} sheet roots; its voters make {census.sheet_count} sheets")
    for sheet, (text, root) in enumerate(zip(found, census.sheet_roots, strict=True)):
        if text != "0x" + root.hex():
            raise ProofError(
                f"the census file names {text[:80]} as root of sheet {sheet}; its voters give 0x{root.hex()}"
            )


def _read_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not blank with its number, the first line being row 1."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise CensusError(max(reader.line_num, 1), f"not readable as CSV: {error}") from error


def _parse_header(row: int, names: list[str]) -> list[str]:
    for name in names:
        if name not in COLUMNS:
            near = get_close_matches(name.lower(), COLUMNS, n=1)
            hint = f": did you mean `{near[0]}`?" if near else "."
            raise CensusError(row, f"unknown column {name[:60]!r}{hint} The columns are `address` and `weight`")
    if len(set(names)) < len(names):
        raise CensusError(row, "a column is named twice")
    if ADDRESS_COLUMN not in names:
        found = "`weight` alone" if names else "an empty file"
        raise CensusError(row, f"expected a header with the column `address`; found {found}")
    return names


def _parse_row(cells: list[str], columns: list[str]) -> tuple[Address, Weight]:
    if len(cells) != len(columns):
        raise InputError(f"expected {len(columns)} cells ({', '.join(columns)}); found {len(cells)}")
    values = dict(zip(columns, cells, strict=True))
    weight = values.get(WEIGHT_COLUMN)
    return parse_address(values[ADDRESS_COLUMN]), Weight(1) if weight is None else _parse_weight(weight)


def _parse_weight(text: str) -> Weight:
    # 2**96 has 29 digits; a longer number is not even converted.
    if text.isascii() and text.isdigit() and len(text) < 40 and 0 < int(text) <= MAX_WEIGHT:
        return Weight(int(text))
    raise InputError(
        f"a weight is a whole number, 1 … 2**96 - 1; found {text[:60]!r}" if text else "the weight is empty"
    )


def _parse_exact_weight(text: str) -> Weight:
    if text.startswith("0"):
        raise InputError(f"a weight is written without leading zeros and is not 0; found {text[:60]!r}")
    return _parse_weight(text)
