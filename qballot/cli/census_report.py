"""What a census file holds, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from qballot.core.census import DEFAULT_SHEET_BITS, Census
from qballot.core.census_recipe import write_recipe
from qballot.core.keccak import keccak
from qballot.core.provenance import MAX_SHEETS

LISTED_ROOTS = 8
"""Sheet roots that are printed for people; `--json` prints all."""


def describe_census(census: Census, output: Path, data: bytes, *, is_size_chosen: bool) -> dict[str, Any]:
    """Describe a census that was written to a file with these bytes.

    is_size_chosen: whether a person chose the size of its sheets.
    """
    recipe = {} if census.recipe is None else {"recipe": msgspec.to_builtins(write_recipe(census.recipe))}
    return {
        "census_file": str(output),
        "census_hash": "0x" + keccak(data).hex(),
        "voters": len(census),
        "total_weight": str(census.total_weight),
        "sheet_bits": census.sheet_bits,
        "sheet_count": census.sheet_count,
        "sheet_size_reason": _explain_size(census, is_size_chosen=is_size_chosen),
        **recipe,
        "sheet_roots": ["0x" + root.hex() for root in census.sheet_roots],
    }


def format_report(report: dict[str, Any]) -> str:
    """Write the description for people."""
    roots = report["sheet_roots"]
    lines = [
        f"census file   {report['census_file']}",
        f"census hash   {report['census_hash']} (keccak256 of the file)",
        f"voters        {report['voters']:,}",
        f"total weight  {int(report['total_weight']):,}",
        f"sheets        {len(roots):,} of up to {1 << report['sheet_bits']:,} voters: {report['sheet_size_reason']}",
        *_describe_recipe(report.get("recipe")),
        "sheet roots",
        *(f"  {sheet:>3}  {root}" for sheet, root in enumerate(roots[:LISTED_ROOTS])),
    ]
    if len(roots) > LISTED_ROOTS:
        lines.append(f"  … and {len(roots) - LISTED_ROOTS:,} more: the census file and --json have them all")
    return "\n".join(lines)


def _explain_size(census: Census, *, is_size_chosen: bool) -> str:
    if is_size_chosen:
        return "as asked"
    if census.sheet_bits == DEFAULT_SHEET_BITS:
        return "cheapest if most ballots are brought in batches; --sheet-size overrides it"
    return f"smaller ones would be more than {MAX_SHEETS}, the most that a box holds"


def _describe_recipe(recipe: dict[str, Any] | None) -> list[str]:
    if recipe is None:
        return []
    delegation = ", delegation followed" if recipe["follow_delegation"] else ""
    return [
        f"token         {recipe['token']} ({recipe['kind']}) on chain {recipe['chain_id']}",
        f"block         {recipe['block_number']}  {recipe['block_hash']}",
        f"votes         1 for {recipe['divide']} units, at least {recipe['min_weight']}{delegation}",
        *(f"left out      {address}" for address in recipe["exclude"]),
    ]
