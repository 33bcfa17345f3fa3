"""Makes the vectors of evidence and receipts, on a real local chain: `python tests/vectors/evidence/make_evidence.py`.

index.json            what each file is, the block hash that is trusted, and what must come of it
good/NAME.jsonl       evidence that verifies (where index.json names an `invalid_at_step`, all but that step)
bad/NAME.jsonl        evidence of which the step that index.json names is the first to fail
unknown/NAME.jsonl    evidence of a newer version: the step that index.json names ends as unknown
receipts/NAME.json    receipts of single ballots, good, bad and unknown
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bad import Bad, make_bad
from gather import gather_receipt
from good import BLANK, GOOD, SALAD, SOUP, Good
from unknown import Unknown, make_unknown

from qballot.chain.accounts import devnet_account
from qballot.chain.devnet import Devnet
from qballot.chain.pins import default_pins
from qballot.core.keccak import keccak
from qballot.core.proof import ReceiptFile, write_evidence, write_receipt_file
from qballot.core.types import Address, Hash32
from qballot.deploy import deploy_factory
from qballot.testing import make_election

HERE = Path(__file__).parent
STARTS_AT = 1_798_761_600
"""Unix seconds of the chain's first block."""


@dataclass(frozen=True)
class Receipt:
    """A receipt's file. step: the first that fails, None for a good one. record: what a good one shows.

    unknown: the step that ends as unknown, of one that a newer version made.
    """

    name: str
    what: str
    data: bytes
    trusted: Hash32
    step: int | None
    record: dict[str, Any] | None = None
    unknown: int | None = None


def main() -> None:
    for folder in ("good", "bad", "unknown", "receipts"):
        shutil.rmtree(HERE / folder, ignore_errors=True)
        (HERE / folder).mkdir()
    with Devnet(starts_at=STARTS_AT) as devnet:
        deploy_factory(devnet.rpc, devnet_account(0))
        index = {
            "description": "Evidence files and receipts. Of each: the block hash that is trusted, and what follows.",
            "source": "tests/vectors/evidence/make_evidence.py, on anvil",
            "chain_id": devnet.rpc.chain_id(),
            "pins": {name: _hex(value) for name, value in asdict(default_pins()).items()},
            "good": [_write_good(make_good(devnet, place)) for place in range(len(GOOD))],
            "bad": [_write_bad(bad) for bad in make_bad(devnet)],
            "unknown": [_write_unknown(unknown) for unknown in make_unknown(devnet)],
            "receipts": [_write_receipt(receipt) for receipt in make_receipts(devnet)],
        }
    (HERE / "index.json").write_text(json.dumps(index, indent=1) + "\n")


def make_good(devnet: Devnet, place: int) -> Good:
    snapshot = devnet.snapshot()
    good = GOOD[place](devnet)
    devnet.revert(snapshot)
    return good


def make_receipts(devnet: Devnet) -> list[Receipt]:
    scene = make_election(devnet)
    rpc, box = devnet.rpc, scene.deployment.box
    scene.open()
    (sent,) = scene.cast_signed([(0, SOUP), (1, SALAD), (3, SOUP)])
    own = scene.cast(2, BLANK)
    signed, direct = (gather_receipt(rpc, box, receipt.transaction_hash, 0) for receipt in (sent, own))
    funded = gather_receipt(rpc, scene.deployment.factory, scene.deployment.receipt.transaction_hash, 0)
    third = replace(signed, position=2)
    trusted, of_direct = keccak(signed.header), keccak(direct.header)
    record = {"voter": 3, "direct": False, "weight": "1", "ballot": "0x" + SOUP.hex()}
    whole = write_receipt_file(signed)

    def bad(name: str, what: str, step: int, receipt: ReceiptFile | bytes, hash_: Hash32 = trusted) -> Receipt:
        data = receipt if isinstance(receipt, bytes) else write_receipt_file(receipt)
        return Receipt(name, what, data, hash_, step)

    own_record = {"voter": 2, "direct": True, "weight": "1", "ballot": "0x" + BLANK.hex()}
    nodes = (*signed.nodes[:-1], signed.nodes[-1].replace(SOUP, SALAD))
    second = whole.replace(b'"version":1', b'"version":2,"x":0')
    other_block = replace(signed, nodes=direct.nodes)
    other_index = replace(signed, transaction_index=1)
    other_box = replace(signed, box=Address(b"\x05" * 20))
    return [
        Receipt("signed", "the third of a batch", write_receipt_file(third), trusted, None, record),
        Receipt("direct", "a voter's own transaction", write_receipt_file(direct), of_direct, None, own_record),
        bad("format-cut", "the file is cut short", 1, whole[:-20]),
        bad("format-blank", "a blank after a colon", 1, whole.replace(b'"log":', b'"log": ')),
        bad("header-of-another-block", "the trusted hash is of another block", 2, signed, of_direct),
        bad("receipt-of-another-block", "the nodes are of another block's trie", 3, other_block),
        bad("receipt-of-another-transaction", "the transaction's index is another", 3, other_index),
        bad("receipt-node-changed", "a mark is on another option", 3, replace(signed, nodes=nodes)),
        bad("log-of-another-box", "the log is of another contract than the receipt names", 4, other_box),
        bad("log-none", "there is no log with this index", 4, replace(signed, log_index=1)),
        bad("log-no-cast", "the log is that of the factory that made the box", 4, funded, keccak(funded.header)),
        Receipt("unknown-version", "a version that is not known", second, trusted, None, unknown=1),
        bad("record-none", "the batch has no record at this position", 5, replace(signed, position=3)),
    ]


def _write_good(good: Good) -> dict[str, Any]:
    path = HERE / "good" / f"{good.name}.jsonl"
    path.write_bytes(b"".join(write_evidence(good.evidence)))
    return {
        "name": good.name,
        "what": good.what,
        "trusted_block_hash": _hex(good.evidence.block_hash),
        "state": good.state,
        "electorate_checked": good.electorate_checked,
        "records": good.records,
        "voters_who_cast": good.voters_who_cast,
        "draws_lot": good.has_lot,
        "totals": good.totals,
        "winners": good.winners,
        "invalid_at_step": good.invalid_at,
    }


def _write_bad(bad: Bad) -> dict[str, Any]:
    (HERE / "bad" / f"{bad.name}.jsonl").write_bytes(b"".join(bad.lines))
    return {"name": bad.name, "what": bad.what, "trusted_block_hash": _hex(bad.trusted), "fails_at_step": bad.step}


def _write_unknown(unknown: Unknown) -> dict[str, Any]:
    (HERE / "unknown" / f"{unknown.name}.jsonl").write_bytes(b"".join(unknown.lines))
    trusted = _hex(unknown.trusted)
    return {"name": unknown.name, "what": unknown.what, "trusted_block_hash": trusted, "unknown_at_step": unknown.step}


def _write_receipt(receipt: Receipt) -> dict[str, Any]:
    (HERE / "receipts" / f"{receipt.name}.json").write_bytes(receipt.data)
    return {
        "name": receipt.name,
        "what": receipt.what,
        "trusted_block_hash": _hex(receipt.trusted),
        "fails_at_step": receipt.step,
        "unknown_at_step": receipt.unknown,
        "record": receipt.record,
    }


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


if __name__ == "__main__":
    main()
