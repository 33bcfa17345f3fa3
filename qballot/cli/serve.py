"""`qballot serve`: the API and the pages over an index."""

from __future__ import annotations

from typing import Annotated

import typer

from qballot.cli.options import DatabaseOption, RpcUrlOption, override_settings


def serve_command(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.", show_default="8000")
    ] = None,
    database: DatabaseOption = None,
    rpc_url: RpcUrlOption = None,
) -> None:
    """Serve elections, results and their evidence over HTTP: JSON for programs, pages for people.

    Options override the settings in the environment and in .env. Run `qballot index` beside it, over the same database.
    The endpoint is asked for ballots' receipts alone.

    Example: qballot serve --port 8000 --database sqlite:///qballot.sqlite3
    """
    from indexer.api import create_app, listen, run_server
    from indexer.journal import configure_logging

    settings = override_settings(host=host, port=port, database_url=database, rpc_url=rpc_url)
    configure_logging()
    listener = listen(settings.host, settings.port)
    with listener:
        run_server(create_app(settings), listener, on_ready=_say_where)


def _say_where(url: str) -> None:
    typer.echo(f"QBallot is served on {url} until Ctrl-C", err=True)
