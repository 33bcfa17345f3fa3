"""A proof file for each voter, so that nobody depends on the census being served.

    DIR/manifest.json              what all of it belongs to, and how many sheets are written
    DIR/3f/0x3fa2….json            one voter's proof, by the address in lower case

256 folders hold a million files without any of them growing too large. Sheets are written one after another, and the
manifest says after every few how many are whole: an interrupted run goes on where it was.
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path

from qballot.census.progress import Report, say_nothing
from qballot.core.census import Census
from qballot.core.census_proof import dump_sheet_proofs
from qballot.core.types import Address, Hash32
from qballot.errors import InputError

MANIFEST = "manifest.json"
MANIFEST_VERSION = 1
SHEETS_A_STEP = 8
"""Sheets between two notes in the manifest: what an interrupted run may write twice."""

_DRAFT = f"{MANIFEST}.new"


@dataclass(frozen=True, slots=True)
class ProofFiles:
    """What was done. files: how many there are in all. written: how many this run wrote."""

    folder: Path
    files: int
    written: int


def proof_path(folder: Path, address: Address) -> Path:
    """Return where a voter's proof file stands."""
    name = address.hex()
    return folder / name[:2] / f"0x{name}.json"


def write_proof_files(census: Census, census_hash: Hash32, folder: Path, report: Report = say_nothing) -> ProofFiles:
    """Write a proof file for each voter into a folder that is new, empty, or was begun for the same census.

    census_hash: of the census file. Raises InputError when the folder holds anything else, or cannot be written to.
    """
    try:
        return _write(census, census_hash, folder, report)
    except OSError as error:
        raise InputError(f"{error.filename or folder} cannot be written: {error.strerror}") from error


def _write(census: Census, census_hash: Hash32, folder: Path, report: Report) -> ProofFiles:
    folder.mkdir(parents=True, exist_ok=True)
    done = _read_progress(census_hash, folder)
    # Before the first file of ours, so that an interrupted run is known again.
    _note(census, census_hash, folder, done)
    for shard in {address[0] for address in census.addresses}:
        (folder / f"{shard:02x}").mkdir(exist_ok=True)
    written = 0
    for sheet in range(done, census.sheet_count):
        report("writing proofs", sheet << census.sheet_bits, len(census))
        written += _write_sheet(census, sheet, folder)
        if (sheet + 1) % SHEETS_A_STEP == 0 or sheet + 1 == census.sheet_count:
            _note(census, census_hash, folder, sheet + 1)
    report("writing proofs", len(census), len(census))
    return ProofFiles(folder, len(census), written)


def _write_sheet(census: Census, sheet: int, folder: Path) -> int:
    prefix = str(folder)
    count = 0
    for address, data in dump_sheet_proofs(census, sheet):
        name = address.hex()
        # Bare system calls: a million files take twice as long through pathlib and buffered files.
        file = os.open(f"{prefix}/{name[:2]}/0x{name}.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            if os.write(file, data) != len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), prefix)
        finally:
            os.close(file)
        count += 1
    return count


def _read_progress(census_hash: Hash32, folder: Path) -> int:
    """Read how many sheets are whole; 0 in an empty folder."""
    manifest = folder / MANIFEST
    if not manifest.exists():
        if any(path.name != _DRAFT for path in folder.iterdir()):
            raise InputError(f"{folder} is not empty, and holds no {MANIFEST} of proofs: choose another folder with -o")
        return 0
    try:
        document = json.loads(manifest.read_bytes())
        version, found, sheets = (document[key] for key in ("qballot_census_proofs", "census_hash", "sheets_written"))
        known = version == MANIFEST_VERSION and isinstance(sheets, int) and sheets >= 0
    except (ValueError, KeyError, TypeError):
        known, found, sheets = False, None, 0
    if not known:
        raise InputError(f"{manifest} is not the manifest of a folder of proofs: choose another folder with -o")
    if found != "0x" + census_hash.hex():
        raise InputError(f"{folder} holds the proofs of another census, {found}: choose another folder with -o")
    return int(sheets)


def _note(census: Census, census_hash: Hash32, folder: Path, sheets: int) -> None:
    """Write the manifest, whole or not at all."""
    document = {
        "qballot_census_proofs": MANIFEST_VERSION,
        "census_hash": "0x" + census_hash.hex(),
        "voters": len(census),
        "sheet_bits": census.sheet_bits,
        "sheets": census.sheet_count,
        "sheets_written": sheets,
    }
    draft = folder / _DRAFT
    draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    draft.replace(folder / MANIFEST)
