"""Checking an index that a test has changed by hand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, text

from indexer.check import Fault, IndexReport, check_index
from qballot.chain.rpc import Rpc
from qballot.core.types import Address


def check(engine: Engine, box: Address | None = None, rpc: Rpc | None = None) -> IndexReport:
    return check_index(engine, box=box, rpc=rpc, report=lambda *_: None)


def find_fault(engine: Engine, rpc: Rpc | None = None) -> Fault:
    report = check(engine, rpc=rpc)
    faults = [election.fault for election in report.elections if election.fault is not None]
    assert len(faults) == 1
    return faults[0]


def change(engine: Engine, statement: str, **values: Any) -> None:
    with engine.begin() as connection:
        assert connection.execute(text(statement), values).rowcount > 0
