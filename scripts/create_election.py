"""Create an election's ballot box on a chain that has the factory.

    QBALLOT_RPC_URL=https://… QBALLOT_PRIVATE_KEY=0x… python scripts/create_election.py definition.json census.json \\
        --opens-at 1798761600 --closes-at 1798848000
    echo "definition.json census.json --opens-at 1798761600 --closes-at 1798848000" | \\
        ape run create_election --network ethereum:sepolia:infura

definition.json: an election's definition (`qballot definition check`); it is put into its canonical form.
census.json: a census file (`qballot census build`). The key's account, or ape's, pays and becomes the organizer,
who may cancel the election until it opens. Everything is checked before anything is spent. The same election asked
for again is the same box, so that after an interruption the same command goes on. Other settings: see `.env.example`.
Under ape the arguments are asked for; on one of ape's own networks the factory is put there first.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from qballot.chain.ape_bridge import open_connection, read_script_arguments
from qballot.chain.deployments import Deployments
from qballot.core.address import checksum_address, parse_address
from qballot.core.census_file import load_census
from qballot.core.definition import parse_definition_document
from qballot.core.moments import EXPECTED, format_moment, parse_moment
from qballot.core.types import ChainId, Hash32
from qballot.deploy import DEFAULT_SALT, ElectionDeployment, deploy_factory, ensure_election, plan_election
from qballot.deployer import install_deployer
from qballot.errors import InputError, QballotError
from qballot.settings import load_settings


def main(arguments: Sequence[str] | None = None) -> None:
    """Create the election and say where it is; end the process with status 1 when that fails."""
    options = _parse(read_script_arguments() if arguments is None else arguments)
    try:
        chain_id, election = _create(options)
    except QballotError as error:
        sys.exit(f"create_election: {error}")
    lines = [
        f"chain        {chain_id}",
        f"ballot box   {checksum_address(election.box)}",
        f"definition   0x{election.arguments.definition_hash.hex()}",
        f"organizer    {checksum_address(election.arguments.organizer)}",
        f"opens        {election.arguments.opens_at}, {format_moment(election.arguments.opens_at)}",
        f"closes       {election.arguments.closes_at}, {format_moment(election.arguments.closes_at)}",
        f"voters       {election.arguments.voters} in {len(election.arguments.sheet_roots)} sheets",
        f"salt         0x{election.salt.hex()}",
        *election.receipt.describe(),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _create(options: argparse.Namespace) -> tuple[ChainId, ElectionDeployment]:
    settings = load_settings()
    _, definition = parse_definition_document(_read(options.definition))
    census = load_census(_read(options.census))
    with open_connection(settings) as connection:
        if connection.is_local:
            install_deployer(connection.rpc, connection.signer)
            deploy_factory(connection.rpc, connection.signer)
        plan = plan_election(
            connection.rpc,
            connection.signer.address,
            definition,
            census,
            opens_at=options.opens_at,
            closes_at=options.closes_at,
            salt=options.salt or DEFAULT_SALT,
            factory=parse_address(settings.factory) if settings.factory else None,
        )
        records = Deployments(connection.deployments, connection.chain_id)
        election = ensure_election(connection.rpc, connection.signer, plan, records, from_block=settings.from_block)
    return connection.chain_id, election


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "create_election", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("definition", type=Path, metavar="DEFINITION.json")
    parser.add_argument("census", type=Path, metavar="CENSUS.json")
    for name, text in (("--opens-at", "first second for ballots"), ("--closes-at", "first second for none")):
        parser.add_argument(name, type=_parse_moment, required=True, metavar="WHEN", help=f"{text}: {EXPECTED}")
    parser.add_argument("--salt", type=_parse_salt, metavar="0x…", help="32 bytes; zeros when not given")
    return parser.parse_args(arguments)


def _parse_moment(text: str) -> int:
    try:
        return parse_moment(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parse_salt(text: str) -> Hash32:
    if not re.fullmatch(r"0x[0-9a-fA-F]{64}", text):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected 0x and 64 hex digits")
    return Hash32(bytes.fromhex(text[2:]))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


if __name__ == "__main__":
    main()
