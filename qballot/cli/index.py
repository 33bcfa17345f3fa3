"""`qballot index`: keep an index up with its chain, and see how it does."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from qballot.cli.index_check import check_command
from qballot.cli.index_once import describe_stop, read_once
from qballot.cli.index_progress import Progress
from qballot.cli.index_status import status_command
from qballot.cli.live import Observers, ProgressLog, show_live_line, shows_live_line
from qballot.cli.options import DatabaseOption, FactoryOption, NetworkOption, RpcUrlOption, override_settings
from qballot.errors import InputError, StorageError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from indexer.metrics import Metrics
    from indexer.sync import Observer
    from qballot.core.types import Address
    from qballot.settings import Settings

GRACE_SECONDS = 4.0
"""How long what is under way may take once the indexer is to stop; the rest of five seconds is for ending."""

app = typer.Typer()
app.command("status")(status_command)
app.command("check")(check_command)


@app.callback(invoke_without_command=True)
def index_command(
    context: typer.Context,
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
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, help="Answer Prometheus on this port, 0 for any free one; else QBALLOT_METRICS_PORT."
        ),
    ] = None,
) -> None:
    """Read elections and ballots from a chain into a database; go on where it stopped.

    Options override the settings in the environment and in .env. Ctrl-C ends it; what was read by then is kept whole.
    With --once the status is 0 only where it came to the latest block.

    Example: qballot index --once --rpc-url http://127.0.0.1:8545 --database sqlite:///qballot.sqlite3
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context, context.invoked_subcommand)
        return
    from qballot.chain.networks import compute_expected_chain
    from qballot.core.address import parse_address

    settings = override_settings(
        rpc_url=rpc_url, database_url=database, factory=factory, network=network, metrics_port=metrics_port
    )
    expected = _Expected(
        chain_id=compute_expected_chain(settings.network, settings.chain_id),
        factory=None if settings.factory is None else parse_address(settings.factory),
    )
    with ExitStack() as stack:
        watch = _start_watching(settings, stack)
        ended = _run(settings, expected, watch, follow=follow, reset=reset)
        if not ended:
            # Something hangs that cannot be interrupted: only the end of the whole process ends it.
            stack.pop_all()
    if not ended:
        if not follow:
            typer.echo(f"qballot: {describe_stop(watch.progress)}", err=True)
        sys.stderr.flush()
        os._exit(0 if follow else 1)


class _Expected(NamedTuple):
    """What is to be indexed. chain_id: any when None. factory: this version's own when None."""

    chain_id: int | None
    factory: Address | None


class _Watch(NamedTuple):
    """Who watches the indexer. observer: hears what it does, the others among it. metrics: hear of requests too."""

    observer: Observer
    progress: Progress
    metrics: Metrics


def _start_watching(settings: Settings, stack: ExitStack) -> _Watch:
    """Begin to show and to serve what the indexer does, until the stack is left. Raises ToolError for a taken port."""
    from prometheus_client import CollectorRegistry

    from indexer.journal import configure_logging, get_journal
    from indexer.metrics import Metrics, serve_metrics

    journal = get_journal("index")
    progress, metrics = Progress(), Metrics(CollectorRegistry(), clock=time.time)
    if shows_live_line():
        configure_logging(stream=stack.enter_context(show_live_line(progress)), level=logging.WARNING)
        observers = Observers([progress, metrics])
    else:
        configure_logging()
        observers = Observers([progress, metrics, ProgressLog(progress, journal)])
    if settings.metrics_port is not None:
        url = stack.enter_context(serve_metrics(metrics.registry, settings.metrics_host, settings.metrics_port))
        journal.info("metrics served", url=url)
    return _Watch(observers, progress, metrics)


def _reset(engine: Engine) -> None:
    """Forget what was read. Raises StorageError while another indexer is at work on it."""
    from indexer.storage.engine import describe
    from indexer.storage.leadership import Leadership
    from indexer.storage.writer import reset_index

    leadership = Leadership(engine)
    try:
        if not leadership.try_acquire():
            raise StorageError(f"another indexer is at work on {describe(engine)}: stop it before you reset the index")
        reset_index(engine)
    finally:
        leadership.release()


def _run(settings: Settings, expected: _Expected, watch: _Watch, *, follow: bool, reset: bool) -> bool:
    """Index until it is to stop, or all is read. Returns False where something hangs and keeps it from stopping."""
    from indexer.stopping import run_until_stopped, stop_on_signals
    from indexer.storage.engine import open_database

    with stop_on_signals() as stop:

        def work() -> None:
            # The database may keep even this waiting.
            engine = open_database(settings.database_url)
            try:
                if reset and not stop.is_set():
                    _reset(engine)
                _index(settings, expected, engine, watch, stop, follow=follow)
            finally:
                engine.dispose()

        try:
            return run_until_stopped(work, stop, grace_seconds=GRACE_SECONDS)
        finally:
            watch.progress.end()


def _index(
    settings: Settings, expected: _Expected, engine: Engine, watch: _Watch, stop: threading.Event, *, follow: bool
) -> None:
    """Index until `stop` is set or, where it is not to follow the chain, all is read."""
    from indexer.sync import Follower
    from qballot.chain.endpoints import Endpoints
    from qballot.chain.new_heads import HeadWatcher

    timeout, on_request = settings.rpc_timeout_seconds, watch.metrics.request_answered
    with Endpoints.at(settings.endpoints, timeout, on_request=on_request) as endpoints:
        follower = Follower(
            endpoints,
            engine,
            factory=expected.factory,
            chain_id=expected.chain_id,
            from_block=settings.from_block,
            poll_seconds=settings.poll_seconds,
            witnesses=settings.witnesses,
            observer=watch.observer,
        )
        if not follow:
            read_once(follower, endpoints, watch.observer, watch.progress, stop)
            return
        with HeadWatcher([address.url for address in settings.endpoints], follower.wake):
            follower.follow(stop)


def _refuse_options(context: typer.Context, command: str) -> None:
    """Refuse options before the name of a command below, where they would say nothing. Raises InputError."""
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if source is not None and source.name == "COMMANDLINE":
            raise InputError(
                f"found {parameter.opts[0]} before `{command}`, where it says nothing: put it after, if at all"
            )
