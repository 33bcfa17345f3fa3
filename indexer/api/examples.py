"""Examples for the API's description; tests hold them to the schemas."""

from __future__ import annotations

from typing import Any

_BOX = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
_FACTORY = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
_ORGANIZER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
_DEFINITION_BYTES = (
    b'{"contests":[{"id":"chair","method":"plurality","options":[{"id":"ada","title":"Ada"},'
    b'{"id":"ben","title":"Ben"}],"title":"Chair"}],"qballot":1,"title":"Board election"}'
)
_DEFINITION = {
    "qballot": 1,
    "title": "Board election",
    "contests": [
        {
            "id": "chair",
            "title": "Chair",
            "method": "plurality",
            "options": [{"id": "ada", "title": "Ada"}, {"id": "ben", "title": "Ben"}],
        }
    ],
}


def _hash(digit: str) -> str:
    return "0x" + digit * 64


_BLOCK = {"number": 1204, "hash": _hash("b"), "timestamp": 1_798_761_612}
_SOURCE = {"block_number": 1180, "block_hash": _hash("c"), "log_index": 3, "transaction_hash": _hash("d")}
_TURNOUT = {"voters_cast": 3, "voters": 5, "weight_cast": "3"}
_SUMMARY: dict[str, Any] = {
    "election": _BOX,
    "title": "Board election",
    "phase": "closed",
    "opens_at": 1_798_675_200,
    "closes_at": 1_798_761_600,
    "voters": 5,
    "records": 4,
}

_LEVEL: dict[str, Any] = {
    "level": "witnessed",
    "level_text": "Witnessed: verified against the hash of block 1204, which infura and alchemy name. …",
    "next_level_text": "Not final: infura and alchemy do not call block 1204 finalized yet.",
    "named_by": [
        {"operator": "infura", "hash": _hash("b"), "agrees": True, "final": False},
        {"operator": "alchemy", "hash": _hash("b"), "agrees": True, "final": False},
    ],
    "alarm": None,
    "alarm_kind": None,
    "repaired": [],
    "unknown_header": None,
}

ERROR: dict[str, Any] = {"type": "not_found", "detail": "this index holds no election at this address"}
VOTER_PROOF: dict[str, Any] = {
    "address": "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "index": 0,
    "proof": [
        "0xadbbf510566180fffb125c739c9bb9dfdaa55e4bffff9f88f755ed5617ae6a27",
        "0x1bbf40c9025e6eb3bb1926112a7efff189d4e14cd80d9c02a1c3babcfdd75310",
    ],
    "qballot_census_proof": 1,
    "root": "0xc333620a374a20e267b028a504805c59dc3170af6de035444bebf15ba72ab03c",
    "sheet": 0,
    "sheet_bits": 10,
    "voters": 3,
    "weight": "1",
}
ALIVE: dict[str, Any] = {"status": "alive"}
READY: dict[str, Any] = {
    "status": "ready",
    "indexed_block": 1204,
    "chain_block": 1205,
    "lag_blocks": 1,
    "lag_seconds": 12,
    "silent_seconds": 1.4,
}
NOT_READY: dict[str, Any] = {
    "type": "unavailable",
    "detail": "the index is 25 blocks behind its chain",
    "indexed_block": 1180,
    "chain_block": 1205,
    "lag_blocks": 25,
    "lag_seconds": 300,
    "silent_seconds": 1.4,
}
ELECTION_LIST: dict[str, Any] = {"block": _BLOCK, "elections": [_SUMMARY], "next": None}
ELECTION: dict[str, Any] = {
    **_SUMMARY,
    "chain_id": 1,
    "factory": _FACTORY,
    "organizer": _ORGANIZER,
    "salt": _hash("0"),
    "definition": _DEFINITION,
    "definition_bytes": f"0x{_DEFINITION_BYTES.hex()}",
    "definition_hash": _hash("e"),
    "invalid_reason": None,
    "unknown_version": None,
    "sheet_bits": 10,
    "sheet_roots": [_hash("f")],
    "max_ballot_bytes": 2,
    "text_ballots": False,
    "created": _SOURCE,
    "head": _hash("a"),
    "batches": 2,
    "turnout": _TURNOUT,
    "block": _BLOCK,
}
RESULT: dict[str, Any] = {
    "election": _BOX,
    "title": "Board election",
    "chain_id": 1,
    "factory": _FACTORY,
    "definition_hash": _hash("e"),
    "state": "complete",
    "state_text": "Complete: the election closed at 2027-01-01 00:00:00 UTC, and at block 1204 no ballot can follow.",
    **_LEVEL,
    "block": _BLOCK,
    "head": _hash("a"),
    "turnout": _TURNOUT,
    "records": 4,
    "contests": [
        {
            "id": "chair",
            "title": "Chair",
            "method": "plurality",
            "seats": 1,
            "winners": ["ada"],
            "tied": [],
            "tied_for": None,
            "open_seats": 0,
            "waits_for_lot": False,
            "verdict": None,
            "requirements": [],
            "leading": [],
            "totals": {"ada": "2", "ben": "1"},
            "log": [
                {"kind": "totals", "text": "Votes: Ada 2, Ben 1.", "totals": {"ada": "2", "ben": "1"}},
                {"kind": "outcome", "text": "Ada wins with 2 votes.", "winners": ["ada"], "tied": []},
            ],
            "ballots": 3,
            "counted": 3,
            "blank": 0,
            "spoiled": {},
            "ballots_weight": "3",
            "counted_weight": "3",
            "blank_weight": "0",
            "spoiled_weight": {},
        }
    ],
}
VERIFICATION: dict[str, Any] = {
    "election": _BOX,
    "chain_id": 1,
    "state": "complete",
    "state_text": RESULT["state_text"],
    **{name: value for name, value in _LEVEL.items() if not name.startswith(("alarm", "repaired", "unknown"))},
    "needed": 2,
    "alarm": None,
    "alarm_kind": None,
    "repaired": [],
    "unknown_header": None,
    "block": _BLOCK,
    "head": _hash("a"),
    "proof": {"block": _BLOCK, "operator": "infura", "has_lot": False},
}
EVIDENCE = """\
{"kind":"evidence","version":1,"chain_id":1,"factory":"0x…","box":"0x…","salt":"0x…","code":"0x…"}
{"kind":"definition","bytes":"0x…"}
{"kind":"block","header":"0x…"}
{"kind":"proof","box":["0x…"],"implementation":["0x…"],"head":["0x…"]}
{"kind":"batches","batches":["0x…"]}
{"kind":"census","hash":null}
{"kind":"voters","voters":[["0x…","1"]]}
{"kind":"end","batches":1,"records":1,"voters":1,"headers":0}
"""
RECEIPT: dict[str, Any] = {
    "kind": "receipt",
    "version": 1,
    "chain_id": 1,
    "box": _BOX.lower(),
    "header": "0xf90261a0",
    "transaction": 3,
    "nodes": ["0xf851a0", "0xf90174"],
    "log": 0,
    "position": 5,
}
BALLOT_LIST: dict[str, Any] = {
    "election": _BOX,
    "block": _BLOCK,
    "ballots": [
        {
            "position": 0,
            "batch": 0,
            "voter": 2,
            "cast_at": 1_798_680_000,
            "direct": False,
            "weight": "1",
            "ballot": "0x0100",
            "source": _SOURCE,
        }
    ],
    "next": None,
}
