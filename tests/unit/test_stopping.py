"""Work that is to stop is given so long, and then left."""

from __future__ import annotations

import threading
import time

import pytest

from indexer.stopping import run_until_stopped
from qballot.errors import StorageError

pytestmark = pytest.mark.unit


def test_run__work_that_ends__ends_with_it() -> None:
    done = []
    assert run_until_stopped(lambda: done.append(1), threading.Event(), grace_seconds=0)
    assert done == [1]


def test_run__work_that_fails__raises_its_error() -> None:
    def fail() -> None:
        raise StorageError("the disk is full")

    with pytest.raises(StorageError, match="the disk is full"):
        run_until_stopped(fail, threading.Event(), grace_seconds=0)


def test_run__work_that_heeds_the_stop__is_waited_for() -> None:
    stop, done = threading.Event(), []

    def work() -> None:
        stop.wait(10)
        done.append(1)

    threading.Timer(0.05, stop.set).start()
    assert run_until_stopped(work, stop, grace_seconds=10)
    assert done == [1]


def test_run__work_that_hangs__is_left_after_its_time() -> None:
    stop, hung = threading.Event(), threading.Event()
    stop.set()
    started = time.monotonic()
    assert not run_until_stopped(hung.wait, stop, grace_seconds=0.2)
    assert time.monotonic() - started < 5
    hung.set()
