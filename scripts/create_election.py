"""Create an election's ballot box on a chain that has the factory.

    QBALLOT_RPC_URL=https://… QBALLOT_PRIVATE_KEY=0x… python scripts/create_election.py definition.json census.json \\
        --opens-at 1798761600 --closes-at 1798848000

definition.json: an election's definition (`qballot definition check`); it is put into its canonical form.
census.json: a census file (`qballot census build`). The key's account pays and becomes the organizer, who may cancel
the election until it opens. Everything is checked before anything is spent. Other settings: see `.env.example`.
"""

from __future__ import annotations

import argparse
import re
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from qballot.chain.accounts import load_payer
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address, parse_address
from qballot.core.census_file import load_census
from qballot.core.definition import parse_definition_document
from qballot.core.types import Hash32
from qballot.deploy import ElectionDeployment, create_election
from qballot.errors import InputError, QballotError
from qballot.settings import load_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Create the election and say where it is. Returns the exit status."""
    options = _parse(arguments)
    try:
        chain_id, election = _create(options)
    except QballotError as error:
        sys.stderr.write(f"create_election: {error}\n")
        return 1
    lines = [
        f"chain        {chain_id}",
        f"ballot box   {checksum_address(election.box)}",
        f"definition   0x{election.arguments.definition_hash.hex()}",
        f"organizer    {checksum_address(election.arguments.organizer)}",
        f"open         {election.arguments.opens_at} until {election.arguments.closes_at} (unix seconds)",
        f"voters       {election.arguments.voters} in {len(election.arguments.ward_roots)} wards",
        f"salt         0x{election.salt.hex()}",
        *election.receipt.describe(),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _create(options: argparse.Namespace) -> tuple[int, ElectionDeployment]:
    settings = load_settings()
    payer = load_payer(settings.private_key)
    _, definition = parse_definition_document(_read(options.definition))
    census = load_census(_read(options.census))
    with Rpc(settings.rpc_url, settings.rpc_timeout_seconds) as rpc:
        chain_id = rpc.check_chain(settings.chain_id)
        election = create_election(
            rpc,
            payer,
            definition,
            census,
            opens_at=options.opens_at,
            closes_at=options.closes_at,
            salt=options.salt or Hash32(secrets.token_bytes(32)),
            factory=parse_address(settings.factory) if settings.factory else None,
        )
    return chain_id, election


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("definition", type=Path, metavar="DEFINITION.json")
    parser.add_argument("census", type=Path, metavar="CENSUS.json")
    parser.add_argument("--opens-at", type=int, required=True, metavar="UNIX", help="first second that takes ballots")
    parser.add_argument("--closes-at", type=int, required=True, metavar="UNIX", help="first second that takes none")
    parser.add_argument("--salt", type=_parse_salt, metavar="0x…", help="32 bytes; random when not given")
    return parser.parse_args(arguments)


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
    sys.exit(main())
