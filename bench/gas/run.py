"""`make bench-gas`: what a vote costs, from receipts on a local chain, beside OpenZeppelin's Governor in the same run.

Prints one table, writes bench/out/gas.json; with --keep also bench/gas/figures.json, which a test holds the contracts
to.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import figures
from rich.console import Console
from rich.table import Table

from qballot.chain.devnet import HARDFORK
from qballot.compile import COMPILER_SETTINGS, SOLC_VERSION

KEPT = Path(__file__).parent / "figures.json"
OUT = Path(__file__).parents[1] / "out" / "gas.json"
ELECTORATES = ((1_000, 10), (100_000, 10), (1_000_000, 11))
OPTIONS = (1, 4, 10, 32)
HEAVY = 2**96 - 1


def main() -> None:
    console = Console(width=120)
    named = figures.measure_named()
    table = Table(title="Gas by receipts; relayed: a ballot", title_justify="left")
    for column in ("what", "gas", "castVote is", "castVoteBySig is"):
        table.add_column(column, justify="left" if column == "what" else "right")

    def add(what: str, gas: float) -> None:
        ratios = (f"{named[key] / gas:.2f} ×" for key in ("oz_cast_vote", "oz_cast_vote_by_sig"))
        table.add_row(what, f"{gas:,.0f}", *ratios)

    for voters, sheet_bits in ELECTORATES:
        for name, gas in figures.measure_election(voters, sheet_bits).items():
            if name != "create":
                add(f"{voters:,} voters, sheets of {1 << sheet_bits:,}, 4 options: {name.replace('_', ' ')}", gas)
            else:
                table.add_row(f"{voters:,} voters: create the election", f"{gas:,.0f}", "", "")
        table.add_section()
    for options, weight in [(options, 1) for options in OPTIONS] + [(4, HEAVY)]:
        for name, gas in figures.measure_ballots(options, weight).items():
            heavy = "" if weight == 1 else ", weight 2**96 - 1"
            add(f"1,024 voters, {options} options{heavy}: {name.replace('_', ' ')}", gas)
    table.add_section()
    table.add_row("deploy factory and implementation", f"{named['deploy_factory']:,.0f}", "", "")
    table.add_row("OpenZeppelin Governor castVote", f"{named['oz_cast_vote']:,.0f}", "", "")
    table.add_row("OpenZeppelin Governor castVoteBySig", f"{named['oz_cast_vote_by_sig']:,.0f}", "", "")
    settings = f"solc {SOLC_VERSION} via IR, {COMPILER_SETTINGS['optimizer']['runs']:,} runs"
    console.print(f"anvil, hardfork {HARDFORK}; {settings}, EVM {COMPILER_SETTINGS['evmVersion']}, for both")
    console.print(table)
    content = json.dumps({name: round(gas, 1) for name, gas in named.items()}, indent=2) + "\n"
    OUT.parent.mkdir(exist_ok=True)
    for path in [OUT, KEPT] if "--keep" in sys.argv[1:] else [OUT]:
        path.write_text(content)
        console.print(f"written: {path.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
