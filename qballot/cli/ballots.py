"""`qballot ballots`: what a voter has in the box, which of it counts and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qballot.cli.ballot_paper import BoxArgument, CensusOption, ProofOption, find_voter, open_election
from qballot.cli.options import FactoryOption, JsonOption, NetworkOption, RpcUrlOption, connect, override_settings
from qballot.core.address import checksum_address
from qballot.core.ballot_words import describe_ballot
from qballot.core.standing import Reason, Standing, judge_records

if TYPE_CHECKING:
    from qballot.election import ChainElection
    from qballot.voting.history import CastRecord, History

REASONS = {
    Reason.ONLY: "COUNTS: the only ballot of this voter",
    Reason.LATEST: "COUNTS: the latest of this voter",
    Reason.REPEAT: "does not count: a repeat of ballot {by}",
    Reason.OUTRANKED: "does not count: outranked by the voter's own transaction, ballot {by}",
    Reason.EARLIER: "does not count: ballot {by} is later",
    Reason.OVERTAKEN: "does not count: ballot {by} is of the same time and came into the box later",
}


def ballots_command(
    box: BoxArgument,
    voter: Annotated[
        str,
        typer.Option(metavar="ADDRESS|INDEX", help="An index in the census; or an address, with --census or --proof."),
    ],
    census: CensusOption = None,
    proof: ProofOption = None,
    network: NetworkOption = None,
    rpc_url: RpcUrlOption = None,
    factory: FactoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """List a voter's ballots as they stand in the box, in plain words: which one counts, and why not the others.

    Reads the endpoint's logs, no index or server, and checks them against the box's own head.

    Example: qballot ballots $BOX --voter 0
    """
    from qballot.voting.history import fetch_history

    settings = override_settings(rpc_url=rpc_url, network=network, factory=factory)
    with connect(settings) as rpc:
        election = open_election(rpc, settings, box)
        index = find_voter(election, voter, census, proof)
        history = fetch_history(rpc, election, lambda record: record.voter == index, block_range=settings.block_range)
    standings = judge_records([cast.record for cast in history.records])
    if as_json:
        typer.echo(json.dumps(_to_json(election, history, standings, index), indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(_describe(election, history, standings, index)))


def _describe(election: ChainElection, history: History, standings: list[Standing], voter: int) -> list[str]:
    lines = [f"{election.definition.title}, voter {voter}"]
    if history.is_cancelled:
        lines.append("The organizer cancelled this election before it opened.")
    if not history.records:
        lines.append("No ballot of this voter is in the box.")
    for number, (cast, standing) in enumerate(zip(history.records, standings, strict=True), start=1):
        record = cast.record
        how = "by own transaction" if record.is_direct else "signed for"
        by = 0 if standing.by is None else standing.by + 1
        lines += [
            "",
            f"{number}. {REASONS[standing.reason].format(by=by)}",
            f"   {how} {record.cast_at_unix}, in block {cast.block_number}, weight {record.weight}",
            *(f"   {line}" for line in describe_ballot(election.definition, record.ballot).lines),
            f"   bytes 0x{record.ballot.hex()}",
            f"   transaction 0x{cast.transaction_hash.hex()}",
        ]
    lines += [
        "",
        f"{history.total} records in {history.batches} batches lead to the box's head at block {history.block.number}.",
    ]
    return lines


def _to_json(election: ChainElection, history: History, standings: list[Standing], voter: int) -> dict[str, Any]:
    return {
        "chain_id": election.chain_id,
        "box": checksum_address(election.box),
        "voter": voter,
        "cancelled": history.is_cancelled,
        "ballots": [
            _record_to_json(election, cast, standing) for cast, standing in zip(history.records, standings, strict=True)
        ],
        "records_in_box": history.total,
        "head": "0x" + history.head.hex(),
        "block": {"number": history.block.number, "hash": "0x" + history.block.hash.hex()},
    }


def _record_to_json(election: ChainElection, cast: CastRecord, standing: Standing) -> dict[str, Any]:
    record = cast.record
    return {
        "position": cast.position,
        "counts": standing.counts,
        "reason": str(standing.reason),
        "because_of": standing.by,
        "direct": record.is_direct,
        "cast_at": record.cast_at_unix,
        "weight": str(record.weight),
        "ballot": "0x" + record.ballot.hex(),
        "contests": [contest.to_json() for contest in describe_ballot(election.definition, record.ballot).contests],
        "block": cast.block_number,
        "transaction": "0x" + cast.transaction_hash.hex(),
    }
