"""What differs between two lists of voters: who was added or removed, whose weight changed, whose index moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qballot.core.address import checksum_address
from qballot.core.canonical import JsonTree
from qballot.core.census import CensusEntry
from qballot.core.types import Address, VoterIndex, Weight


@dataclass(frozen=True, slots=True)
class Repeat:
    """An address that a list names more than once. indices: where, from 0; only the first is compared further."""

    address: Address
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A voter of both lists whose entry is another."""

    before: CensusEntry
    after: CensusEntry


@dataclass(frozen=True, slots=True)
class VoterList:
    """One list as it was compared. voters: different ones. weight: of all of them together."""

    voters: int
    weight: int
    repeats: tuple[Repeat, ...]


@dataclass(frozen=True, slots=True)
class CensusAudit:
    """Two lists compared by address.

    added, by index in the second list; removed, by index in the first; changed: another weight, wherever they stand;
    moved: the same weight under another index, so that the voter's proof is another. unchanged: how many are neither.
    """

    before: VoterList
    after: VoterList
    added: tuple[CensusEntry, ...]
    removed: tuple[CensusEntry, ...]
    changed: tuple[Difference, ...]
    moved: tuple[Difference, ...]
    unchanged: int

    @property
    def is_same(self) -> bool:
        """Whether both lists make the same census."""
        return not (
            self.added
            or self.removed
            or self.changed
            or self.moved
            or self.before.repeats != ()
            or self.after.repeats != ()
        )

    def to_json(self) -> dict[str, JsonTree]:
        """Write the whole audit as JSON."""
        return {
            "same": self.is_same,
            "before": _list_to_json(self.before),
            "after": _list_to_json(self.after),
            "added": [_entry_to_json(entry) for entry in self.added],
            "removed": [_entry_to_json(entry) for entry in self.removed],
            "changed": [_difference_to_json(item) for item in self.changed],
            "moved": [_difference_to_json(item) for item in self.moved],
            "unchanged": self.unchanged,
        }


def compare_voters(before: Sequence[tuple[Address, Weight]], after: Sequence[tuple[Address, Weight]]) -> CensusAudit:
    """Compare two lists of (address, weight), each in the order of its indices."""
    old, old_list = _index(before)
    new, new_list = _index(after)
    changed: list[Difference] = []
    moved: list[Difference] = []
    unchanged = 0
    for address, entry in old.items():
        other = new.get(address)
        if other is None:
            continue
        if other.weight != entry.weight:
            changed.append(Difference(entry, other))
        elif other.index != entry.index:
            moved.append(Difference(entry, other))
        else:
            unchanged += 1
    return CensusAudit(
        before=old_list,
        after=new_list,
        added=tuple(entry for address, entry in new.items() if address not in old),
        removed=tuple(entry for address, entry in old.items() if address not in new),
        changed=tuple(changed),
        moved=tuple(moved),
        unchanged=unchanged,
    )


def _index(rows: Sequence[tuple[Address, Weight]]) -> tuple[dict[Address, CensusEntry], VoterList]:
    """Map each address to its first entry, and sum the list up."""
    first: dict[Address, CensusEntry] = {}
    repeats: dict[Address, list[int]] = {}
    for index, (address, weight) in enumerate(rows):
        earlier = first.setdefault(address, CensusEntry(VoterIndex(index), address, weight))
        if earlier.index != index:
            repeats.setdefault(address, [earlier.index]).append(index)
    listed = tuple(Repeat(address, tuple(indices)) for address, indices in repeats.items())
    return first, VoterList(len(first), sum(entry.weight for entry in first.values()), listed)


def _list_to_json(voters: VoterList) -> dict[str, JsonTree]:
    repeats: list[JsonTree] = [
        {"address": checksum_address(repeat.address), "indices": list(repeat.indices)} for repeat in voters.repeats
    ]
    return {"voters": voters.voters, "total_weight": str(voters.weight), "duplicates": repeats}


def _entry_to_json(entry: CensusEntry) -> dict[str, JsonTree]:
    return {"address": checksum_address(entry.address), "index": entry.index, "weight": str(entry.weight)}


def _difference_to_json(item: Difference) -> dict[str, JsonTree]:
    return {
        "address": checksum_address(item.after.address),
        "index_before": item.before.index,
        "index": item.after.index,
        "weight_before": str(item.before.weight),
        "weight": str(item.after.weight),
    }
