"""`make bench-tally`: a million ballots of eight options grouped, counted and added to, beside other libraries.

Each of us counts in a process of its own, on one core; seconds are the processor's. A library that has taken
SECONDS (`run.py SECONDS`, else 120) is stopped. Writes bench/out/tally.json.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from ballots import make_ballots

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
KEPT = ROOT / ".build" / "bench-tally" / "ballots.bin"
OUT = HERE.parent / "out" / "tally.json"
ORACLES = ROOT / ".venv-oracles" / "bin" / "python"
BALLOTS = 1_000_000
SEED = 1
PATIENCE_S = int(sys.argv[1]) if len(sys.argv) > 1 else 120
STOPPED = (-signal.SIGXCPU, -signal.SIGKILL)
PEERS = (
    ("pref_voting", "irv"),
    ("pyrankvote", "irv"),
    ("votekit", "irv"),
    ("pref_voting", "schulze"),
    ("pref_voting", "stv"),
    ("pyrankvote", "stv"),
    ("votekit", "stv"),
    ("starvote", "star"),
)
GOALS = {"group_s": 0.5, "irv_s": 0.5, "schulze_s": 1.0, "stv_s": 2.0, "increment_ms": 20.0}


def main() -> None:
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_bytes(b"".join(make_ballots(BALLOTS, SEED)))
    ours = json.loads(run(sys.executable, "ours.py"))
    figures: dict[str, Any] = {"ballots": BALLOTS, **{name: shorten(value) for name, value in ours["figures"].items()}}
    print(f"{BALLOTS:,} ballots, {figures['distinct']:,} distinct")
    for name, value in figures.items():
        if name.endswith(("_s", "_ms")):
            goal = GOALS.get(name)
            print(f"{name:<24} {value:>10,}" + ("" if goal is None else f"   goal {goal:g}"))
    figures["peers"] = {}
    for peer, method in PEERS:
        found = ask_peer(peer, method)
        same = found.get("winners") == ours["winners"][method]
        ratio = round(found["seconds"] / ours["figures"][f"{method}_s"], 1) if "seconds" in found else None
        figures["peers"][f"{peer} {method}"] = {**found, "ratio": ratio}
        print(f"{peer + ' ' + method:<24} {describe(found, ratio, same)}")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")


def ask_peer(peer: str, method: str) -> dict[str, Any]:
    """Let another library count; returns what it reports, or that it was stopped."""
    try:
        answer = run(ORACLES, "peers.py", peer, method, PATIENCE_S)
    except subprocess.CalledProcessError as error:
        if error.returncode not in STOPPED:
            raise
        return {"more_than_s": PATIENCE_S}
    found: dict[str, Any] = json.loads(answer.splitlines()[-1])
    return {name: shorten(value) if name != "winners" else value for name, value in found.items()}


def run(python: Path | str, program: str, *arguments: object) -> str:
    command = [str(python), str(HERE / program), str(KEPT), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def shorten(value: float) -> float:
    return value if isinstance(value, int) else round(value, 3)


def describe(found: dict[str, Any], ratio: float | None, same: bool) -> str:
    if ratio is None:
        return f"     > {found['more_than_s']} s, stopped"
    words = f"{found['seconds']:>10,} s, its count alone {found['count_s']:,} s: {ratio:g} times ours"
    return words if same else f"{words}; it elects {', '.join(found['winners'])}"


if __name__ == "__main__":
    main()
