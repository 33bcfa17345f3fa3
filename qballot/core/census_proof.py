"""What one voter needs of the census, as a small file: nobody then depends on the census being served.

    {"address":"0x…","index":5,"proof":["0x…",…],"qballot_census_proof":1,"root":"0x…","sheet":0,"sheet_bits":10,
     "voters":1000,"weight":"1"}

in one form only, RFC 8785. The file alone proves nothing: it is checked against the sheet roots in a box's own code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from qballot.core.address import checksum_address, parse_checksum_address
from qballot.core.census import Census, CensusEntry, count_sheets, verify_entry
from qballot.core.merkle import proof_positions
from qballot.core.provenance import BoxArguments
from qballot.core.types import Address, Hash32, VoterIndex, Weight
from qballot.core.versions import refuse_unknown_version
from qballot.errors import InputError, NotInCensusError, ProofError

PROOF_VERSION = 1
"""Value of `qballot_census_proof`; a change of the form is a new number."""

_HASH = re.compile(r"0x[0-9a-f]{64}")
_WEIGHT = re.compile(r"[1-9][0-9]{0,28}")


@dataclass(frozen=True, slots=True)
class VoterProof:
    """One voter with the way to the root of the voter's sheet.

    voters, sheet_bits: of the whole census. proof: what `cast` asks for, lowest node first. root: where it ends.
    """

    entry: CensusEntry
    voters: int
    sheet_bits: int
    root: Hash32
    proof: tuple[Hash32, ...]

    @property
    def sheet(self) -> int:
        """Which sheet the voter is in."""
        return self.entry.index >> self.sheet_bits


class _ProofDocument(msgspec.Struct, forbid_unknown_fields=True):
    """The file's JSON, its keys in the order of RFC 8785."""

    address: str
    index: int
    proof: list[str]
    qballot_census_proof: int
    root: str
    sheet: int
    sheet_bits: int
    voters: int
    weight: str


def build_voter_proof(census: Census, address: Address) -> VoterProof:
    """Build the proof of one voter. Raises NotInCensusError."""
    entry = census.find(address)
    if entry is None:
        raise NotInCensusError(checksum_address(address))
    root = census.root_of(entry.index >> census.sheet_bits)
    return VoterProof(entry, len(census), census.sheet_bits, root, tuple(census.prove(entry.index)))


def dump_voter_proof(proof: VoterProof) -> bytes:
    """Write the file's bytes, in the one form that it has."""
    nodes = ["0x" + node.hex() for node in proof.proof]
    return _encode(proof.entry, nodes, "0x" + proof.root.hex(), proof.voters, proof.sheet_bits)


def dump_sheet_proofs(census: Census, sheet: int) -> Iterator[tuple[Address, bytes]]:
    """Give the address and the file's bytes of every voter of a sheet, as of `dump_voter_proof`, a good deal faster."""
    nodes = ["0x" + node.hex() for node in census.tree_of(sheet)]
    size = (len(nodes) + 1) // 2
    first = sheet << census.sheet_bits
    voters, sheet_bits = len(census), census.sheet_bits
    for place in range(size):
        entry = census.entry(first + place)
        path = [nodes[position] for position in proof_positions(place, size)]
        yield entry.address, _encode(entry, path, nodes[0], voters, sheet_bits)


def is_voter_proof(data: bytes) -> bool:
    """Say whether bytes mean to be a voter's proof rather than a census file: they name its version."""
    return b'"qballot_census_proof":' in data[:4096]


def load_voter_proof(data: bytes) -> VoterProof:
    """Read the file's bytes. Raises InputError when they are not in the one form; whether it proves is not said yet."""
    refuse_unknown_version(data, "qballot_census_proof", PROOF_VERSION, "version of a voter's proof")
    try:
        document = msgspec.json.decode(data, type=_ProofDocument)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"not a voter's proof: {error}") from error
    if msgspec.json.encode(document) != data:
        raise InputError("the voter's proof is not in its one form (RFC 8785, no newline at the end)")
    if not _WEIGHT.fullmatch(document.weight):
        raise InputError(f"weight of the voter's proof: found {document.weight[:80]!r}, expected a whole number from 1")
    if (
        not 0 <= document.sheet_bits < 32
        or document.index < 0
        or document.sheet != document.index >> document.sheet_bits
    ):
        raise InputError(
            f"the voter's proof names sheet {document.sheet}, which voter {document.index} is not in "
            f"with sheet_bits {document.sheet_bits}"
        )
    address = parse_checksum_address(document.address)
    return VoterProof(
        CensusEntry(VoterIndex(document.index), address, Weight(int(document.weight))),
        document.voters,
        document.sheet_bits,
        _read_hash(document.root),
        tuple(_read_hash(node) for node in document.proof),
    )


def check_voter_proof(proof: VoterProof, box: BoxArguments) -> None:
    """Check, offline, that a box admits this voter with this weight. Raises ProofError that says what does not fit.

    box: what stands in the box's own code; its address proves that (`qballot.core.provenance`).
    """
    _check_size(proof.voters, proof.sheet_bits, box)
    if proof.sheet >= len(box.sheet_roots):
        raise ProofError(f"voter {proof.entry.index} is beyond the {box.voters:,} voters of the box")
    root = box.sheet_roots[proof.sheet]
    if proof.root != root:
        raise ProofError(
            f"the proof leads to the root 0x{proof.root.hex()}; sheet {proof.sheet} of the box has 0x{root.hex()}"
        )
    if not verify_entry(root, box.voters, box.sheet_bits, proof.entry, proof.proof):
        entry = proof.entry
        raise ProofError(
            f"the proof does not show that {checksum_address(entry.address)} is voter {entry.index} "
            f"with the weight {entry.weight}: it does not lead to the box's root of sheet {proof.sheet}"
        )


def check_census(census: Census, box: BoxArguments) -> None:
    """Check that a census is the one that a box was made with. Raises ProofError that says what does not fit."""
    _check_size(len(census), census.sheet_bits, box)
    for sheet, (found, expected) in enumerate(zip(census.sheet_roots, box.sheet_roots, strict=True)):
        if found != expected:
            raise ProofError(
                f"sheet {sheet} of the census has the root 0x{found.hex()}; the box has 0x{expected.hex()}: "
                "it is another census, or was changed"
            )


def _encode(entry: CensusEntry, nodes: list[str], root: str, voters: int, sheet_bits: int) -> bytes:
    return msgspec.json.encode(
        _ProofDocument(
            checksum_address(entry.address),
            entry.index,
            nodes,
            PROOF_VERSION,
            root,
            entry.index >> sheet_bits,
            sheet_bits,
            voters,
            str(entry.weight),
        )
    )


def _check_size(voters: int, sheet_bits: int, box: BoxArguments) -> None:
    if (voters, sheet_bits) != (box.voters, box.sheet_bits):
        raise ProofError(
            f"found a census of {voters:,} voters with sheet_bits {sheet_bits}; "
            f"the box is for {box.voters:,} with sheet_bits {box.sheet_bits}"
        )
    if len(box.sheet_roots) != count_sheets(voters, sheet_bits):
        raise ProofError(f"the box has {len(box.sheet_roots)} sheet roots; its voters make another number of sheets")


def _read_hash(text: str) -> Hash32:
    if not _HASH.fullmatch(text):
        raise InputError(f"voter's proof: expected 0x and 64 lower-case hex digits; found {text[:80]!r}")
    return Hash32(bytes.fromhex(text[2:]))
