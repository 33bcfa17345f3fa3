"""One bundle verified in a process of its own: `measured.py FILE BLOCK_HASH`, which prints JSON.

Seconds are the processor's, one core's, which on an idle machine are the clock's. They are counted from when the file
is opened; Python's start and imports come before that, but are in the peak of memory.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from pathlib import Path

from bundles import PINS

from qballot.core.proof import Verifier, read_evidence
from qballot.core.types import Hash32

STATUS = Path("/proc/self/status")
CHUNK = 1 << 16


def main() -> None:
    path, trusted = Path(sys.argv[1]), Hash32(bytes.fromhex(sys.argv[2]))
    steps: dict[str, float] = {}
    started = time.process_time()
    with path.open("rb") as file:
        evidence = read_evidence(iter(lambda: file.read(CHUNK), b""))
    steps["format"] = last = time.process_time() - started
    verifier = Verifier(evidence, trusted, PINS, chain_id=1, is_file=True)
    for report in verifier.run():
        now = time.process_time() - started
        steps[report.check.id] = steps.get(report.check.id, 0.0) + now - last
        last = now
    found = verifier.finish()
    if not (found.holds and found.is_electorate_checked and found.state == "complete"):
        raise AssertionError(f"the bundle does not verify: {found.failure}")
    figures = {
        "seconds": time.process_time() - started,
        "rss_mb": _peak_mb(),
        "records": found.records,
        "batches": found.batches,
        "file_mb": path.stat().st_size / 1e6,
        "steps_s": steps,
    }
    print(json.dumps(figures))


def _peak_mb() -> float:
    """Most memory that was resident, in MiB. Linux counts in ru_maxrss what the process was before it became Python."""
    found = re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text()) if STATUS.exists() else None
    kib = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kib / 1024


if __name__ == "__main__":
    main()
