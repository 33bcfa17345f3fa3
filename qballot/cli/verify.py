"""`qballot verify` and `qballot recount`: a bundle of evidence, verified and counted without believing who gave it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qballot.cli.files import read_bytes
from qballot.cli.options import FactoryOption, JsonOption, NetworkOption, override_settings
from qballot.cli.tally import LogForm, print_count
from qballot.cli.trusted_hash import (
    BlockHashOption,
    VerboseOption,
    WitnessOption,
    ask_for_trust,
    find_chain,
    find_evidence_url,
    open_source,
    read_block_hash,
)
from qballot.cli.verification_report import (
    describe_evidence,
    end_with_failure,
    evidence_to_json,
    get_result,
    print_lines,
)
from qballot.core.proof import EvidenceCheck, ResultState, Verification
from qballot.errors import DecodeError, UnknownVersionError
from qballot.settings import Settings

if TYPE_CHECKING:
    from qballot.core.proof import Evidence
    from qballot.evidence import Trust

EXIT_PARTIAL = 4

SourceArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE|URL", help="The evidence: a file, or an election's address on a server, https://…/elections/BOX."
    ),
]
CensusOption = Annotated[
    Path | None,
    typer.Option("--census", metavar="FILE", help="The census file, where the evidence leaves out the voters."),
]


@dataclass(frozen=True, slots=True)
class Checked:
    """A verification, who names the hash, and the evidence as it was read; both None where it could not be read."""

    verification: Verification
    trust: Trust | None
    evidence: Evidence | None


def verify_command(
    source: SourceArgument,
    block_hash: BlockHashOption = None,
    rpc: WitnessOption = None,
    census: CensusOption = None,
    network: NetworkOption = None,
    factory: FactoryOption = None,
    verbose: VerboseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Verify evidence of an election in sixteen steps: all of the result follows from one block hash, or is refused.

    Nobody is asked unless --rpc names endpoints, so that it needs no network. It says who names the block hash; without
    --block-hash or --rpc nobody does. Exit status: 0 verified, and complete or cancelled; 4 verified, but ballots can
    follow; 3 something does not hold; 1 the file is no evidence, or was made for a newer version of QBallot.

    Example: qballot verify evidence.jsonl --rpc http://127.0.0.1:8545
    """
    settings = override_settings(network=network, factory=factory)
    checked = check_source(source, block_hash, rpc, census, settings)
    if as_json:
        document = evidence_to_json(checked.verification, checked.trust)
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        print_lines(describe_evidence(checked.verification, checked.trust, verbose=verbose))
    end_with_status(checked.verification)


def recount_command(
    source: SourceArgument,
    log: Annotated[
        LogForm | None,
        typer.Option(
            help="Print the count log alone, in this form; CSV has a row for every number.", show_default=False
        ),
    ] = None,
    block_hash: BlockHashOption = None,
    rpc: WitnessOption = None,
    census: CensusOption = None,
    network: NetworkOption = None,
    factory: FactoryOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Verify evidence and print its whole count: winners, totals and every step, in the forms of `qballot tally`.

    Who names the block hash, and whether ballots can follow, is said on stderr. Exit status as of `qballot verify`.

    Example: qballot recount evidence.jsonl --log csv
    """
    settings = override_settings(network=network, factory=factory)
    checked = check_source(source, block_hash, rpc, census, settings)
    found, trust = checked.verification, checked.trust
    if trust is not None:
        typer.echo("\n".join(["Its block's hash:", *(f"  {words}" for words in trust.describe())]), err=True)
    if found.state is not None:
        typer.echo(f"State: {found.steps[EvidenceCheck.STATE.number - 1].text}", err=True)
    result = get_result(found)
    if result is not None:
        print_count(result, log, as_json=as_json)
    elif found.holds and (as_json or log is LogForm.JSON):
        typer.echo(json.dumps({"contests": []} if log is None else {}))
    end_with_status(found)


def check_source(
    source: str, block_hash: str | None, rpc: Sequence[str] | None, census: Path | None, settings: Settings
) -> Checked:
    """Read evidence from a file or a URL, find out who names its block's hash, and verify it.

    Raises InputError, ApiError; ProofError where endpoints contradict each other or the census file is another;
    ChainError where no endpoint names the hash.
    """
    from qballot.core.proof import attach_census, read_evidence
    from qballot.core.proof.steps import end_at_first

    by_hand = read_block_hash(block_hash)
    with open_source(find_evidence_url(source)) as pieces:
        try:
            evidence = read_evidence(pieces)
        except (DecodeError, UnknownVersionError) as error:
            steps = end_at_first(EvidenceCheck, error)
            return Checked(Verification(steps, by_hand, is_trust_own=by_hand is None), None, None)
    whole = evidence if census is None else attach_census(evidence, read_bytes(census))
    trust = ask_for_trust(evidence.header, by_hand, rpc, settings)
    return Checked(_verify(whole, trust, settings), trust, evidence)


def end_with_status(found: Verification) -> None:
    """End the command as the verification ended. Raises as `end_with_failure`, and typer.Exit."""
    end_with_failure(found, EvidenceCheck.FORMAT)
    if found.state is ResultState.PARTIAL:
        raise typer.Exit(EXIT_PARTIAL)


def _verify(evidence: Evidence, trust: Trust, settings: Settings) -> Verification:
    from qballot.chain.pins import default_pins
    from qballot.cli.progress import show_progress
    from qballot.core.address import parse_address
    from qballot.core.proof import Verifier

    pins = default_pins(None if settings.factory is None else parse_address(settings.factory))
    chain_id = find_chain(trust, settings)
    verifier = Verifier(evidence, trust.block_hash, pins, chain_id=chain_id, is_file=True)
    with show_progress() as report:
        for step in verifier.run():
            report("verifying", step.check.number, len(EvidenceCheck))
    return verifier.finish()
