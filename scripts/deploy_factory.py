"""Put the BallotBoxFactory of this version on a chain; once is enough for everyone.

    QBALLOT_RPC_URL=https://… QBALLOT_PRIVATE_KEY=0x… python scripts/deploy_factory.py

Does nothing when it is there. The key's account pays some 2.6 million gas. Other settings: see `.env.example`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from qballot.chain.accounts import load_payer
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.deploy import deploy_factory
from qballot.errors import QballotError
from qballot.settings import load_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy the factory and say where it is. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(arguments)
    try:
        settings = load_settings()
        payer = load_payer(settings.private_key)
        with Rpc(settings.rpc_url, settings.rpc_timeout_seconds) as rpc:
            chain_id = rpc.check_chain(settings.chain_id)
            deployment = deploy_factory(rpc, payer)
    except QballotError as error:
        sys.stderr.write(f"deploy_factory: {error}\n")
        return 1
    lines = [
        f"chain        {chain_id}",
        f"factory      {checksum_address(deployment.factory)}",
        f"box code     {checksum_address(deployment.implementation)} (every ballot box is a clone of it)",
    ]
    if deployment.receipt is None:
        lines.append("nothing to do: the factory was there already")
    else:
        lines += deployment.receipt.describe()
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
