"""The bundles that a newer version of QBallot may have made: neither good nor bad, whatever else they hold."""

from __future__ import annotations

from dataclasses import dataclass

from good import gather_undefined, make_small

from qballot.chain.devnet import Devnet
from qballot.core.proof import write_evidence
from qballot.core.types import Hash32


@dataclass(frozen=True)
class Unknown:
    """One bundle of which nothing is said. step: what ends as unknown. trusted: the block hash that is believed."""

    name: str
    what: str
    lines: list[bytes]
    trusted: Hash32
    step: int


def make_unknown(devnet: Devnet) -> list[Unknown]:
    """All of them. What one does to the chain is undone before the next."""
    snapshot = devnet.snapshot()
    found = make_other_forms(devnet)
    devnet.revert(snapshot)
    return [*found, make_other_definition(devnet)]


def make_other_forms(devnet: Devnet) -> list[Unknown]:
    evidence = make_small(devnet).evidence
    first, *others = write_evidence(evidence)
    second = first.replace(b'"version":1', b'"version":2')
    trusted = evidence.block_hash
    added = second.replace(b'"chain_id"', b'"beacon":{},"chain_id"')
    of_kind = first.replace(b'"kind":"evidence"', b'"kind":"ceremony"')
    return [
        Unknown("evidence-version", "evidence of a version that is not known", [second, *others], trusted, 1),
        Unknown("evidence-version-and-keys", "another version, a new key, and half of the file", [added, *others[:2]],
                trusted, 1),
        Unknown("evidence-kind", "a file of a kind that is not known", [of_kind, *others], trusted, 1),
    ]  # fmt: skip


def make_other_definition(devnet: Devnet) -> Unknown:
    definition = b'{"ballots":{"paper":true},"qballot":7,"title":"From another time"}'
    evidence = gather_undefined(devnet, definition)
    what = "a definition of a version that is not known, with keys that are not known; all else is as it must be"
    return Unknown("definition-version", what, list(write_evidence(evidence)), evidence.block_hash, 2)
