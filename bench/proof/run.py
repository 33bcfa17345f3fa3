"""`make bench-proof`: one proof of an account with its slot, and whole bundles of 100,000 and 1,000,000 ballots.

Each bundle is verified from its file in a process of its own, on one core; seconds are the processor's. Writes
bench/out/proof.json.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bundles import SIZES, Size, make_account, make_bundle, make_header, make_way

from qballot.core.keccak import keccak
from qballot.core.proof import AccountProof, SlotProof, decode_header, verify_account_proof, write_evidence
from qballot.core.proof.rlp import encode_string
from qballot.core.types import Address

HERE = Path(__file__).parent
KEPT = HERE.parents[1] / ".build" / "bench-proof"
OUT = HERE.parent / "out" / "proof.json"
PROOFS = 2_000
RUNS = 3
"""Of each, the median counts."""


def measure_storage_proof() -> float:
    """Microseconds for a proof of an account and of one of its slots, both as deep as mainnet's accounts are."""
    chooser = random.Random(1)
    address, word = Address(chooser.randbytes(20)), chooser.randbytes(32)
    slot = make_way(chooser, keccak(bytes(32)).hex(), encode_string(word))
    account = make_way(chooser, keccak(address).hex(), make_account(keccak(slot[0]), keccak(b"code")))
    state_root = decode_header(make_header(chooser, keccak(account[0]))).state_root
    proof = AccountProof(address, tuple(account), (SlotProof(0, tuple(slot)),))
    started = time.process_time()
    for _ in range(PROOFS):
        proven = verify_account_proof(state_root, proof)
    seconds = time.process_time() - started
    if proven.words != {0: word}:
        raise AssertionError("the proof does not show the word")
    return seconds / PROOFS * 1e6


def measure_bundle(size: Size) -> dict[str, Any]:
    """Verify a bundle, which is written first."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{size.name}.jsonl"
    bundle = make_bundle(size)
    with path.open("wb") as file:
        file.writelines(write_evidence(bundle))
    command = [sys.executable, str(HERE / "measured.py"), str(path), bundle.block_hash.hex()]
    runs = []
    for _ in range(RUNS):
        found = subprocess.run(command, check=True, capture_output=True, text=True)
        runs.append(json.loads(found.stdout))
    runs.sort(key=lambda run: float(run["seconds"]))
    path.unlink()
    median: dict[str, Any] = runs[RUNS // 2]
    return median


def main() -> None:
    proofs = sorted(measure_storage_proof() for _ in range(RUNS))
    figures: dict[str, Any] = {"storage_proof_us": round(proofs[RUNS // 2], 1)}
    shares: dict[str, dict[str, float]] = {}
    for size in SIZES:
        run = measure_bundle(size)
        figures[f"verify_{size.name}_s"] = round(run["seconds"], 2)
        figures[f"verify_{size.name}_rss_mb"] = round(run["rss_mb"])
        shares[size.name] = {step: round(spent / run["seconds"], 3) for step, spent in run["steps_s"].items()}
        print(f"{size.name}: {run['records']:,} records, {run['batches']:,} batches, {run['file_mb']:.0f} MB")
        for step, spent in run["steps_s"].items():
            print(f"  {step:<24} {spent:>8.3f} s {shares[size.name][step]:>7.1%}")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({**figures, "shares": shares}, indent=2) + "\n")
    for what, figure in figures.items():
        print(f"{what:<24} {figure:>12,}")


if __name__ == "__main__":
    main()
