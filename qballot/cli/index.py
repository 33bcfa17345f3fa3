"""`qballot index`: keep an index up with its chain."""

from __future__ import annotations

from typing import Annotated

import typer

from qballot.cli.options import DatabaseOption, FactoryOption, RpcUrlOption, override_settings


def index_command(
    rpc_url: RpcUrlOption = None,
    database: DatabaseOption = None,
    factory: FactoryOption = None,
    follow: Annotated[
        bool, typer.Option("--follow/--once", help="Go on with new blocks until stopped, or end at the latest one.")
    ] = True,
) -> None:
    """Read elections and ballots from a chain into a database; go on where it stopped.

    Options override the settings in the environment and in .env. Ctrl-C ends it between two ranges of blocks.

    Example: qballot index --once --rpc-url http://127.0.0.1:8545 --database sqlite:///qballot.sqlite3
    """
    from indexer.storage.engine import open_database
    from indexer.sync import Follower, configure_logging, stop_on_signals
    from qballot.chain.rpc import Rpc
    from qballot.core.address import parse_address

    settings = override_settings(rpc_url=rpc_url, database_url=database, factory=factory)
    configure_logging()
    engine = open_database(settings.database_url)
    try:
        with stop_on_signals() as stop, Rpc(settings.rpc_url, settings.rpc_timeout_seconds) as rpc:
            follower = Follower(
                rpc,
                engine,
                factory=None if settings.factory is None else parse_address(settings.factory),
                chain_id=settings.chain_id,
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
