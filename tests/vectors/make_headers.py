"""Makes headers.json: a real client's headers on both sides of the Amsterdam fork, encoded and hashed by other means.

    python tests/vectors/make_headers.py ../shared/vectors/amsterdam/blocks.json

The file that is given holds two block answers of a reth 2.7.0 development chain, the last one with Prague's fields and
the first one with Amsterdam's, from a public light client's test data. Its fields are read; encoding (pyrlp) and hash
(pycryptodome) are recomputed, and the hash is compared with the client's. Nothing of QBallot is imported: the order of
the fields is that of go-ethereum's `types.Header`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import rlp
from Crypto.Hash import keccak

HERE = Path(__file__).parent
ORDER = (
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
    "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas", "withdrawalsRoot",
    "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash", "blockAccessListHash", "slotNumber",
)  # fmt: skip
NUMBERS = {
    "difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas",
    "slotNumber",
}  # fmt: skip
FORKS = {"last_block_before_the_fork": ("prague", 21), "first_block_after_the_fork": ("amsterdam", 23)}


def encode(block: dict[str, str]) -> bytes:
    """Encode the fields that a block has."""
    fields = [(name, block[name]) for name in ORDER if name in block]
    data: bytes = rlp.encode(
        [int(value, 16) if name in NUMBERS else bytes.fromhex(value[2:]) for name, value in fields]
    )
    return data


def make_case(name: str, block: dict[str, str]) -> dict[str, Any]:
    """Make the case of one block."""
    fork, count = FORKS[name]
    data = encode(block)
    assert len(rlp.decode(data)) == count
    hashed = "0x" + keccak.new(digest_bits=256, data=data).hexdigest()
    assert hashed == block["hash"], f"{name}: found {hashed}, expected {block['hash']}"
    answer = {field: block[field] for field in ORDER if field in block}
    return {"fork": fork, "fields": count, "answer": {**answer, "hash": hashed}, "rlp": "0x" + data.hex()}


def main() -> None:
    """Write the vectors."""
    blocks = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    document = {
        "description": "Headers as nodes answer them, and as they are hashed.",
        "source": "tests/vectors/make_headers.py: two blocks of a reth 2.7.0 development chain; pyrlp, pycryptodome",
        "cases": [make_case(name, blocks[name]) for name in FORKS],
    }
    (HERE / "headers.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
