"""The census: who may vote and with what weight, as Merkle trees of which only the roots go on chain.

Voters are numbered from 0 in the order of the list. Every 2**ward_bits of them are a *ward* with a tree of its own, so
that the price of a vote hardly grows with the electorate. A leaf is, as in OpenZeppelin's StandardMerkleTree,

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
from qballot.core.provenance import MAX_WARD_BITS, MAX_WARDS
from qballot.core.types import Address, Hash32, VoterIndex, Weight
from qballot.errors import InputError

MAX_WEIGHT = 2**96 - 1
"""Greatest weight of one voter: what a record's field holds."""

DEFAULT_WARD_BITS = 10
"""1,024 voters a ward: ten hashes prove a direct cast, and a ward's batches fit in a transaction."""

MAX_VOTERS = MAX_WARDS << MAX_WARD_BITS
"""Most voters of one election: as many of the greatest wards as a box's code has room for."""

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
    """All voters with the trees of their wards. Made by `build_census` only, which checks everything.

    ward_bits: 2**ward_bits voters a ward, the last one may have fewer. addresses, weights: by index.
    recipe: how the list was made, where a program made it.
    Entries are made when they are asked for, so that a million voters stay a few lists.
    """

    ward_bits: int
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
    def ward_count(self) -> int:
        """How many wards there are."""
        return len(self._trees)

    @property
    def ward_roots(self) -> tuple[Hash32, ...]:
        """Root of each ward's tree, in order: what a box gets as arguments."""
        return tuple(tree[0] for tree in self._trees)

    def root_of(self, ward: int) -> Hash32:
        """Root of one ward's tree. Raises InputError when there is no such ward."""
        if not 0 <= ward < self.ward_count:
            raise InputError(f"there is no ward {ward}: the census has {self.ward_count}, from 0")
        return self._trees[ward][0]

    def tree_of(self, ward: int) -> Sequence[Hash32]:
        """All nodes of one ward's tree, as from `build_tree`. Raises InputError when there is no such ward."""
        self.root_of(ward)
        return self._trees[ward]

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
        ward, place = divmod(self.entry(index).index, 1 << self.ward_bits)
        return build_proof(self._trees[ward], place)

    def prove_many(self, indices: Sequence[int]) -> list[Hash32]:
        """Build the proof that `castSigned` asks of these voters: of one ward, in ascending order, each once.

        Raises InputError when they are anything else, or none.
        """
        wards = {self.entry(index).index >> self.ward_bits for index in indices}
        if len(wards) > 1:
            raise InputError(f"the voters of one proof are of one ward; found wards {sorted(wards)}")
        if not wards:
            raise InputError("a proof needs at least one voter")
        ward = wards.pop()
        first = ward << self.ward_bits
        return build_multiproof(self._trees[ward], [index - first for index in indices])


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


def count_wards(voters: int, ward_bits: int) -> int:
    """How many wards of 2**ward_bits so many voters fill, the last one perhaps in part."""
    return -(-voters >> ward_bits)


def choose_ward_bits(voters: int) -> int:
    """Choose `DEFAULT_WARD_BITS`, or the least above it with which so many voters fit in a box.

    Raises InputError when there are none or more than `MAX_VOTERS`.
    """
    if not 0 < voters <= MAX_VOTERS:
        raise InputError(f"a census has 1 … {MAX_VOTERS:,} voters; found {voters:,}")
    return _find_ward_bits(voters, DEFAULT_WARD_BITS)


def build_census(
    rows: Iterable[tuple[Address, Weight]], ward_bits: int | None = None, recipe: TokenRecipe | None = None
) -> Census:
    """Build the trees over a list of voters, numbered in its order.

    rows: address (20 bytes) and weight of each. ward_bits: 0 … 16; None takes what `choose_ward_bits` says.
    recipe: how the list was made, to be kept with it.
    Raises InputError for no voters, a zero or repeated address, a weight that is not 1 … 2**96 - 1, and for a
    ward_bits that is out of range or makes more wards than a box holds.
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
    bits = _settle_ward_bits(len(addresses), ward_bits)
    size = 1 << bits
    trees = tuple(_build_ward(addresses, weights, start, size) for start in range(0, len(addresses), size))
    return Census(bits, addresses, tuple(weights), trees, indices, recipe)


def verify_entry(root: Hash32, voters: int, ward_bits: int, entry: CensusEntry, proof: Sequence[Hash32]) -> bool:
    """Say whether this very entry is in the census, by the root of its ward.

    voters, ward_bits: of the whole election; they fix how long the proof must be. root: of the entry's ward.
    """
    return _are_plausible((entry,), voters, ward_bits) and verify_proof(
        root, *_place(entry.index, voters, ward_bits), hash_leaf(entry.index, entry.address, entry.weight), proof
    )


def verify_entries(
    root: Hash32, voters: int, ward_bits: int, entries: Sequence[CensusEntry], proof: Sequence[Hash32]
) -> bool:
    """Say whether these very entries, of one ward and in ascending order, are in the census, by the ward's root."""
    if not _are_plausible(entries, voters, ward_bits) or len({entry.index >> ward_bits for entry in entries}) != 1:
        return False
    size, _ = _place(entries[0].index, voters, ward_bits)
    leaves = [
        (entry.index & ((1 << ward_bits) - 1), hash_leaf(entry.index, entry.address, entry.weight)) for entry in entries
    ]
    return verify_multiproof(root, size, leaves, proof)


def _find_ward_bits(voters: int, at_least: int) -> int:
    """Least number of bits from `at_least` on with which so many voters, at most MAX_VOTERS, fit in a box."""
    return next(bits for bits in range(at_least, MAX_WARD_BITS + 1) if count_wards(voters, bits) <= MAX_WARDS)


def _settle_ward_bits(voters: int, ward_bits: int | None) -> int:
    chosen = choose_ward_bits(voters)
    if ward_bits is None:
        return chosen
    if not 0 <= ward_bits <= MAX_WARD_BITS:
        raise InputError(f"ward_bits must be 0 … {MAX_WARD_BITS}; found {ward_bits}")
    wards = count_wards(voters, ward_bits)
    if wards > MAX_WARDS:
        raise InputError(
            f"ward_bits {ward_bits} makes {wards:,} wards of {voters:,} voters, and a ballot box holds {MAX_WARDS}: "
            f"the least that fits is {_find_ward_bits(voters, ward_bits)}"
        )
    return ward_bits


def _build_ward(addresses: Sequence[Address], weights: Sequence[Weight], start: int, size: int) -> list[Hash32]:
    stop = min(start + size, len(addresses))
    return build_tree(hash_leaves(start, addresses[start:stop], weights[start:stop]))


def _place(index: int, voters: int, ward_bits: int) -> tuple[int, int]:
    """Return the size of the voter's ward, and the voter's place in it."""
    ward, place = divmod(index, 1 << ward_bits)
    return min(1 << ward_bits, voters - (ward << ward_bits)), place


def _are_plausible(entries: Iterable[CensusEntry], voters: int, ward_bits: int) -> bool:
    """Say whether a census of this form can hold such entries at all."""
    return (
        0 <= ward_bits <= MAX_WARD_BITS
        and 0 < voters <= MAX_VOTERS
        and all(
            0 <= entry.index < voters
            and len(entry.address) == 20
            and entry.address != ZERO_ADDRESS
            and 0 < entry.weight <= MAX_WEIGHT
            for entry in entries
        )
    )
