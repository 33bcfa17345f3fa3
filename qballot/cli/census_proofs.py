"""`qballot census proof`, `proofs`, `check`, `import`: from a census to what voters and boxes need of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from qballot.cli.files import read_bytes, write_same
from qballot.cli.options import DatabaseOption, JsonOption, NetworkOption, RpcUrlOption, connect, override_settings
from qballot.core.address import checksum_address, parse_address
from qballot.core.census_file import load_census
from qballot.core.census_proof import (
    build_voter_proof,
    check_census,
    check_voter_proof,
    dump_voter_proof,
    is_voter_proof,
    load_voter_proof,
)
from qballot.core.keccak import keccak

CensusArgument = Annotated[Path, typer.Argument(metavar="CENSUS", help="Census file.")]
ElectionOption = Annotated[str, typer.Option("--election", metavar="BOX", help="Address of the election's box.")]


def proof_command(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The voter's address.")],
    census: Annotated[Path, typer.Option(metavar="FILE", help="Census file.")] = Path("census.json"),
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it to a file instead.")] = None,
) -> None:
    """Print all that a voter needs of the census, as JSON: index, weight, sheet, proof and root.

    Example: qballot census proof 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 --census census.json
    """
    voter = parse_address(address)
    data = dump_voter_proof(build_voter_proof(load_census(read_bytes(census)), voter))
    if output is None:
        typer.echo(data)
    else:
        write_same(output, data, overwrite=False)
        typer.echo(f"wrote {output}", err=True)


def proofs_command(
    census: CensusArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to fill.")] = Path("proofs"),
    as_json: JsonOption = False,
) -> None:
    """Write a proof file for each voter, so that nobody depends on the census being served.

    A voter's file is DIR/3f/0x3f….json: the address in lower case, in the folder of its first two digits. Run again
    after an interruption, it goes on where it was.

    Example: qballot census proofs census.json -o proofs
    """
    from qballot.census.proofs import write_proof_files
    from qballot.cli.progress import show_progress

    data = read_bytes(census)
    loaded = load_census(data)
    with show_progress() as report:
        done = write_proof_files(loaded, keccak(data), output, report)
    if as_json:
        typer.echo(json.dumps({"folder": str(done.folder), "files": done.files, "written": done.written}))
    else:
        typer.echo(f"{done.folder} holds the proofs of {done.files:,} voters, {done.written:,} of them written now")


def check_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Census file, or one voter's proof.")],
    election: ElectionOption,
    rpc_url: RpcUrlOption = None,
    network: NetworkOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a census file, or a voter's proof, with the sheet roots in an election's box.

    Exit status 3 says that it is not this election's.

    Example: qballot census check census.json --election 0x5FbDB2315678afecb367f032d93F642f64180aa3
    """
    from qballot.chain.contracts import BallotBoxContract

    data = read_bytes(file)
    box = parse_address(election)
    proof = load_voter_proof(data) if is_voter_proof(data) else None
    census = load_census(data) if proof is None else None
    with connect(override_settings(rpc_url=rpc_url, network=network)) as rpc:
        arguments = BallotBoxContract(rpc, box).fetch_arguments("latest")
    report: dict[str, object] = {"election": checksum_address(box), "agrees": True}
    if proof is not None:
        check_voter_proof(proof, arguments)
        entry = proof.entry
        words = f"{checksum_address(entry.address)} is voter {entry.index} with the weight {entry.weight}"
        report |= {"address": checksum_address(entry.address), "index": entry.index, "weight": str(entry.weight)}
    elif census is not None:
        check_census(census, arguments)
        words = f"all {census.sheet_count} sheet roots agree: this is the census of {len(census):,} voters"
        report |= {"voters": len(census), "sheets": census.sheet_count}
    typer.echo(json.dumps(report, indent=2) if as_json else f"ok: {words} of {checksum_address(box)}")


def import_command(
    census: CensusArgument,
    election: ElectionOption,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep an election's census in an indexer's database, once it agrees with the box's roots.

    The API then gives every voter's proof. Reading the chain anew does not touch it.

    Example: qballot census import census.json --election 0x5FbDB2315678afecb367f032d93F642f64180aa3
    """
    from indexer.ledger import import_census
    from indexer.storage.engine import open_database

    data = read_bytes(census)
    box = parse_address(election)
    engine = open_database(override_settings(database_url=database).database_url)
    try:
        done = import_census(engine, box, data)
    finally:
        engine.dispose()
    if as_json:
        report = {"election": checksum_address(box), "census_hash": "0x" + done.census_hash.hex()}
        typer.echo(json.dumps({**report, "voters": done.voters, "sheets": done.sheets, "new": done.new}, indent=2))
        return
    kept = "imported" if done.new else "already there, and now this election's too"
    typer.echo(f"ok: all {done.sheets} sheet roots agree; census of {done.voters:,} voters {kept}")
