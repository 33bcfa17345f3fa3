"""Makes census_files.json: census files and voters' proof files, byte for byte, by other means than ours.

    python tests/vectors/make_census_files.py

Voters, roots and proofs are those of censuses.json (OpenZeppelin's); JSON is Python's own with sorted keys, checksums
are eth-utils', hashes pycryptodome's. Nothing of QBallot is imported.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from Crypto.Hash import keccak
from eth_utils.address import to_checksum_address

HERE = Path(__file__).parent
RECIPE = {
    "block_hash": "0x" + "5a" * 32,
    "block_number": 21_000_000,
    "chain_id": 1,
    "divide": "1000000000000000000",
    "exclude": [to_checksum_address("0x" + "0b" * 20), to_checksum_address("0x" + "c3" * 20)],
    "follow_delegation": True,
    "from_block": 10_861_674,
    "ignore_supply": False,
    "kind": "erc20",
    "min_weight": "100",
    "token": to_checksum_address("0x1f9840a85d5af5bf1d1762f925bdaddc4201f984"),
}
THINGS = {**RECIPE, "divide": "1", "exclude": [], "follow_delegation": False, "kind": "erc721", "min_weight": "1"}


def write(document: dict[str, Any]) -> str:
    """Write JSON in the form of RFC 8785, which for ASCII keys and integers is this."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def hash_text(text: str) -> str:
    return "0x" + keccak.new(digest_bits=256, data=text.encode()).hexdigest()


def make_file(census: dict[str, Any], recipe: dict[str, Any] | None) -> dict[str, Any]:
    voters = [[to_checksum_address(voter["address"]), voter["weight"]] for voter in census["voters"]]
    document: dict[str, Any] = {
        "qballot_census": 1,
        "voters": voters,
        "sheet_bits": census["sheet_bits"],
        "sheet_roots": census["sheet_roots"],
    }
    text = write(document if recipe is None else {**document, "recipe": recipe})
    name = census["name"] + ("" if recipe is None else f", of an {recipe['kind']}")
    return {"name": name, "text": text, "hash": hash_text(text)}


def make_proofs(census: dict[str, Any]) -> list[dict[str, Any]]:
    found = []
    for item in census["proofs"]:
        voter, sheet = census["voters"][item["index"]], item["index"] >> census["sheet_bits"]
        document = {
            "qballot_census_proof": 1,
            "address": to_checksum_address(voter["address"]),
            "index": item["index"],
            "weight": voter["weight"],
            "voters": len(census["voters"]),
            "sheet": sheet,
            "sheet_bits": census["sheet_bits"],
            "root": census["sheet_roots"][sheet],
            "proof": item["proof"],
        }
        found.append({"census": census["name"], "text": write(document)})
    return found


def main() -> None:
    censuses = {census["name"]: census for census in json.loads((HERE / "censuses.json").read_text())["censuses"]}
    small = ["one voter", "three voters", "three sheets, the last with one voter"]
    document = {
        "description": "Census files, some with the recipe of a token's census, with their hashes; and the proof files "
        "of some censuses' voters. Each text is the file's only form.",
        "source": "tests/vectors/make_census_files.py from censuses.json; eth-utils' checksums, pycryptodome's keccak",
        "census_files": [
            *(make_file(censuses[name], None) for name in small),
            make_file(censuses["three voters"], RECIPE),
            make_file(censuses["three sheets, the last with one voter"], THINGS),
        ],
        "proof_files": [proof for name in small for proof in make_proofs(censuses[name])],
    }
    (HERE / "census_files.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
