"""`make bench-census`: a census of a million voters, from CSV to file and back, beside the bare hashes that it needs.

The command runs in a process of its own, so that its peak memory is its own. Writes bench/out/census.json.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from eth_hash.backends.pysha3 import backend

from qballot.core.address import checksum_address
from qballot.core.census_file import load_census
from qballot.core.types import Address

VOTERS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
PROOFS = 10_000
OUT = Path(__file__).parents[1] / "out" / "census.json"


def hash_bare() -> float:
    """Seconds for the hashes alone: two a leaf, of 96 and 32 bytes, and one of 64 a pair."""
    leaf, node = bytes(96), bytes(64)
    started = time.perf_counter()
    for _ in range(VOTERS):
        backend.keccak256(backend.keccak256(leaf))
        backend.keccak256(node)
    return time.perf_counter() - started


def main() -> None:
    chooser = random.Random(1)
    with tempfile.TemporaryDirectory() as name:
        voters, census_file = Path(name) / "voters.csv", Path(name) / "census.json"
        with voters.open("w") as lines:
            lines.write("address,weight\n")
            for _ in range(VOTERS):
                lines.write(f"{checksum_address(Address(chooser.randbytes(20)))},{chooser.randrange(1, 1000)}\n")
        qballot = [sys.executable, "-c", "from qballot.cli import main; main()"]
        started = time.perf_counter()
        command = [*qballot, "census", "build", str(voters), "-o", str(census_file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        build_s = time.perf_counter() - started
        build_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        bare_s = hash_bare()
        started = time.perf_counter()
        census = load_census(census_file.read_bytes())
        load_s = time.perf_counter() - started
    places = [chooser.randrange(VOTERS) for _ in range(PROOFS)]
    started = time.perf_counter()
    for place in places:
        census.prove(place)
    proof_us = (time.perf_counter() - started) / PROOFS * 1e6
    figures = {
        "voters": VOTERS,
        "build_s": round(build_s, 2),
        "build_rss_mb": round(build_mb),
        "bare_hashes_s": round(bare_s, 2),
        "build_to_bare": round(build_s / bare_s, 2),
        "load_and_check_s": round(load_s, 2),
        "proof_us": round(proof_us, 1),
    }
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    for what, figure in figures.items():
        print(f"{what:<18} {figure:>12,}")


if __name__ == "__main__":
    main()
