"""What a chain charges and allows now, as its latest header tells."""

from __future__ import annotations

from dataclasses import dataclass

from qballot.chain.proofs import fetch_header
from qballot.chain.rpc import Rpc
from qballot.core.forks import FORKS, Fork, find_fork
from qballot.core.proof import Header
from qballot.errors import ProofError


@dataclass(frozen=True, slots=True)
class Terms:
    """fork: whose prices and limits hold. block_gas_limit: most gas that a block holds, None if unknown.

    is_known: whether the latest header showed the fork; otherwise it is only the dearest guess.
    """

    fork: Fork
    block_gas_limit: int | None = None
    is_known: bool = True


LATEST_TERMS = Terms(FORKS[-1], is_known=False)
"""Those of the latest fork that this version knows, whose prices are the highest."""


def fetch_terms(rpc: Rpc) -> Terms:
    """Find out by the latest header which fork a chain follows.

    A header that this version cannot read is that of a later fork or of a chain other than Ethereum: it gets
    `LATEST_TERMS`. A chain whose headers look like Ethereum's but whose rules differ, as on many rollups, gets the
    rules of the fork that its headers look like. Osaka is assumed for Prague, whose headers look the same.
    Raises ChainError if the endpoint gives no block.
    """
    try:
        header = fetch_header(rpc, "latest")
    except ProofError:
        return LATEST_TERMS
    fork = find_fork(sum(getattr(header, name) is not None for name in Header.__slots__))
    return LATEST_TERMS if fork is None else Terms(fork, header.gas_limit)
