"""What a liar tells: logs, headers and heads that fit together as well as he takes the trouble to make them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lying_chain import World

from qballot.chain.contracts import BALLOT_BOX_CANCELLED, BALLOTS_CAST
from qballot.core.bloom import compute_bloom
from qballot.core.forks import FIELDS, Field
from qballot.core.keccak import keccak
from qballot.core.proof import build_receipts_trie, decode_receipt_answers
from qballot.core.proof.rlp import encode_list, encode_string, encode_uint
from qballot.core.records import CANCELLED_HEAD

CAST = "0x" + BALLOTS_CAST.hex()
CANCELLED = "0x" + BALLOT_BOX_CANCELLED.hex()

Json = dict[str, Any]


def number_of(item: Json) -> int:
    """The height of a log's block."""
    return int(item["blockNumber"], 16)


def read_batch(log: Json) -> bytes:
    """Take a batch's records out of a log."""
    data = bytes.fromhex(log["data"][2:])
    return data[64 : 64 + int.from_bytes(data[32:64])]


def with_batch(log: Json, packed: bytes) -> Json:
    """Put other records into a log."""
    padded = packed + bytes(-len(packed) % 32)
    return {**log, "data": "0x" + ((32).to_bytes(32) + len(packed).to_bytes(32) + padded).hex()}


@dataclass
class Story:
    """What a liar tells of a world. logs: in the order of the chain.

    in_receipts: whether block receipts tell the same. in_heads: whether `head()` does. blooms: "true", "none" where the
    changed blocks' are emptied, "fitting" where they are those of the told logs. fields: other values of headers'
    fields, by block. rehashed: whether every header has the hash of its fields and names the one before it, whatever
    they are now; otherwise the hashes stay. in_root: whether receipts roots are those of the told receipts.
    later_fields: those that headers may have behind the ones that we know.
    """

    world: World
    logs: list[Json]
    in_receipts: bool = False
    in_heads: bool = False
    in_root: bool = False
    blooms: str = "true"
    rehashed: bool = False
    later_fields: tuple[Field, ...] = ()
    fields: dict[int, Json] = field(default_factory=dict)

    @cached_property
    def changed(self) -> set[int]:
        """The blocks of which other logs are told."""
        true, told = (by_block(logs) for logs in (self.world.logs, self.logs))
        return {number for number in true.keys() | told.keys() if true.get(number) != told.get(number)}

    @cached_property
    def _by_block(self) -> dict[int, list[Json]]:
        return by_block(self.logs)

    def receipts(self, number: int, true: list[Json]) -> list[Json]:
        """Tell a block's receipts."""
        if not self.in_receipts or number not in self.changed or not true:
            return true
        told = self._by_block.get(number, [])
        hashes = [receipt["transactionHash"] for receipt in true]
        by_hash: dict[str, list[Json]] = {name: [] for name in hashes}
        for log in told:
            by_hash.get(log["transactionHash"], by_hash[hashes[0]]).append(log)
        return [
            {**receipt, "logs": logs, "logsBloom": "0x" + bloom_of(logs).hex()}
            for receipt, logs in zip(true, by_hash.values(), strict=True)
        ]

    @cached_property
    def headers(self) -> dict[int, Json]:
        """The headers as they are told."""
        told: dict[int, Json] = {}
        parent: str | None = None
        for number, true in self.world.headers.items():
            header = {**true, **self._bloom_fields(number), **self.fields.get(number, {})}
            if self.rehashed:
                if parent is not None and "parentHash" not in self.fields.get(number, {}):
                    header["parentHash"] = parent
                header["hash"] = parent = rehash(header, self.later_fields)
            told[number] = header
        return told

    @cached_property
    def names(self) -> dict[str, str]:
        """The told hash of each block by its true one, where they differ."""
        pairs = ((self.world.headers[number]["hash"], header["hash"]) for number, header in self.headers.items())
        return {true: told for true, told in pairs if true != told}

    def _bloom_fields(self, number: int) -> Json:
        if number not in self.changed:
            return {}
        found: Json = {}
        if self.blooms == "none":
            found["logsBloom"] = "0x" + bytes(256).hex()
        elif self.blooms == "fitting":
            found["logsBloom"] = "0x" + bloom_of(self._by_block.get(number, [])).hex()
        if self.in_root:
            true = self.world.node.ask("eth_getBlockReceipts", self.world.headers[number]["hash"])
            receipts = decode_receipt_answers(self.receipts(number, true))
            found["receiptsRoot"] = "0x" + build_receipts_trie(receipts).root.hex()
        return found

    def head(self, box: str, at: int) -> str | None:
        """Tell a box's head after a block; None where the true one will do."""
        if not self.in_heads:
            return None
        plan = next((plan for plan in self.world.plans if "0x" + plan.box.hex() == box), None)
        own = [log for log in self.logs if log["address"] == box and number_of(log) <= at]
        if plan is None or at < self.world.first:
            return None
        head = plan.arguments.definition_hash
        for log in own:
            head = CANCELLED_HEAD if log["topics"][0] == CANCELLED else keccak(head + keccak(read_batch(log)))
        return "0x" + head.hex()


def by_block(logs: Iterable[Json]) -> dict[int, list[Json]]:
    """Part logs by their blocks."""
    found: dict[int, list[Json]] = {}
    for log in logs:
        found.setdefault(number_of(log), []).append(log)
    return found


def bloom_of(logs: Iterable[Json]) -> bytes:
    """Compute the filter of these logs."""
    return compute_bloom(bytes.fromhex(item[2:]) for log in logs for item in (log["address"], *log["topics"]))


def rehash(header: Json, later_fields: tuple[Field, ...] = ()) -> str:
    """Compute the hash of a header's fields, those of a later fork included."""
    fields = [(item, header[item.name]) for item in FIELDS + later_fields if header.get(item.name) is not None]
    items = [
        encode_uint(int(value, 16)) if item.bits else encode_string(bytes.fromhex(value[2:])) for item, value in fields
    ]
    return "0x" + keccak(encode_list(items)).hex()


def rename(value: Any, names: dict[str, str]) -> Any:
    """Put other hashes in the place of those that are in a JSON value."""
    if not names:
        return value
    text = json.dumps(value)
    for old, new in names.items():
        if old in text:
            text = text.replace(old, new)
    return json.loads(text)
