"""`qballot index`: keep an index up with its chain."""

from __future__ import annotations

from typing import Annotated

import typer

from qballot.cli.options import DatabaseOption, FactoryOption, NetworkOption, RpcUrlOption, override_settings


def index_command(
    rpc_url: RpcUrlOption = None,
    database: DatabaseOption = None,
    factory: FactoryOption = None,
    network: NetworkOption = None,
    follow: Annotated[
        bool, typer.Option("--follow/--once", help="Go on with new blocks until stopped, or end at the latest one.")
    ] = True,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget what was read and read it all anew; imported censuses stay.")
    ] = False,
) -> None:
    """Read elections and ballots from a chain into a database; go on where it stopped.

    Options override the settings in the environment and in .env. Ctrl-C ends it between two ranges of blocks.

    Example: qballot index --once --rpc-url http://127.0.0.1:8545 --database sqlite:///qballot.sqlite3
    """
    from indexer.journal import configure_logging
    from indexer.stopping import stop_on_signals
    from indexer.storage.engine import open_database
    from indexer.storage.writer import reset_index
    from indexer.sync import Follower
    from qballot.chain.networks import compute_expected_chain
    from qballot.chain.rpc import Rpc
    from qballot.core.address import parse_address

    settings = override_settings(rpc_url=rpc_url, database_url=database, factory=factory, network=network)
    chain_id = compute_expected_chain(settings.network, settings.chain_id)
    configure_logging()
    engine = open_database(settings.database_url)
    try:
        if reset:
            reset_index(engine)
        with stop_on_signals() as stop, Rpc(settings.rpc_url, settings.rpc_timeout_seconds) as rpc:
            follower = Follower(
                rpc,
                engine,
                factory=None if settings.factory is None else parse_address(settings.factory),
                chain_id=chain_id,
                from_block=settings.from_block,
                block_range=settings.block_range,
                poll_seconds=settings.poll_seconds,
            )
            if follow:
                follower.follow(stop)
            else:
                follower.sync_once(stop=stop)
    finally:
        engine.dispose()
