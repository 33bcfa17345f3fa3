"""`qballot devnet`: a local chain with an election on it, and its clock."""

from __future__ import annotations

import contextlib
import json
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qballot.cli.files import read_bytes
from qballot.cli.options import RpcUrlOption, override_settings
from qballot.errors import InputError, ToolError

if TYPE_CHECKING:
    from qballot.chain.devnet import Devnet
    from qballot.local_chain import LocalElection

DEFAULT_FOLDER = Path(".qballot-devnet")
DEFAULT_PORT = 8_545
DESCRIPTION_FILE = "devnet.json"
LOOK_SECONDS = 0.5
"""How often it is looked whether anvil still runs."""

app = typer.Typer()

FolderOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Where definition, census and devnet.json lie.")
]


@app.callback(invoke_without_command=True)
def devnet_command(
    context: typer.Context,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port of 127.0.0.1 to listen on; 0 takes a free one.")
    ] = DEFAULT_PORT,
    accounts: Annotated[
        int, typer.Option(min=1, max=1_000, help="How many of the public accounts have ether and vote.")
    ] = 10,
    definition_file: Annotated[
        Path | None, typer.Option("--definition", metavar="FILE", help="Definition of the election; else an example.")
    ] = None,
    is_open: Annotated[
        bool, typer.Option("--open/--before-open", help="Move the clock to the opening, or leave it before.")
    ] = True,
    output: FolderOption = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is there as JSON.")] = False,
) -> None:
    """Run anvil with the factory and an election in which public accounts vote, until Ctrl-C; then nothing is left.

    Prints the RPC URL, the addresses, the files, and the accounts with their keys, which everybody knows.

    Example: qballot devnet --port 8545 --accounts 10
    """
    if context.invoked_subcommand is not None:
        return
    from qballot.chain.devnet import Devnet
    from qballot.core.choices import list_examples
    from qballot.core.definition import parse_definition_document
    from qballot.local_chain import example_definition, list_public_accounts, start_election
    from qballot.settings import load_settings

    document = example_definition() if definition_file is None else read_bytes(definition_file)
    definition, canonical = parse_definition_document(document)
    settings = load_settings()
    # A plain `kill` ends the chain in order, as Ctrl-C does.
    signal.signal(signal.SIGTERM, _interrupt)
    with (
        contextlib.suppress(KeyboardInterrupt),
        Devnet(settings.anvil, accounts, settings.rpc_timeout_seconds, port=port) as devnet,
    ):
        local = start_election(devnet, canonical, list_public_accounts(accounts), is_open=is_open)
        described = _write_files(output, local)
        example = list_examples(definition)[0]
        try:
            typer.echo(json.dumps(described, indent=2) if as_json else _describe(described, example, is_open=is_open))
            typer.echo("The chain runs until Ctrl-C.", err=True)
            _wait(devnet)
        finally:
            (output / DESCRIPTION_FILE).unlink(missing_ok=True)


@app.command("warp")
def warp_command(
    to: Annotated[
        str, typer.Argument(metavar="TO", help="+SPAN (+90m, +1d; s, m, h, d, w), unix seconds, open or close.")
    ],
    box: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Whose opening or close; else the devnet's own election.")
    ] = None,
    rpc_url: RpcUrlOption = None,
    output: FolderOption = DEFAULT_FOLDER,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Move a local chain's clock forward, and mine a block there.

    Without --rpc-url it is the chain that `qballot devnet` runs with the same --output, else that of QBALLOT_RPC_URL.

    Example: qballot devnet warp +1d
    """
    from qballot.chain.rpc import Rpc
    from qballot.core.address import parse_address
    from qballot.local_chain import compute_target, fetch_window, move_clock

    running = _read_description(output)
    settings = override_settings(rpc_url=rpc_url or (running or {}).get("rpc_url"))
    with Rpc(settings.primary_rpc_url, settings.rpc_timeout_seconds) as rpc:
        if box is None and running and settings.primary_rpc_url == running["rpc_url"]:
            box = running["box"]
        opens_at, closes_at = (None, None)
        if box is not None and to in ("open", "close"):
            opens_at, closes_at = fetch_window(rpc, parse_address(box))
        before = rpc.block("latest").timestamp
        move_clock(rpc, compute_target(to, now=before, opens_at=opens_at, closes_at=closes_at))
        block = rpc.block("latest")
    if as_json:
        typer.echo(json.dumps({"block": block.number, "timestamp": block.timestamp, "before": before}, indent=2))
    else:
        typer.echo(f"block {block.number} at {block.timestamp}, {block.timestamp - before:,} seconds later")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _wait(devnet: Devnet) -> None:
    """Wait for Ctrl-C. Raises ToolError when anvil ends before."""
    import time

    while devnet.is_running:
        time.sleep(LOOK_SECONDS)
    raise ToolError("anvil ended by itself: the chain is gone")


def _write_files(folder: Path, local: LocalElection) -> dict[str, Any]:
    """Write definition and census, and what is described; return the description with the files' names."""
    from qballot.core.census_file import dump_census

    definition_file, census_file = folder / "definition.json", folder / "census.json"
    described = {**local.to_json(), "definition_file": str(definition_file), "census_file": str(census_file)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        definition_file.write_bytes(local.definition)
        census_file.write_bytes(dump_census(local.census))
        (folder / DESCRIPTION_FILE).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}") from error
    return described


def _read_description(folder: Path) -> dict[str, Any] | None:
    """Read what a running devnet wrote; None where none runs."""
    path = folder / DESCRIPTION_FILE
    if not path.is_file():
        return None
    try:
        document = json.loads(read_bytes(path))
        return {"rpc_url": str(document["rpc_url"]), "box": str(document["box"])}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not what `qballot devnet` writes: remove it, or name --rpc-url") from error


def _describe(described: dict[str, Any], choice: str, *, is_open: bool) -> str:
    state = "open" if is_open else "not open yet: qballot devnet warp open"
    lines = [
        f"RPC URL      {described['rpc_url']}",
        f"chain id     {described['chain_id']}",
        f"factory      {described['factory']}",
        f"ballot box   {described['box']} ({state})",
        f"open         {described['opens_at']} until {described['closes_at']} by the chain's clock",
        f"definition   {described['definition_file']}",
        f"census       {described['census_file']}",
        "",
        "Accounts, with 10,000 ether and one vote each; the first is the organizer. Everybody knows these keys:",
        "what they own on any other chain is stolen at once.",
        "",
    ]
    lines += [f"{item['voter']:>4}  {item['address']}  {item['private_key']}" for item in described["accounts"]]
    example = described["accounts"][min(1, len(described["accounts"]) - 1)]
    lines += [
        "",
        "To vote as one of them from another terminal:",
        f"  export QBALLOT_RPC_URL={described['rpc_url']} QBALLOT_PRIVATE_KEY={example['private_key']}",
        f"  qballot vote {described['box']} {choice} --census {described['census_file']}",
    ]
    return "\n".join(lines)
