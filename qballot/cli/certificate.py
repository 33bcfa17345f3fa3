"""`qballot certificate`: a verified result as one page of paper, or of HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qballot.cli.files import write_same
from qballot.cli.options import FactoryOption, NetworkOption, override_settings
from qballot.cli.trusted_hash import BlockHashOption, WitnessOption
from qballot.cli.verify import CensusOption, SourceArgument, check_source, end_with_status
from qballot.errors import InputError

SUFFIXES = (".pdf", ".html")


def certificate_command(
    source: SourceArgument,
    output: Annotated[
        list[Path],
        typer.Option("--output", "-o", metavar="FILE", help="FILE.pdf or FILE.html; may be given for each."),
    ],
    address: Annotated[
        str | None,
        typer.Option(
            "--address", metavar="URL", help="Where the evidence is published; by default the URL that it is read from."
        ),
    ] = None,
    font: Annotated[
        Path | None,
        typer.Option("--font", metavar="FILE", help="TrueType font for a PDF whose titles need other letters."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over another file.")] = False,
    block_hash: BlockHashOption = None,
    rpc: WitnessOption = None,
    census: CensusOption = None,
    network: NetworkOption = None,
    factory: FactoryOption = None,
) -> None:
    """Verify evidence and write its result as a certificate: one page of PDF, or HTML.

    It says who names the block hash, and bears a code of where the evidence is with the digest of its file. The same
    evidence, verified by the same word, gives the same bytes. Exit status as of `qballot verify`; nothing is written
    where the evidence does not hold.

    Example: qballot certificate evidence.jsonl -o result.pdf -o result.html --rpc http://127.0.0.1:8545
    """
    for path in output:
        if path.suffix.lower() not in SUFFIXES:
            raise InputError(f"{path}: found the suffix {path.suffix!r}, expected .pdf or .html")
    settings = override_settings(network=network, factory=factory)
    checked = check_source(source, block_hash, rpc, census, settings)
    if not checked.verification.holds or checked.trust is None or checked.evidence is None:
        end_with_status(checked.verification)
        return
    # Loading what draws takes a moment, which no other command should wait for.
    from qballot.certificate import collect_facts, write_html, write_pdf
    from qballot.core.proof import digest_evidence, write_evidence

    published = address or (source if source.startswith(("http://", "https://")) else None)
    digest = digest_evidence(write_evidence(checked.evidence))
    facts = collect_facts(checked.verification, checked.trust, digest, published)
    written = [
        (path, write_pdf(facts, font) if path.suffix.lower() == ".pdf" else write_html(facts)) for path in output
    ]
    for path, data in written:
        write_same(path, data, overwrite=force)
        typer.echo(f"wrote {path}")
    end_with_status(checked.verification)
