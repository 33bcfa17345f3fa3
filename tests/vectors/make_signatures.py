"""Makes signatures.json with eth-account, so that our digests and signatures are checked against another hand's.

    python tests/vectors/make_signatures.py

The keys are the first ones of anvil's public mnemonic: everybody has them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.crypto import keccak

KEYS = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
]
BOX, OTHER_BOX = "0x5FbDB2315678afecb367f032d93F642f64180aa3", "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"

Domain = tuple[int, str]
"""Chain id and box."""


def encode(domain: Domain, voter: int, cast_at: int, ballot: bytes | str) -> SignableMessage:
    """Encode one ballot, as bytes or as text, by what it is."""
    types = {
        "Ballot": [
            {"name": "voter", "type": "uint32"},
            {"name": "castAt", "type": "uint40"},
            {"name": "ballot", "type": "string" if isinstance(ballot, str) else "bytes"},
        ]
    }
    chain_id, box = domain
    return encode_typed_data(
        {"name": "QBallot", "version": "1", "chainId": chain_id, "verifyingContract": box},
        types,
        {"voter": voter, "castAt": cast_at, "ballot": ballot},
    )


def hash_signable(signable: SignableMessage) -> str:
    """Compute the digest that is signed."""
    return "0x" + keccak(b"\x19\x01" + signable.header + signable.body).hex()


def make_case(key: str, domain: Domain, voter: int, cast_at: int, ballot: bytes | str) -> dict[str, Any]:
    """Hash and sign one ballot with eth-account; with text say also what the digest of its bytes would be."""
    chain_id, box = domain
    signable = encode(domain, voter, cast_at, ballot)
    signed = Account.sign_message(signable, key)
    as_bytes = ballot.encode() if isinstance(ballot, str) else ballot
    more: dict[str, str] = {}
    if isinstance(ballot, str):
        more = {"text": ballot, "bytes_digest": hash_signable(encode(domain, voter, cast_at, as_bytes))}
    vs = signed.s | (signed.v - 27) << 255
    return {
        "private_key": key,
        "signer": Account.from_key(key).address,
        "chain_id": str(chain_id),
        "box": box,
        "voter": voter,
        "cast_at": cast_at,
        "ballot": "0x" + as_bytes.hex(),
        "domain_separator": "0x" + signable.header.hex(),
        "digest": hash_signable(signable),
        "r": "0x" + signed.r.to_bytes(32).hex(),
        "vs": "0x" + vs.to_bytes(32).hex(),
        **more,
    }


def make_cases(inputs: list[tuple[int, str, int, int, Any]]) -> list[dict[str, Any]]:
    """Make a case of each chain id, box, voter, time and ballot."""
    return [
        make_case(KEYS[place % len(KEYS)], (chain_id, box), voter, cast_at, ballot)
        for place, (chain_id, box, voter, cast_at, ballot) in enumerate(inputs)
    ]


def main() -> None:
    """Write the file."""
    signatures = [
        (1, BOX, 0, 1_800_000_000, b"\x01"),
        (31_337, BOX, 0, 1_800_000_000, b"\x01"),
        (31_337, OTHER_BOX, 0, 1_800_000_000, b"\x01"),
        (11_155_111, BOX, 1023, 1_800_000_001, bytes([3, 1, 2, 0])),
        (1, BOX, 7, 1_800_000_002, b""),
        (1, BOX, 7, 1_800_000_003, bytes([0x80, 0xFF, 0, 1] * 40)),
        (2**53 + 1, BOX, 2**32 - 1, 2**40 - 1, bytes(256)),
    ]
    text_signatures = [
        (1, BOX, 0, 1_800_000_000, "park: yes"),
        (31_337, BOX, 0, 1_800_000_000, "park: yes"),
        (31_337, OTHER_BOX, 0, 1_800_000_000, "park: blank"),
        (11_155_111, BOX, 1023, 1_800_000_001, "chair: ada>ben; board: cy,di"),
        # The first ballot of the other list, byte for byte, and texts that no definition allows: the box takes any.
        (1, BOX, 0, 1_800_000_000, "\x01"),
        (1, BOX, 7, 1_800_000_002, ""),
        (1, BOX, 7, 1_800_000_003, "\u00e9\u20ac\U0001f5f3"),
        (1, BOX, 7, 1_800_000_004, "0x01"),
        (2**53 + 1, BOX, 2**32 - 1, 2**40 - 1, "; ".join(f"contest-{number}: ada~ben>cy" for number in range(40))),
    ]
    document = {
        "description": "Ballots with their EIP-712 digest and compact signature (EIP-2098), deterministic by RFC 6979; "
        "text_signatures: signed as a string, with the digest that the same bytes have as bytes.",
        "source": "tests/vectors/make_signatures.py with eth-account; keys from anvil's public mnemonic",
        "signatures": make_cases(signatures),
        "text_signatures": make_cases(text_signatures),
    }
    Path(__file__).with_name("signatures.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
