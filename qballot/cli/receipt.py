"""`qballot receipt`: one ballot's receipt, which proves to its voter that the box took it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qballot.cli.ballot_paper import BoxArgument, CensusOption, ProofOption, find_voter, open_election
from qballot.cli.files import read_bytes, write_new
from qballot.cli.options import (
    FactoryOption,
    JsonOption,
    NetworkOption,
    RpcUrlOption,
    connect,
    override_settings,
)
from qballot.cli.progress import show_progress
from qballot.cli.trusted_hash import (
    BlockHashOption,
    VerboseOption,
    WitnessOption,
    ask_for_trust,
    find_chain,
    open_source,
    read_block_hash,
)
from qballot.cli.verification_report import Line, describe_receipt, end_with_failure, print_lines, receipt_to_json
from qballot.core.address import checksum_address, parse_address
from qballot.core.ballot_words import describe_ballot
from qballot.core.definition import parse_definition_document
from qballot.core.proof import ReceiptCheck, ReceiptVerification, read_receipt_file, verify_receipt_file
from qballot.core.proof.receipt_file import MAX_RECEIPT_FILE_BYTES
from qballot.core.types import Address
from qballot.errors import DecodeError, UnknownVersionError
from qballot.settings import Settings

if TYPE_CHECKING:
    from qballot.evidence import FoundReceipt, Trust

app = typer.Typer(no_args_is_help=True, help="Get and verify the receipt of a single ballot.")


@app.callback()
def _group() -> None:
    pass


@app.command("get")
def get_command(
    box: BoxArgument,
    voter: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS|INDEX",
            help="Whose ballot, the one that counts: an index in the census; or an address, with --census or --proof.",
        ),
    ] = None,
    position: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="The ballot at this place in the box, from 0, instead.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the receipt goes.")] = Path(
        "receipt.json"
    ),
    census: CensusOption = None,
    proof: ProofOption = None,
    network: NetworkOption = None,
    rpc_url: RpcUrlOption = None,
    factory: FactoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the receipt of one ballot: its batch, and the proof that a block has it.

    It is read from an endpoint, without an index, and verified before it is written.

    Example: qballot receipt get $BOX --voter 1 -o receipt.json
    """
    from qballot.core.proof import write_receipt_file
    from qballot.evidence import collect_receipt

    settings = override_settings(rpc_url=rpc_url, network=network, factory=factory)
    with connect(settings) as rpc, show_progress() as report:
        election = open_election(rpc, settings, box)
        index = None if voter is None else find_voter(election, voter, census, proof)
        found = collect_receipt(
            rpc, election, voter=index, position=position, block_range=settings.block_range, report=report
        )
    write_new(output, write_receipt_file(found.receipt))
    if as_json:
        typer.echo(json.dumps({"file": str(output), **_found_to_json(found)}, indent=2))
        return
    number = found.header.number
    typer.echo(f"wrote {output}: ballot {found.position} of the box, of voter {found.record.voter}, in block {number}")
    typer.echo(f"block hash  0x{found.block_hash.hex()}")


@app.command("verify")
def verify_command(
    file: Annotated[str, typer.Argument(metavar="FILE|URL", help="The receipt: a file, or where a server gives it.")],
    box: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="The election's box, as you know it; else whichever the receipt names."),
    ] = None,
    definition: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The election's definition, to say the ballot in words.")
    ] = None,
    block_hash: BlockHashOption = None,
    rpc: WitnessOption = None,
    network: NetworkOption = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Verify the receipt of one ballot in five steps: that the block with this hash has it in the box's log.

    Nobody is asked unless --rpc names endpoints. Exit status: 0 it holds, 3 something does not, 1 this is no receipt,
    or one that was made for a newer version of QBallot.

    Example: qballot receipt verify receipt.json --box $BOX --rpc http://127.0.0.1:8545
    """
    settings = override_settings(network=network)
    known = None if box is None else parse_address(box)
    question = None if definition is None else parse_definition_document(read_bytes(definition))[0]
    found, trust = check_receipt(file, known, block_hash, rpc, settings)
    if as_json:
        typer.echo(json.dumps(receipt_to_json(found, trust), indent=2, ensure_ascii=False))
    else:
        print_lines(describe_receipt(found, trust, verbose=verbose))
        if known is None and found.holds:
            print_lines([Line("The box is the one that the receipt names: --box compares it with your election's.")])
        if question is not None and found.record is not None:
            print_lines(Line(f"  {words}") for words in describe_ballot(question, found.record.ballot).lines)
    end_with_failure(found, ReceiptCheck.FORMAT)


def check_receipt(
    source: str, box: Address | None, block_hash: str | None, rpc: Sequence[str] | None, settings: Settings
) -> tuple[ReceiptVerification, Trust | None]:
    """Read a receipt from a file or a URL, find out who names its block's hash, and verify it.

    Returns no trust where it could not be read. Errors as of `qballot.cli.verify.check_source`.
    """
    by_hand = read_block_hash(block_hash)
    with open_source(source) as pieces:
        data = _read_some(pieces)
    try:
        receipt = read_receipt_file(data)
    except (DecodeError, UnknownVersionError):
        return verify_receipt_file(data, by_hand, box=box), None
    trust = ask_for_trust(receipt.header, by_hand, rpc, settings)
    return verify_receipt_file(data, trust.block_hash, box=box, chain_id=find_chain(trust, settings)), trust


def _read_some(pieces: Iterable[bytes]) -> bytes:
    """Read to the end, or until it is too long for a receipt."""
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > MAX_RECEIPT_FILE_BYTES:
            break
    return bytes(data)


def _found_to_json(found: FoundReceipt) -> dict[str, Any]:
    record, header = found.record, found.header
    return {
        "chain_id": found.receipt.chain_id,
        "box": checksum_address(found.receipt.box),
        "block": {"number": header.number, "hash": "0x" + found.block_hash.hex(), "timestamp": header.timestamp},
        "position_in_box": found.position,
        "voter": record.voter,
        "weight": str(record.weight),
        "cast_at": record.cast_at_unix,
        "direct": record.is_direct,
        "ballot": "0x" + record.ballot.hex(),
    }
