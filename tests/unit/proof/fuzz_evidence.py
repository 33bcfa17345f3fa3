"""Let atheris look for bytes that a parser or verifier of evidence fails at in any way but its own.

    python tests/unit/proof/fuzz_evidence.py .build/fuzz-evidence -max_total_time=60 -max_len=16384

The first byte of an input chooses what reads the rest. Inputs that reach new code are kept in the folder, which the
kept bundles and receipts are put into at first, and the next run goes on from there. A crash, a hang or a bundle that
verifies and is not the good one ends it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["qballot.core.proof", "qballot.core.records"]):
    from evidence_mutations import judge_evidence, judge_receipt
    from evidence_samples import VECTORS, read_receipt

    from qballot.core.proof import decode_header, decode_receipt, read_evidence, read_receipt_file, verify_trie_proof
    from qballot.core.proof.rlp import split_list
    from qballot.core.types import Hash32
    from qballot.errors import QballotError

EVIDENCE, RECEIPT, TRIE, HEADER, LIST = range(5)


def run_one(data: bytes) -> None:
    """Give one input to what its first byte chooses."""
    kind, rest = (data[0] % 5 if data else 0), data[1:]
    try:
        if kind == EVIDENCE:
            evidence = read_evidence([rest])
            judge_evidence("small" if len(list(evidence.batches)) == 3 else "sheets", rest)
        elif kind == RECEIPT:
            judge_receipt("signed", rest)
            read_receipt_file(rest)
        elif kind == TRIE:
            nodes = rest.split(b"--")
            verify_trie_proof(Hash32(nodes[0][:32].ljust(32)), b"\x12" * 32, nodes[1:])
        elif kind == HEADER:
            decode_header(rest)
        else:
            split_list(rest, 17)
            decode_receipt(rest)
    except QballotError:
        pass


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    seeds = {f"evidence-{path.stem}": bytes([EVIDENCE]) + path.read_bytes() for path in (VECTORS / "good").glob("*")}
    seeds |= {"receipt-signed": bytes([RECEIPT]) + read_receipt("signed")}
    for name, data in seeds.items():
        (folder / name).write_bytes(data)
    atheris.Setup(sys.argv, run_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
