"""`qballot deploy check`: where a box or a factory comes from, and whether it is what it must be."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qballot.cli.files import read_bytes
from qballot.cli.options import FactoryOption, JsonOption, NetworkOption, RpcUrlOption, connect, override_settings
from qballot.core.address import checksum_address, parse_address
from qballot.core.moments import format_moment
from qballot.core.types import Address, Hash32
from qballot.errors import InputError, ProofError

if TYPE_CHECKING:
    from qballot.chain.deployments import Deployments
    from qballot.deploy import CheckReport


def check_command(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Of a ballot box, or of a factory.")],
    definition_file: Annotated[
        Path | None, typer.Option("--definition", metavar="FILE", help="Compare the box with this definition too.")
    ] = None,
    census_file: Annotated[
        Path | None, typer.Option("--census", metavar="FILE", help="Compare the box with this census too.")
    ] = None,
    salt: Annotated[
        str | None,
        typer.Option(metavar="0x…", help="The box's salt; else the one recorded here, else from the factory's logs."),
    ] = None,
    from_block: Annotated[
        int | None, typer.Option(min=0, help="Where to begin to look for the box's creation; else QBALLOT_FROM_BLOCK.")
    ] = None,
    network: NetworkOption = None,
    rpc_url: RpcUrlOption = None,
    factory: FactoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify where a box or a factory comes from, and its code; ends with status 3 when something does not hold.

    Code alone proves nothing, since anyone can copy it: the address must follow from factory, organizer, salt and
    every argument.

    Example: qballot deploy check $BOX
    """
    from qballot.chain.deployments import Deployments
    from qballot.core.census_file import load_census
    from qballot.core.definition import parse_definition_document
    from qballot.deploy import CheckOptions, check_address

    asked = parse_address(address)
    definition = None if definition_file is None else parse_definition_document(read_bytes(definition_file))[1]
    census = None if census_file is None else load_census(read_bytes(census_file))
    settings = override_settings(rpc_url=rpc_url, network=network, factory=factory, from_block=from_block)
    with connect(settings) as rpc:
        recorded = _recorded_salt(Deployments(settings.deployments, rpc.chain_id()), asked)
        options = CheckOptions(
            factory=parse_address(settings.factory) if settings.factory else None,
            salt=recorded if salt is None else parse_salt(salt),
            definition=definition,
            sheet_roots=None if census is None else census.sheet_roots,
            from_block=settings.from_block,
            block_range=settings.block_range,
            progress=lambda text: typer.echo(text, err=True),
        )
        report = check_address(rpc, asked, options)
    typer.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False) if as_json else _format_report(report))
    failed = [check for check in report.checks if not check.passed]
    if failed:
        raise ProofError(
            f"{len(failed)} of {len(report.checks)} checks of {checksum_address(asked)} failed: do not use it"
        )


def parse_salt(text: str | None) -> Hash32:
    """Read a salt of 32 bytes; zeros for None. Raises InputError."""
    if text is None:
        return Hash32(bytes(32))
    if not re.fullmatch(r"0x[0-9a-fA-F]{64}", text):
        raise InputError(f"found the salt {text!r}, expected 0x and 64 hex digits")
    return Hash32(bytes.fromhex(text[2:]))


def _recorded_salt(records: Deployments, address: Address) -> Hash32 | None:
    record = records.find(address)
    return None if record is None or record.election is None else parse_salt(record.election.salt)


def _describe_ballots(report: CheckReport) -> str:
    form = "text" if report.facts["text_ballots"] else "bytes"
    return f"signed as {form}, at most {report.facts['max_ballot_bytes']:,} bytes each"


def _format_report(report: CheckReport) -> str:
    lines = [f"{checksum_address(report.address)}: {report.kind}, at block {report.block_number}"]
    for check in report.checks:
        lines += [f"{'  ok  ' if check.passed else 'FAILED'}  {check.what}", f"        {check.evidence}"]
    if report.facts:
        opens, closes = report.facts["opens_at"], report.facts["closes_at"]
        lines += [
            f"state        {report.facts['state']}",
            f"organizer    {report.facts['organizer']}",
            f"opens        {opens}, {format_moment(opens)}",
            f"closes       {closes}, {format_moment(closes)}",
            f"voters       {report.facts['voters']:,}",
            f"ballots      {_describe_ballots(report)}",
        ]
    return "\n".join(lines)
