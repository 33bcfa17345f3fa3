"""`qballot evidence`: the evidence of an election, built from an endpoint without any index."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qballot.cli.ballot_paper import BoxArgument
from qballot.cli.files import read_bytes, write_pieces
from qballot.cli.options import FactoryOption, JsonOption, NetworkOption, RpcUrlOption, connect, override_settings
from qballot.cli.progress import show_progress
from qballot.core.address import checksum_address, parse_address
from qballot.core.keccak import keccak
from qballot.core.moments import format_moment
from qballot.core.problems import quote
from qballot.core.proof import EvidenceCheck
from qballot.errors import InputError

if TYPE_CHECKING:
    from qballot.core.proof import Evidence
    from qballot.core.types import Hash32
    from qballot.evidence import Collected

TAGS = ("latest", "safe", "finalized")


def evidence_command(
    box: BoxArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the evidence goes.")] = Path(
        "evidence.jsonl"
    ),
    census: Annotated[
        Path | None,
        typer.Option("--census", metavar="FILE", help="The election's census file, to put the voters in."),
    ] = None,
    census_apart: Annotated[
        bool,
        typer.Option("--census-apart", help="Only name the --census by its hash: `verify` is then given the file."),
    ] = False,
    block: Annotated[
        str,
        typer.Option(
            metavar="N", help="A block's number, latest, safe or finalized; most nodes prove the last 128 alone."
        ),
    ] = "latest",
    from_block: Annotated[
        int | None, typer.Option(min=0, help="Where to begin to look for the box's creation; else QBALLOT_FROM_BLOCK.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file.")] = False,
    network: NetworkOption = None,
    rpc_url: RpcUrlOption = None,
    factory: FactoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write all that a result follows from into one file: definition, ballots, voters, and proofs under one block hash.

    It is read from an endpoint, without an indexer, and verified before it is written. What is left is whether the
    block is the chain's: `qballot verify` asks several operators.

    Example: qballot evidence $BOX --census census.json -o evidence.jsonl
    """
    from qballot.chain.pins import default_pins
    from qballot.core.census_file import load_census
    from qballot.evidence import collect_evidence

    if census_apart and census is None:
        raise InputError("found --census-apart without --census, expected the file to be named")
    if output.exists() and not force:
        raise InputError(f"{output} exists: choose another name with -o, or add --force")
    asked, where = parse_address(box), read_block(block)
    census_file = None if census is None else read_bytes(census)
    settings = override_settings(rpc_url=rpc_url, network=network, factory=factory, from_block=from_block)
    with connect(settings) as rpc, show_progress() as report:
        collected = collect_evidence(
            rpc,
            asked,
            block=where,
            census=None if census_file is None else load_census(census_file),
            census_hash=keccak(census_file) if census_apart and census_file is not None else None,
            pins=default_pins(None if settings.factory is None else parse_address(settings.factory)),
            from_block=settings.from_block,
            block_range=settings.block_range,
            report=report,
        )
    digest, size = write_evidence_file(output, collected.evidence, overwrite=force)
    report_document = _to_json(collected, output, digest, size)
    typer.echo(json.dumps(report_document, indent=2) if as_json else _describe(collected, output, digest, size))


def read_block(text: str) -> int | str:
    """Read which block is meant: a number or a tag. Raises InputError."""
    if text in TAGS:
        return text
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    raise InputError(f"--block: found {quote(text)}, expected a number or one of {', '.join(TAGS)}")


def write_evidence_file(path: Path, evidence: Evidence, *, overwrite: bool) -> tuple[Hash32, int]:
    """Write evidence into a file. Returns its digest and its size in bytes. Raises InputError."""
    from qballot.core.proof import digest_evidence, write_evidence

    size = 0

    def count(lines: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal size
        for line in lines:
            size += len(line)
            yield line

    digest = digest_evidence(write_pieces(path, count(write_evidence(evidence)), overwrite=overwrite))
    return digest, size


def _describe(collected: Collected, path: Path, digest: Hash32, size: int) -> str:
    found, evidence, header = collected.verification, collected.evidence, collected.proven.header
    state = found.steps[EvidenceCheck.STATE.number - 1].text
    lines = [
        f"wrote {path}: {size:,} bytes, keccak256 0x{digest.hex()}",
        f"box         {checksum_address(evidence.origin.box)}",
        f"block       {header.number}, of {format_moment(header.timestamp)}",
        f"block hash  0x{collected.proven.block_hash.hex()}",
        f"state       {state}",
        f"ballots     {found.records:,} in {found.batches:,} batches",
        f"electorate  {_describe_census(collected)}",
    ]
    if collected.lot_left_out:
        lines.append(f"lot         LEFT OUT: {collected.lot_left_out}")
    lines.append("One endpoint named this block: let others name its hash, `qballot verify FILE --rpc URL --rpc URL`.")
    return "\n".join(lines)


def _describe_census(collected: Collected) -> str:
    evidence = collected.evidence
    if evidence.voters is not None:
        return f"{len(evidence.voters):,} voters, checked against the box's roots"
    if evidence.census_hash is not None:
        return f"not in it: its census file has the keccak256 0x{evidence.census_hash.hex()}"
    return "not in it: `qballot verify --census FILE` checks it"


def _to_json(collected: Collected, path: Path, digest: Hash32, size: int) -> dict[str, Any]:
    document = collected.verification.to_json()
    kept = ("chain_id", "box", "block", "head", "state", "batches", "records", "electorate_checked")
    return {
        "file": str(path),
        "bytes": size,
        "keccak256": "0x" + digest.hex(),
        **{name: document[name] for name in kept},
        "lot_left_out": collected.lot_left_out or None,
    }
