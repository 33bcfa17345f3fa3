"""Put the BallotBoxFactory of this version on a chain; once is enough for everyone.

    QBALLOT_RPC_URL=https://… QBALLOT_PRIVATE_KEY=0x… python scripts/deploy_factory.py
    ape run deploy_factory --network ethereum:sepolia:infura

Does nothing when it is there. The key's account, or ape's, pays some 2.6 million gas. Other settings: see
`.env.example`. On one of ape's own networks the deterministic deployer is put there first.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from qballot.chain.ape_bridge import open_connection
from qballot.chain.deployments import Deployments
from qballot.core.address import checksum_address
from qballot.deploy import deploy_factory
from qballot.deployer import install_deployer
from qballot.errors import QballotError
from qballot.settings import load_settings


def main(arguments: Sequence[str] | None = None) -> None:
    """Deploy the factory and say where it is; end the process with status 1 when that fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    # `ape run` takes no arguments for a script, and this one needs none.
    parser.parse_args([] if arguments is None else arguments)
    try:
        with open_connection(load_settings()) as connection:
            if connection.is_local:
                install_deployer(connection.rpc, connection.signer)
            records = Deployments(connection.deployments, connection.chain_id)
            deployment = deploy_factory(connection.rpc, connection.signer, records)
    except QballotError as error:
        sys.exit(f"deploy_factory: {error}")
    lines = [
        f"chain        {connection.chain_id}",
        f"factory      {checksum_address(deployment.factory)}",
        f"box code     {checksum_address(deployment.implementation)} (every ballot box is a clone of it)",
    ]
    if deployment.receipt is None:
        lines.append("nothing to do: the factory was there already")
    else:
        lines += deployment.receipt.describe()
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
