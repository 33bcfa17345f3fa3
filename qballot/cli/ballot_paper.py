"""What the commands of voters have in common: which election, who the voter is in its census, what the ballot says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qballot.cli.choices import Said
from qballot.cli.files import read_bytes
from qballot.core.address import parse_address
from qballot.core.ballot_words import BallotWords, describe_ballot
from qballot.core.choices import read_choices
from qballot.core.election import Definition
from qballot.core.types import Address
from qballot.errors import InputError
from qballot.settings import Settings

if TYPE_CHECKING:
    from qballot.chain.rpc import Rpc
    from qballot.election import ChainElection
    from qballot.voting.enrolment import Enrolment

BoxArgument = Annotated[str, typer.Argument(metavar="BOX", help="Address of the election's ballot box.")]
CensusOption = Annotated[
    Path | None,
    typer.Option("--census", metavar="FILE", help="The election's census file, as its organizer published."),
]
ProofOption = Annotated[
    Path | None, typer.Option("--proof", metavar="FILE", help="Your own proof (`qballot census proof`) instead of it.")
]
SpoilOption = Annotated[
    bool, typer.Option("--spoil", help="Allow a ballot that breaks a contest's rules and is not counted there.")
]


def open_election(rpc: Rpc, settings: Settings, box: str) -> ChainElection:
    """Read an election and check its provenance, by the settings. Errors as of `fetch_election`."""
    from qballot.election import fetch_election

    return fetch_election(
        rpc,
        parse_address(box),
        factory=None if settings.factory is None else parse_address(settings.factory),
        from_block=settings.from_block,
        block_range=settings.block_range,
    )


def write_ballot(definition: Definition, said: Said, *, spoil: bool) -> tuple[bytes, BallotWords]:
    """Write down what was said; return the bytes and what they say. Raises InputError, for a spoiled ballot too."""
    ballot = read_choices(definition, said.choices, said.blank)
    words = describe_ballot(definition, ballot)
    if not spoil:
        words.refuse_spoiled()
    return ballot, words


def find_enrolment(election: ChainElection, account: Address, census: Path | None, proof: Path | None) -> Enrolment:
    """Find an account in the election's census, by the census file or the account's own proof.

    Raises InputError when neither or both are given or one cannot be read, NotInCensusError, ProofError.
    """
    from qballot.core.census_file import load_census
    from qballot.core.census_proof import load_voter_proof
    from qballot.voting.enrolment import enrol_by_census, enrol_by_proof

    if census is not None and proof is not None:
        raise InputError("found --census and --proof, expected one of them")
    if census is not None:
        return enrol_by_census(election, load_census(read_bytes(census)), account)
    if proof is not None:
        return enrol_by_proof(election, load_voter_proof(read_bytes(proof)), account)
    raise InputError("found no --census, expected the file that the organizer published, or your --proof out of it")


def find_voter(election: ChainElection, text: str, census: Path | None, proof: Path | None) -> int:
    """Return a voter's index. Raises InputError for what is none, or an address with nothing to find it in."""
    if text.isascii() and text.isdigit() and len(text) <= 10:
        if int(text) >= election.arguments.voters:
            raise InputError(f"there is no voter {text}: the election has {election.arguments.voters}, from 0")
        return int(text)
    return find_enrolment(election, parse_address(text), census, proof).entry.index


def show_ballot(election: ChainElection, ballot: bytes, words: BallotWords) -> None:
    """Show on stderr what a ballot says, in words and in bytes, before anything is signed."""
    typer.echo(f"Your ballot in {election.definition.title}:", err=True)
    for line in words.lines:
        typer.echo(f"  {line}", err=True)
    typer.echo(f"  bytes: 0x{ballot.hex()}", err=True)
