"""`qballot compile`: for those who change the contracts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def compile_command(
    root: Annotated[
        Path, typer.Option("--root", help="Source checkout: the folder that holds contracts/ and node_modules/.")
    ] = Path(),
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when the artifacts are not what the sources give.")
    ] = False,
    standard_json: Annotated[
        bool,
        typer.Option(
            "--standard-json",
            help="Print the compiler's input instead: what block explorers and Sourcify verify the contracts by.",
        ),
    ] = False,
) -> None:
    """Compile the contracts and write the artifacts that the package carries.

    Uses the compiler that py-solc-x has installed, else the one that `npm ci` installed. Users of QBallot need not
    run this: the artifacts come with it.

    Example: qballot compile --check
    """
    from qballot.compile import build_standard_json, compile_contracts, find_differences, write_artifacts
    from qballot.errors import InputError, ProofError

    if check and standard_json:
        raise InputError("found --check and --standard-json, expected one of them")
    if standard_json:
        typer.echo(json.dumps(build_standard_json(root), indent=2, ensure_ascii=False))
        return
    compiler, artifacts = compile_contracts(root)
    typer.echo(f"compiled with {compiler.origin}", err=True)
    if check:
        differences = find_differences(artifacts)
        if differences:
            raise ProofError("the committed artifacts are not what the sources give:\n  " + "\n  ".join(differences))
        typer.echo("the committed artifacts are what the sources give")
        return
    changed = write_artifacts(root, artifacts)
    for name, artifact in artifacts.items():
        typer.echo(f"{name}: {len(artifact.runtime_bytecode)} bytes of code on chain")
    typer.echo(f"{len(changed)} of {len(artifacts)} artifacts changed", err=True)
