"""Makes signatures.json with eth-account, so that our digests and signatures are checked against another hand's.

    python tests/vectors/make_signatures.py

The keys are the first ones of anvil's public mnemonic: everybody has them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

KEYS = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
]
TYPES = {
    "Ballot": [
        {"name": "voter", "type": "uint32"},
        {"name": "castAt", "type": "uint40"},
        {"name": "ballot", "type": "bytes"},
    ]
}


def make_case(key: str, domain: tuple[int, str], voter: int, cast_at: int, ballot: bytes) -> dict[str, Any]:
    """Hash and sign one ballot with eth-account. domain: chain id and box."""
    chain_id, box = domain
    signable = encode_typed_data(
        {"name": "QBallot", "version": "1", "chainId": chain_id, "verifyingContract": box},
        TYPES,
        {"voter": voter, "castAt": cast_at, "ballot": ballot},
    )
    signed = Account.sign_message(signable, key)
    vs = signed.s | (signed.v - 27) << 255
    return {
        "private_key": key,
        "signer": Account.from_key(key).address,
        "chain_id": str(chain_id),
        "box": box,
        "voter": voter,
        "cast_at": cast_at,
        "ballot": "0x" + ballot.hex(),
        "domain_separator": "0x" + signable.header.hex(),
        "digest": "0x" + keccak(b"\x19\x01" + signable.header + signable.body).hex(),
        "r": "0x" + signed.r.to_bytes(32).hex(),
        "vs": "0x" + vs.to_bytes(32).hex(),
    }


def main() -> None:
    """Write the file."""
    box, other_box = "0x5FbDB2315678afecb367f032d93F642f64180aa3", "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"
    inputs = [
        (1, box, 0, 1_800_000_000, b"\x01"),
        (31_337, box, 0, 1_800_000_000, b"\x01"),
        (31_337, other_box, 0, 1_800_000_000, b"\x01"),
        (11_155_111, box, 1023, 1_800_000_001, bytes([3, 1, 2, 0])),
        (1, box, 7, 1_800_000_002, b""),
        (1, box, 7, 1_800_000_003, bytes([0x80, 0xFF, 0, 1] * 40)),
        (2**53 + 1, box, 2**32 - 1, 2**40 - 1, bytes(256)),
    ]
    cases = [
        make_case(KEYS[place % len(KEYS)], (chain_id, at), voter, cast_at, ballot)
        for place, (chain_id, at, voter, cast_at, ballot) in enumerate(inputs)
    ]
    document = {
        "description": "Ballots with their EIP-712 digest and compact signature (EIP-2098), deterministic by RFC 6979.",
        "source": "tests/vectors/make_signatures.py with eth-account; keys from anvil's public mnemonic",
        "signatures": cases,
    }
    Path(__file__).with_name("signatures.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
