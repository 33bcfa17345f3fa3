"""The census: who may vote and with what weight, as Merkle trees of which only the roots go on chain.

Voters are numbered from 0 in the order of the list. Every 2**sheet_bits of them are a *sheet* with a tree of its own,
so that the price of a vote hardly grows with the electorate. A leaf is, as in OpenZeppelin's StandardMerkleTree,

    keccak256(keccak256(abi.encode(uint256 index, address account, uint256 weight)))

and leaves stay in the order of the list. The index in the leaf is the one in the whole census. Hashing twice keeps a
leaf from passing for the hash of a pair.
Source: contracts/BallotBox.sol; tests/vectors/censuses.json.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from struct import Struct

from qballot.core.address import ZERO_ADDRESS, checksum_address
from qballot.core.bounds import validate_length
from qballot.core.census_recipe import TokenRecipe
from qballot.core.keccak import keccak
from qballot.core.merkle import build_multiproof, build_proof, build_tree, verify_multiproof, verify_proof
from qballot.core.provenance import MAX_SHEET_BITS, MAX_SHEETS
from qballot.core.types import Address, Hash32, VoterIndex, Weight
from qballot.errors import InputError

MAX_WEIGHT = 2**96 - 1
"""Greatest weight of one voter: what a record's field holds."""

DEFAULT_SHEET_BITS = 10
"""1,024 voters a sheet: the cheapest size from 128 to 1,024 where most ballots are brought in batches.

A smaller sheet saves one element of a direct cast's proof for each halving, but doubles the roots that creation pays
for, and splits the ballots that wait into more and smaller batches. docs/census.md has the figures of both forks.
"""

MAX_VOTERS = MAX_SHEETS << MAX_SHEET_BITS
"""Most voters of one election: as many of the greatest sheets as a box's code has room for."""

# abi.encode(uint256 index, address account, uint256 weight); uint96 as a high and a low part.
_LEAF = Struct(">28x I 12x 20s 20x I Q")
_LOW_64 = 2**64 - 1


@dataclass(frozen=True, slots=True)
class CensusEntry:
    """One voter. index: place in the whole census, from 0. address: 20 bytes, not zero. weight: 1 … 2**96 - 1."""

    index: VoterIndex
    address: Address
    weight: Weight


@dataclass(frozen=True, slots=True)
class Census:
    """All voters with the trees of their sheets. Made by `build_census` only, which checks everything.

    sheet_bits: 2**sheet_bits voters a sheet, the last one may have fewer. addresses, weights: by index.
    recipe: how the list was made, where a program made it.
    Entries are made when they are asked for, so that a million voters stay a few lists.
    """

    sheet_bits: int
    addresses: tuple[Address, ...] = field(repr=False)
    weights: tuple[Weight, ...] = field(repr=False)
    _trees: tuple[Sequence[Hash32], ...] = field(repr=False, compare=False)
    _indices: Mapping[Address, int] = field(repr=False, compare=False)
    recipe: TokenRecipe | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.addresses)

    def __iter__(self) -> Iterator[CensusEntry]:
        for index in range(len(self)):
            yield self.entry(index)

    @property
    def total_weight(self) -> int:
        """Votes of all voters together."""
        return sum(self.weights)

    @property
    def sheet_count(self) -> int:
        """How many sheets there are."""
        return len(self._trees)

    @property
    def sheet_roots(self) -> tuple[Hash32, ...]:
        """Root of each sheet's tree, in order: what a box gets as arguments."""
        return tuple(tree[0] for tree in self._trees)

    def root_of(self, sheet: int) -> Hash32:
        """Root of one sheet's tree. Raises InputError when there is no such sheet."""
        if not 0 <= sheet < self.sheet_count:
            raise InputError(f"there is no sheet {sheet}: the census has {self.sheet_count}, from 0")
        return self._trees[sheet][0]

    def tree_of(self, sheet: int) -> Sequence[Hash32]:
        """All nodes of one sheet's tree, as from `build_tree`. Raises InputError when there is no such sheet."""
        self.root_of(sheet)
        return self._trees[sheet]

    def entry(self, index: int) -> CensusEntry:
        """Voter with this index. Raises InputError when there is none."""
        if not 0 <= index < len(self):
            raise InputError(f"there is no voter {index}: the census has {len(self)}, from 0")
        return CensusEntry(VoterIndex(index), self.addresses[index], self.weights[index])

    def find(self, address: Address) -> CensusEntry | None:
        """Voter with this address (20 bytes), or None."""
        index = self._indices.get(address)
        return None if index is None else self.entry(index)

    def prove(self, index: int) -> list[Hash32]:
        """Build the proof that `cast` asks of this voter. Raises InputError when there is no such voter."""
        sheet, place = divmod(self.entry(index).index, 1 << self.sheet_bits)
        return build_proof(self._trees[sheet], place)

    def prove_many(self, indices: Sequence[int]) -> list[Hash32]:
        """Build the proof that `castSigned` asks of these voters: of one sheet, in ascending order, each once.

        Raises InputError when they are anything else, or none.
        """
        sheets = {self.entry(index).index >> self.sheet_bits for index in indices}
        if len(sheets) > 1:
            raise InputError(f"the voters of one proof are of one sheet; found sheets {sorted(sheets)}")
        if not sheets:
            raise InputError("a proof needs at least one voter")
        sheet = sheets.pop()
        first = sheet << self.sheet_bits
        return build_multiproof(self._trees[sheet], [index - first for index in indices])


def hash_leaf(index: VoterIndex, address: Address, weight: Weight) -> Hash32:
    """Hash one census entry exactly as the contract does.

    index: in the whole census, below 2**32. address: 20 bytes. weight: below 2**96; `build_census` is who refuses 0.
    """
    return keccak(keccak(_LEAF.pack(index, address, weight >> 64, weight & _LOW_64)))


def hash_leaves(start: int, addresses: Iterable[Address], weights: Iterable[Weight]) -> list[Hash32]:
    """Hash consecutive census entries as `hash_leaf` does each of them. start: index of the first."""
    pack, low = _LEAF.pack, _LOW_64
    return [
        keccak(keccak(pack(index, address, weight >> 64, weight & low)))
        for index, (address, weight) in enumerate(zip(addresses, weights, strict=True), start)
    ]


def count_sheets(voters: int, sheet_bits: int) -> int:
    """How many sheets of 2**sheet_bits so many voters fill, the last one perhaps in part."""
    return -(-voters >> sheet_bits)


def choose_sheet_bits(voters: int) -> int:
    """Choose `DEFAULT_SHEET_BITS`, or the least above it with which so many voters fit in a box.

    Raises InputError when there are none or more than `MAX_VOTERS`.
    """
    if not 0 < voters <= MAX_VOTERS:
        raise InputError(f"a census has 1 … {MAX_VOTERS:,} voters; found {voters:,}")
    return _find_sheet_bits(voters, DEFAULT_SHEET_BITS)


def read_sheet_size(size: int) -> int:
    """Return the sheet_bits of sheets of this many voters. Raises InputError unless it is a power of two to 65,536."""
    bits = size.bit_length() - 1
    if not 0 < size <= 1 << MAX_SHEET_BITS:
        raise InputError(f"found sheets of {size} voters, expected a power of two from 1 to {1 << MAX_SHEET_BITS:,}")
    if size != 1 << bits:
        raise InputError(f"found sheets of {size} voters, expected a power of two, such as {1 << bits} or {2 << bits}")
    return bits


def build_census(
    rows: Iterable[tuple[Address, Weight]], sheet_bits: int | None = None, recipe: TokenRecipe | None = None
) -> Census:
    """Build the trees over a list of voters, numbered in its order.

    rows: address (20 bytes) and weight of each. sheet_bits: 0 … 16; None takes what `choose_sheet_bits` says.
    recipe: how the list was made, to be kept with it.
    Raises InputError for no voters, a zero or repeated address, a weight that is not 1 … 2**96 - 1, and for a
    sheet_bits that is out of range or makes more sheets than a box holds.
    """
    indices: dict[Address, int] = {}
    weights: list[Weight] = []
    for index, (address, weight) in enumerate(rows):
        first = indices.setdefault(address, index)
        if first != index:
            raise InputError(f"voter {index} has the address of voter {first}: {checksum_address(address)}")
        if not 0 < weight <= MAX_WEIGHT:
            raise InputError(f"voter {index}: a weight is 1 … 2**96 - 1; found {weight}")
        weights.append(weight)
    addresses = tuple(indices)
    for index, address in enumerate(addresses):
        validate_length(f"address of voter {index}", address, 20)
    if ZERO_ADDRESS in indices:
        raise InputError(f"voter {indices[ZERO_ADDRESS]} has the zero address")
    bits = _settle_sheet_bits(len(addresses), sheet_bits)
    size = 1 << bits
    trees = tuple(_build_sheet(addresses, weights, start, size) for start in range(0, len(addresses), size))
    return Census(bits, addresses, tuple(weights), trees, indices, recipe)


def verify_entry(root: Hash32, voters: int, sheet_bits: int, entry: CensusEntry, proof: Sequence[Hash32]) -> bool:
    """Say whether this very entry is in the census, by the root of its sheet.

    voters, sheet_bits: of the whole election; they fix how long the proof must be. root: of the entry's sheet.
    """
    return _are_plausible((entry,), voters, sheet_bits) and verify_proof(
        root, *_place(entry.index, voters, sheet_bits), hash_leaf(entry.index, entry.address, entry.weight), proof
    )


def verify_entries(
    root: Hash32, voters: int, sheet_bits: int, entries: Sequence[CensusEntry], proof: Sequence[Hash32]
) -> bool:
    """Say whether these very entries, of one sheet and in ascending order, are in the census, by the sheet's root."""
    if not _are_plausible(entries, voters, sheet_bits) or len({entry.index >> sheet_bits for entry in entries}) != 1:
        return False
    size, _ = _place(entries[0].index, voters, sheet_bits)
    leaves = [
        (entry.index & ((1 << sheet_bits) - 1), hash_leaf(entry.index, entry.address, entry.weight))
        for entry in entries
    ]
    return verify_multiproof(root, size, leaves, proof)


def _find_sheet_bits(voters: int, at_least: int) -> int:
    """Least number of bits from `at_least` on with which so many voters, at most MAX_VOTERS, fit in a box."""
    return next(bits for bits in range(at_least, MAX_SHEET_BITS + 1) if count_sheets(voters, bits) <= MAX_SHEETS)


def _settle_sheet_bits(voters: int, sheet_bits: int | None) -> int:
    chosen = choose_sheet_bits(voters)
    if sheet_bits is None:
        return chosen
    if not 0 <= sheet_bits <= MAX_SHEET_BITS:
        raise InputError(f"sheet_bits must be 0 … {MAX_SHEET_BITS}; found {sheet_bits}")
    sheets = count_sheets(voters, sheet_bits)
    if sheets > MAX_SHEETS:
        raise InputError(
            f"{voters:,} voters in sheets of {1 << sheet_bits:,} make {sheets:,} sheets; "
            f"a ballot box holds {MAX_SHEETS}: choose sheets of at least {1 << _find_sheet_bits(voters, sheet_bits):,}"
        )
    return sheet_bits


def _build_sheet(addresses: Sequence[Address], weights: Sequence[Weight], start: int, size: int) -> list[Hash32]:
    stop = min(start + size, len(addresses))
    return build_tree(hash_leaves(start, addresses[start:stop], weights[start:stop]))


def _place(index: int, voters: int, sheet_bits: int) -> tuple[int, int]:
    """Return the size of the voter's sheet, and the voter's place in it."""
    sheet, place = divmod(index, 1 << sheet_bits)
    return min(1 << sheet_bits, voters - (sheet << sheet_bits)), place


def _are_plausible(entries: Iterable[CensusEntry], voters: int, sheet_bits: int) -> bool:
    """Say whether a census of this form can hold such entries at all."""
    return (
        0 <= sheet_bits <= MAX_SHEET_BITS
        and 0 < voters <= MAX_VOTERS
        and all(
            0 <= entry.index < voters
            and len(entry.address) == 20
            and entry.address != ZERO_ADDRESS
            and 0 < entry.weight <= MAX_WEIGHT
            for entry in entries
        )
    )
