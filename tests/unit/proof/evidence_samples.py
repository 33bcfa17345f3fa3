"""The vectors of evidence and receipts, as tests use them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from qballot.core.proof import Pins
from qballot.core.types import Address, Hash32

VECTORS = Path(__file__).parents[2] / "vectors" / "evidence"
INDEX: dict[str, Any] = json.loads((VECTORS / "index.json").read_text(encoding="utf-8"))
CHAIN_ID: int = INDEX["chain_id"]
PINS = Pins(
    Address(bytes.fromhex(INDEX["pins"]["factory"][2:])),
    Hash32(bytes.fromhex(INDEX["pins"]["implementation_code_hash"][2:])),
)


@cache
def read_good(name: str) -> bytes:
    return (VECTORS / "good" / f"{name}.jsonl").read_bytes()


@cache
def read_bad(name: str) -> bytes:
    return (VECTORS / "bad" / f"{name}.jsonl").read_bytes()


@cache
def read_unknown(name: str) -> bytes:
    return (VECTORS / "unknown" / f"{name}.jsonl").read_bytes()


@cache
def read_receipt(name: str) -> bytes:
    return (VECTORS / "receipts" / f"{name}.json").read_bytes()


def find(kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in INDEX[kind] if item["name"] == name)
    return found


def trusted_hash(item: dict[str, Any]) -> Hash32:
    return Hash32(bytes.fromhex(item["trusted_block_hash"][2:]))
