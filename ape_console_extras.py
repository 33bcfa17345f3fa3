"""What `ape console` has at hand here, beside ape's own: the deployed contracts, and our connection and signer.

    ape console --network ethereum:sepolia:infura

    factory          the BallotBoxFactory of this version; None where it is not deployed
    box(address)     a ballot box, as in `box("0x…").head()`
    boxes(from_block)  every box that the factory made since a block, by address, with its title
    rpc, signer()    for this package's functions, as in `deploy_factory(rpc, signer())`

On one of ape's own networks the factory is put there first.
"""

from __future__ import annotations

from typing import Any

from qballot.chain.ape_bridge import find_ape_session
from qballot.chain.artifacts import BALLOT_BOX, BALLOT_BOX_FACTORY, default_factory, load_artifact
from qballot.chain.contracts import BALLOT_BOX_CREATED, decode_ballot_box_created
from qballot.chain.creation import scan_logs
from qballot.core.address import checksum_address
from qballot.core.definition import parse_definition
from qballot.deploy import deploy_factory
from qballot.deployer import install_deployer
from qballot.errors import DefinitionError, ToolError, UnknownVersionError


def ape_init_extras(Contract: Any) -> dict[str, Any]:  # noqa: N803 # ape finds what it passes by its name
    """Make the console's names. Contract: ape's, which makes an instance of an address and an ABI."""
    session = find_ape_session()
    if session is None:
        raise ToolError("the console is connected to no network: choose one with --network")
    rpc = session.connect()
    if session.is_local:
        install_deployer(rpc, session.load_signer())
        deploy_factory(rpc, session.load_signer())
    address = checksum_address(default_factory())
    factory = None
    if rpc.code(default_factory()):
        factory = Contract(address, abi=load_artifact(BALLOT_BOX_FACTORY).abi)

    def box(address: str) -> Any:
        """Return the ballot box at an address as ape's contract."""
        return Contract(address, abi=load_artifact(BALLOT_BOX).abi)

    def boxes(from_block: int = 0) -> dict[str, str]:
        """Return every box that the factory made since a block: address → the election's title."""
        found = {}
        for logs in scan_logs(rpc, from_block, rpc.block().number, [default_factory()], [BALLOT_BOX_CREATED]):
            for log in logs:
                created = decode_ballot_box_created(log)
                found[checksum_address(created.box)] = _title(created.definition)
        return found

    return {
        "rpc": rpc,
        "signer": session.load_signer,
        "factory": factory,
        "box": box,
        "boxes": boxes,
        "deploy_factory": deploy_factory,
    }


def _title(definition: bytes) -> str:
    try:
        return parse_definition(definition).title
    except DefinitionError:
        return "(invalid definition)"
    except UnknownVersionError:
        return "(definition of an unknown version)"
