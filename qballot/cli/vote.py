"""`qballot vote` and `qballot sign`: a voter's ballot, by their own transaction or signed for another to bring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qballot.cli.ballot_paper import (
    BoxArgument,
    CensusOption,
    ProofOption,
    SpoilOption,
    find_enrolment,
    open_election,
    show_ballot,
    write_ballot,
)
from qballot.cli.choices import Said, takes_choices
from qballot.cli.files import read_bytes, write_same
from qballot.cli.options import (
    AccountOption,
    DryRunOption,
    FactoryOption,
    JsonOption,
    NetworkOption,
    RpcUrlOption,
    SenderOption,
    UnsignedFileOption,
    UnsignedOption,
    YesOption,
    connect,
    override_settings,
)
from qballot.core.address import checksum_address
from qballot.core.ballot_words import BallotWords

if TYPE_CHECKING:
    from qballot.chain.answers import Receipt
    from qballot.election import ChainElection
    from qballot.voting.enrolment import Enrolment


@takes_choices
def vote_command(
    box: BoxArgument,
    said: Said,
    census: CensusOption = None,
    proof: ProofOption = None,
    spoil: SpoilOption = False,
    account: AccountOption = None,
    sender: SenderOption = None,
    network: NetworkOption = None,
    rpc_url: RpcUrlOption = None,
    factory: FactoryOption = None,
    dry_run: DryRunOption = False,
    unsigned: UnsignedOption = False,
    output: UnsignedFileOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Cast a ballot by your own transaction, which outranks every ballot that you ever signed.

    The box's provenance is checked first, then the ballot; both are shown, with gas and price, before you agree. You
    may vote again until the close: the latest counts.

    Example: qballot vote $BOX --choose park --census census.json --yes
    """
    from qballot.chain.transactions import send_quoted
    from qballot.cli.spending import Spending, find_payer, quote_calls, settle
    from qballot.voting.direct import plan_vote

    how = Spending(account, sender, dry_run, unsigned, output, yes, as_json)
    settings = override_settings(rpc_url=rpc_url, network=network, factory=factory)
    payer = find_payer(settings, how)
    with connect(settings) as rpc:
        election = open_election(rpc, settings, box)
        ballot, words = write_ballot(election.definition, said, spoil=spoil)
        enrolment = find_enrolment(election, payer.address, census, proof)
        call = plan_vote(rpc, election, enrolment, ballot)
        show_ballot(election, ballot, words)
        quotes = quote_calls(rpc, payer, [call], how)
        signer = settle(payer, quotes, how, known={"your ballot": words.text})
        if signer is None:
            return
        (receipt,) = send_quoted(rpc, [signer], quotes)
    _report(election, enrolment, ballot, words, receipt, as_json=as_json)


@takes_choices
def sign_command(
    box: BoxArgument,
    said: Said,
    census: CensusOption = None,
    proof: ProofOption = None,
    spoil: SpoilOption = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where it goes; else it is printed.")
    ] = None,
    after: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A ballot that you signed before and that this one is to replace."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a different file.")] = False,
    account: AccountOption = None,
    network: NetworkOption = None,
    rpc_url: RpcUrlOption = None,
    factory: FactoryOption = None,
) -> None:
    """Sign a ballot (EIP-712) into a file that anyone can bring to the box, at their cost, by `qballot cast-signed`.

    It counts before every earlier one that you signed, but never before your own transaction. The file is JSON: chain,
    box, voter, weight, time, ballot in bytes and words, signature, proof.

    Example: qballot sign $BOX --choose park --census census.json -o ballot.json
    """
    from qballot.cli.spending import Spending, find_payer
    from qballot.core.signed_ballot import dump_signed_ballot, load_signed_ballot
    from qballot.voting.signed import sign_for

    settings = override_settings(rpc_url=rpc_url, network=network, factory=factory)
    signing = find_payer(settings, Spending(account=account))
    earlier = [load_signed_ballot(read_bytes(path)) for path in after or ()]
    with connect(settings) as rpc:
        election = open_election(rpc, settings, box)
        ballot, words = write_ballot(election.definition, said, spoil=spoil)
        enrolment = find_enrolment(election, signing.address, census, proof)
        show_ballot(election, ballot, words)
        signed = sign_for(
            rpc, election, enrolment, signing.unlock(), ballot, after=earlier, block_range=settings.block_range
        )
    data = dump_signed_ballot(signed)
    if output is None:
        typer.echo(data.decode(), nl=False)
    else:
        write_same(output, data, overwrite=force)
        typer.echo(f"written: {output}", err=True)


def _report(
    election: ChainElection,
    enrolment: Enrolment,
    ballot: bytes,
    words: BallotWords,
    receipt: Receipt,
    *,
    as_json: bool,
) -> None:
    box, entry = checksum_address(election.box), enrolment.entry
    if as_json:
        report = {
            "box": box,
            "voter": entry.index,
            "weight": str(entry.weight),
            "ballot": "0x" + ballot.hex(),
            "contests": [contest.to_json() for contest in words.contests],
            "transaction": "0x" + receipt.transaction_hash.hex(),
            "block": receipt.block_number,
            "gas_used": receipt.gas_used,
        }
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        return
    lines = [
        f"cast         by voter {entry.index}, weight {entry.weight}",
        f"ballot       {words.text}",
        f"bytes        0x{ballot.hex()}",
        *receipt.describe(),
        f"check it     qballot ballots {box} --voter {entry.index}",
    ]
    typer.echo("\n".join(lines))
