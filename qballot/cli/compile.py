"""`qballot compile`: for those who change the contracts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def compile_command(
    root: Annotated[
        Path, typer.Option("--root", help="Source checkout: the folder that holds contracts/ and node_modules/.")
    ] = Path(),
) -> None:
    """Compile the contracts and write the artifacts that the package carries.

    Uses the compiler that py-solc-x has installed, else the one that `npm ci` installed. Users of QBallot need not
    run this: the artifacts come with it.

    Example: qballot compile
    """
    from qballot.compile import compile_contracts, write_artifacts

    compiler, artifacts = compile_contracts(root)
    typer.echo(f"compiled with {compiler.origin}", err=True)
    changed = write_artifacts(root, artifacts)
    for name, artifact in artifacts.items():
        typer.echo(f"{name}: {len(artifact.runtime_bytecode)} bytes of code on chain")
    typer.echo(f"{len(changed)} of {len(artifacts)} artifacts changed", err=True)
