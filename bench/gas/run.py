"""`make bench-gas`: what a vote costs, from receipts on a local chain, beside OpenZeppelin's Governor in the same run.

Each figure is given twice: measured under the rules of mainnet (`qballot.chain.devnet.HARDFORK`), and under those of
the next fork, Amsterdam. The latter is computed from the same transaction, see amsterdam.py, unless this anvil knows
Amsterdam; then it is measured too, and the greatest difference from what was computed is printed.

Prints the tables, writes bench/out/gas.json; with --keep also bench/gas/figures.json, which a test holds the contracts
to. gas.json has besides the figures `amsterdam`, which is `computed` or `measured`, and `sheet_sizes`: a row for every
size of electorate and sheets, the relayed ones a ballot. With --sheet-sizes it measures these alone and leaves the
other figures in gas.json as they are.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import figures
from amsterdam import Gas, knows_amsterdam
from rich.console import Console
from rich.table import Table

from qballot.chain.devnet import HARDFORK
from qballot.compile import COMPILER_SETTINGS, SOLC_VERSION

KEPT = Path(__file__).parent / "figures.json"
OUT = Path(__file__).parents[1] / "out" / "gas.json"
ELECTORATES = ((1_000, 10), (100_000, 10), (1_000_000, 11))
OPTIONS = (1, 4, 10, 32)
HEAVY = 2**96 - 1
VOTES = ("oz_cast_vote", "oz_cast_vote_by_sig")


class Bench:
    """Measures, and keeps how far what was computed for Amsterdam lay from what was measured."""

    def __init__(self) -> None:
        self.greatest_difference = 0.0

    def measure(self, what: Any, *arguments: Any) -> figures.Figures:
        """Measure under both forks. what: a function of figures.py that takes these arguments and a hardfork."""
        found, computed = figures.measure_under_both(lambda hardfork: what(*arguments, hardfork=hardfork))
        for name, gas in (computed or {}).items():
            measured = found[name].amsterdam
            self.greatest_difference = max(self.greatest_difference, abs(gas.amsterdam - measured) / measured)
        return found


def main() -> None:
    console, bench = Console(width=120), Bench()
    settings = f"solc {SOLC_VERSION} via IR, {COMPILER_SETTINGS['optimizer']['runs']:,} runs"
    console.print(f"anvil, hardfork {HARDFORK}; {settings}, EVM {COMPILER_SETTINGS['evmVersion']}, for both")
    content: dict[str, Any] = json.loads(OUT.read_text()) if OUT.exists() else {}
    if "--sheet-sizes" not in sys.argv[1:]:
        named = bench.measure(figures.measure_named)
        console.print(make_table(bench, named))
        content = dict(figures.flatten(named))
        if "--keep" in sys.argv[1:]:
            write(console, KEPT, content)
    content["amsterdam"] = "measured" if knows_amsterdam() else "computed"
    content["sheet_sizes"] = measure_sheet_sizes(bench)
    console.print(make_sheet_table(content["sheet_sizes"]))
    if knows_amsterdam():
        console.print(f"Amsterdam measured; computed differs by {bench.greatest_difference:.2%} at most")
    else:
        console.print("Amsterdam computed from the same transactions: this anvil does not know its rules")
    write(console, OUT, content)


def make_table(bench: Bench, named: figures.Figures) -> Table:
    """Measure ballots of many kinds, and put them beside the named figures."""
    table = Table(title="Gas by receipts; relayed: a ballot", title_justify="left")
    for column in ("what", "gas", "castVote is", "castVoteBySig is", "Amsterdam"):
        table.add_column(column, justify="left" if column == "what" else "right")

    def add(what: str, gas: Gas) -> None:
        ratios = (f"{named[key].now / gas.now:.2f} ×" for key in VOTES)
        table.add_row(what, f"{gas.now:,.0f}", *ratios, f"{gas.amsterdam:,.0f}")

    def add_alone(what: str, gas: Gas) -> None:
        table.add_row(what, f"{gas.now:,.0f}", "", "", f"{gas.amsterdam:,.0f}")

    for voters, sheet_bits in ELECTORATES:
        for name, gas in bench.measure(figures.measure_election, voters, sheet_bits).items():
            if name != "create":
                add(f"{voters:,} voters, sheets of {1 << sheet_bits:,}, 4 options: {name.replace('_', ' ')}", gas)
            else:
                add_alone(f"{voters:,} voters: create the election", gas)
        table.add_section()
    for options, weight in [(options, 1) for options in OPTIONS] + [(4, HEAVY)]:
        for name, gas in bench.measure(figures.measure_ballots, options, weight).items():
            heavy = "" if weight == 1 else ", weight 2**96 - 1"
            add(f"1,024 voters, {options} options{heavy}: {name.replace('_', ' ')}", gas)
    table.add_section()
    add("1,024 voters, text of 9 letters (c: o0, o2): direct", named["direct_text"])
    add("1,024 voters, text of 9 letters (c: o0, o2): relayed half sheet", named["relayed_text_half_sheet"])
    table.add_section()
    add_alone("deploy factory and implementation", named["deploy_factory"])
    add_alone("OpenZeppelin Governor castVote", named["oz_cast_vote"])
    add_alone("OpenZeppelin Governor castVoteBySig", named["oz_cast_vote_by_sig"])
    return table


def measure_sheet_sizes(bench: Bench) -> list[dict[str, float]]:
    """Measure every size of sheets that is possible for each size of electorate."""
    return [
        {"voters": voters, "sheet_size": 1 << bits, "sheets": -(-voters >> bits)}
        | figures.flatten(bench.measure(figures.measure_sheets, voters, bits))
        for voters, _ in ELECTORATES
        for bits in figures.choose_sheet_bits(voters)
    ]


def make_sheet_table(rows: list[dict[str, float]]) -> Table:
    """Show the sizes of sheets."""
    table = Table(title="Sizes of sheets, 4 options; relayed: a ballot, part of a sheet at once", title_justify="left")
    names = ("direct", "relayed_half_sheet", "relayed_tenth_of_sheet", "create")
    columns = ["voters", "sheet_size", "sheets", *names, *(f"{name}_amsterdam" for name in names)]
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(f"{row[column]:,.0f}" for column in columns))
    return table


def write(console: Console, path: Path, content: dict[str, Any]) -> None:
    """Write a file of results."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n")
    console.print(f"written: {path.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
