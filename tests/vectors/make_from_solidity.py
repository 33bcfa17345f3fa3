"""Makes records.json, heads.json and addresses.json by running Reference.sol on a local anvil.

    python tests/vectors/make_from_solidity.py

Needs what `npm ci` installs. The inputs are made up here; everything computed comes from the EVM, from Solady, or, for
CREATE2, is copied from EIP-1014.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from web3 import Web3
from web3.contract import Contract

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SOURCE = "tests/vectors/make_from_solidity.py: Reference.sol on anvil"

EIP_1014 = [
    ("0x0000000000000000000000000000000000000000", "00", "00", "0x4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38"),
    ("0xdeadbeef00000000000000000000000000000000", "00", "00", "0xB928f69Bb1D91Cd65274e3c79d8986362984fDA3"),
    (
        "0xdeadbeef00000000000000000000000000000000",
        "000000000000000000000000feed000000000000000000000000000000000000",
        "00",
        "0xD04116cDd17beBE565EB2422F2497E06cC1C9833",
    ),
    ("0x0000000000000000000000000000000000000000", "00", "deadbeef", "0x70f2b2914A2a4b783FaEFb75f459A580616Fcb5e"),
    (
        "0x00000000000000000000000000000000deadbeef",
        "00000000000000000000000000000000000000000000000000000000cafebabe",
        "deadbeef",
        "0x60f3f640a8508fC6a86d45DF051962668E1e8AC7",
    ),
    (
        "0x00000000000000000000000000000000deadbeef",
        "00000000000000000000000000000000000000000000000000000000cafebabe",
        "deadbeef" * 11,
        "0x1d8bfDC5D46DC4f61D6b6115972536eBE6A8854C",
    ),
    ("0x0000000000000000000000000000000000000000", "00", "", "0xE33C0C7F7df4809055C3ebA6c09CFe4BaF1BD9e0"),
]


def digest(name: str) -> bytes:
    """Make 32 bytes up from a name."""
    return sha256(name.encode()).digest()


@contextmanager
def reference() -> Iterator[Contract]:
    """Compile and deploy Reference.sol on an anvil that lives as long as the block."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    folder = ROOT / "node_modules" / "@foundry-rs" / f"anvil-{platform.system().lower()}-{machine}"
    anvil = subprocess.Popen(
        [folder / "bin" / "anvil", "--port", "0", "--hardfork", "osaka"], stdout=subprocess.PIPE, text=True
    )
    try:
        listening = next(match for line in anvil.stdout or () if (match := re.search(r"Listening on (\S+)", line)))
        web3 = Web3(Web3.HTTPProvider(f"http://{listening[1]}"))
        contract = compile_reference()
        sender = web3.eth.accounts[0]
        transaction = web3.eth.contract(**contract).constructor().transact({"from": sender})
        address = web3.eth.wait_for_transaction_receipt(transaction)["contractAddress"]
        yield web3.eth.contract(address=address, abi=contract["abi"])  # type: ignore[misc]
    finally:
        anvil.kill()
        anvil.wait()


def compile_reference() -> dict[str, Any]:
    """Compile Reference.sol with npm's compiler. Returns its ABI and creation code."""
    names = ["solady/src/utils/LibClone.sol", "solady/src/utils/LibRLP.sol"]
    sources = {name: {"content": (ROOT / "node_modules" / name).read_text()} for name in names}
    sources["Reference.sol"] = {"content": (HERE / "Reference.sol").read_text()}
    settings = {
        "viaIR": True,
        "optimizer": {"enabled": True},
        "outputSelection": {"Reference.sol": {"Reference": ["abi", "evm.bytecode.object"]}},
    }
    request = json.dumps({"language": "Solidity", "sources": sources, "settings": settings})
    command = ["node", str(ROOT / "scripts" / "solc.mjs"), "--standard-json"]
    answer = json.loads(subprocess.run(command, input=request, capture_output=True, text=True, check=True).stdout)
    if errors := [error["formattedMessage"] for error in answer.get("errors", []) if error["severity"] == "error"]:
        raise SystemExit("\n".join(errors))
    compiled = answer["contracts"]["Reference.sol"]["Reference"]
    return {"abi": compiled["abi"], "bytecode": compiled["evm"]["bytecode"]["object"]}


def make_records(contract: Contract) -> dict[str, Any]:
    """Records of all sizes, and bytes that are no records."""
    direct = 1 << 39
    inputs = [
        (0, 0, 0, b""),
        (0, 1_800_000_000, 1, b"\x01"),
        (7, 1_800_000_001, 25, bytes([0, 1, 2, 0x80, 0xFF])),
        (1023, direct | 1_800_000_002, 1, bytes([3, 1, 2, 0])),
        (2**32 - 1, 2**40 - 1, 2**96 - 1, bytes(range(256))),
        (2**31, 2**32, 2**64, bytes(24)),
        (2**24 + 1, 2**32 - 1, 2**64 - 1, bytes(23)),
        (1, 2, 3, digest("a longer ballot") * 9),
    ]
    records = [
        {
            "voter": voter,
            "cast_at": cast_at,
            "weight": str(weight),
            "ballot": "0x" + ballot.hex(),
            "packed": "0x" + contract.functions.packRecord(voter, cast_at, weight, ballot).call().hex(),
        }
        for voter, cast_at, weight, ballot in inputs
    ]
    whole, empty = bytes.fromhex(records[2]["packed"][2:]), bytes.fromhex(records[0]["packed"][2:])
    malformed = [
        ("one byte", b"\x00", 0),
        ("a header short of one byte", empty[:-1], 0),
        ("no ballot where five bytes are named", whole[:23], 23),
        ("a ballot short of one byte", whole[:-1], 23),
        ("a byte too many", whole + b"\x00", 28),
        ("a second header short of one byte", whole + empty[:-1], 28),
        ("a second ballot short of one byte", empty + whole[:-1], 46),
    ]
    return {
        "description": "Records, packed; and bytes that are no list of records, with the offset of what is cut short.",
        "source": SOURCE,
        "records": records,
        "malformed": [{"case": case, "data": "0x" + data.hex(), "offset": at} for case, data, at in malformed],
    }


def make_heads(contract: Contract) -> dict[str, Any]:
    """Chains of batches; the same records cut into other batches lead to another head."""
    packed = [
        contract.functions.packRecord(voter, 1_800_000_000 + voter, 1, bytes([voter])).call() for voter in (3, 4, 9)
    ]
    cuts = {
        "no batch": [],
        "one batch of one record": packed[:1],
        "one batch of three records": [b"".join(packed)],
        "the same records in three batches": packed,
        "the same records in two batches": [packed[0] + packed[1], packed[2]],
        "the same batch twice": [packed[0], packed[0]],
    }
    chains = []
    for case, batches in cuts.items():
        head = digest("definition")
        steps = []
        for records in batches:
            head = contract.functions.advanceHead(head, records).call()
            steps.append({"records": "0x" + records.hex(), "head": "0x" + head.hex()})
        chains.append({"case": case, "definition_hash": "0x" + digest("definition").hex(), "batches": steps})
    return {
        "description": "Chains of batches with the head after each, and the head of a cancelled election.",
        "source": SOURCE,
        "cancelled_head": "0x" + contract.functions.cancelledHead().call().hex(),
        "chains": chains,
    }


def make_box(contract: Contract, name: str, sheets: int, text_ballots: bool = False) -> dict[str, Any]:
    """One box with made-up arguments: its packed arguments, both codes and its address."""
    address = {role: Web3.to_checksum_address(digest(f"{name} {role}")[:20]) for role in ("a", "b", "c")}
    factory, implementation, organizer = address["a"], address["b"], address["c"]
    arguments = {
        "definition_hash": "0x" + digest(f"{name} definition").hex(),
        "organizer": organizer,
        "opens_at": 2**32 + 5 if sheets > 1 else 1_800_000_000,
        "closes_at": 2**39 - 1 if sheets > 1 else 1_800_086_400,
        "sheet_bits": 10,
        "voters": sheets * 1024 - 1,
        "max_ballot_bytes": 65535 if sheets > 1 else 4,
        "text_ballots": text_ballots,
        "sheet_roots": ["0x" + digest(f"{name} sheet {sheet}").hex() for sheet in range(sheets)],
    }
    call = contract.functions
    packed = call.packArguments(
        arguments["definition_hash"],
        organizer,
        [arguments["opens_at"], arguments["closes_at"]],
        arguments["sheet_bits"],
        arguments["voters"],
        arguments["max_ballot_bytes"],
        arguments["text_ballots"],
        arguments["sheet_roots"],
    ).call()
    salt = digest(f"{name} salt")
    return {
        "arguments": arguments,
        "packed": "0x" + packed.hex(),
        "factory": factory,
        "implementation": implementation,
        "salt": "0x" + salt.hex(),
        "init_code": "0x" + call.initCode(implementation, packed).call().hex(),
        "runtime_code": "0x" + call.runtimeCode(implementation, packed).call().hex(),
        "box": call.boxAddress(factory, implementation, packed, organizer, salt).call(),
    }


def make_addresses(contract: Contract) -> dict[str, Any]:
    """Addresses by CREATE and CREATE2, and whole boxes."""
    sender = Web3.to_checksum_address("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")
    nonces = [0, 1, 2, 127, 128, 255, 256, 65_535, 65_536, 2**32, 2**63]
    return {
        "description": "Addresses by CREATE, by CREATE2, and of ballot boxes with their code.",
        "source": SOURCE + "; create2: the examples of EIP-1014",
        "create": [
            {"sender": sender, "nonce": nonce, "address": contract.functions.createAddress(sender, nonce).call()}
            for nonce in nonces
        ],
        "create2": [
            {
                "sender": Web3.to_checksum_address(sender),
                "salt": "0x" + salt.rjust(64, "0"),
                "init_code": "0x" + code,
                "address": address,
            }
            for sender, salt, code, address in EIP_1014
        ],
        "boxes": [
            make_box(contract, "small", 1),
            make_box(contract, "large", 3),
            make_box(contract, "wide", 20),
            make_box(contract, "text", 1, text_ballots=True),
            make_box(contract, "large text", 3, text_ballots=True),
        ],
    }


def main() -> None:
    """Write the three files."""
    with reference() as contract:
        for name, make in (("records", make_records), ("heads", make_heads), ("addresses", make_addresses)):
            (HERE / f"{name}.json").write_text(json.dumps(make(contract), indent=1) + "\n")


if __name__ == "__main__":
    main()
