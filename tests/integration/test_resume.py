"""Cut off at the worst moments, by SIGKILL: running the same again goes on, and nothing is on the chain twice."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bad_endpoint import respond, run_bad_endpoint
from commands import start_process

from qballot.chain.accounts import DEVNET_KEYS, devnet_account
from qballot.chain.artifacts import default_factory
from qballot.chain.contracts import BALLOT_BOX_CANCELLED, BALLOT_BOX_CREATED
from qballot.chain.devnet import Devnet
from qballot.core.address import checksum_address, parse_address
from qballot.core.census_file import dump_census
from qballot.testing import make_census, make_definition, make_voters

pytestmark = pytest.mark.integration

DEADLINE_SECONDS = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "definition.json").write_bytes(make_definition())
    (tmp_path / "census.json").write_bytes(dump_census(make_census(make_voters(3))))
    return tmp_path


@pytest.fixture
def stuck(devnet: Devnet) -> Iterator[Devnet]:
    """A chain that takes transactions and puts them into no block until it is told to."""
    devnet.rpc.call("evm_setAutomine", [False])
    yield devnet
    devnet.rpc.call("evm_setAutomine", [True])


def election(devnet: Devnet) -> list[str]:
    opens_at = devnet.rpc.block().timestamp + 5_000
    window = ["--opens-at", str(opens_at), "--closes-at", str(opens_at + 1_000)]
    return ["deploy", "election", "definition.json", "census.json", *window, "--yes", "--json"]


def wait_until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def records(folder: Path) -> dict[str, Any]:
    path = folder / "deployments" / "31337.json"
    return dict(json.loads(path.read_text())["deployments"]) if path.exists() else {}


def pending(devnet: Devnet) -> int:
    return int(devnet.rpc.call("txpool_status")["pending"], 16)


def run(folder: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    with start_process(folder, *arguments, rpc_url=url, private_key=DEVNET_KEYS[0]) as process:
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def count_created(devnet: Devnet) -> int:
    return len(devnet.rpc.logs(0, devnet.rpc.block().number, [default_factory()], [BALLOT_BOX_CREATED]))


def next_nonce(devnet: Devnet) -> int:
    return devnet.rpc.next_nonces([devnet_account(0).address])[0]


def test_deploy_election__killed_between_send_and_receipt__goes_on(stuck: Devnet, folder: Path) -> None:
    before, nonce, command = count_created(stuck), next_nonce(stuck), election(stuck)
    with start_process(folder, *command, rpc_url=stuck.url, private_key=DEVNET_KEYS[0]) as process:
        wait_until(lambda: pending(stuck) == 1)
        process.kill()
        process.wait()
    ((address, record),) = records(folder).items()
    assert record["status"] == "sent"
    with start_process(folder, *command, rpc_url=stuck.url, private_key=DEVNET_KEYS[0]) as process:
        time.sleep(2)  # it waits for what the killed one sent, and sends nothing
        assert process.poll() is None
        assert pending(stuck) == 1
        stuck.mine()
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, err
    assert (json.loads(out)["box"], json.loads(out)["transaction"]) == (address, record["transaction"]["hash"])
    assert records(folder)[address]["status"] == "done"
    assert (count_created(stuck), next_nonce(stuck)) == (before + 1, nonce + 1)


def test_deploy_election__killed_and_mined_meanwhile__is_found(stuck: Devnet, folder: Path) -> None:
    before, nonce, command = count_created(stuck), next_nonce(stuck), election(stuck)
    with start_process(folder, *command, rpc_url=stuck.url, private_key=DEVNET_KEYS[0]) as process:
        wait_until(lambda: pending(stuck) == 1)
        process.kill()
        process.wait()
    stuck.mine()
    again = run(folder, stuck.url, *command)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["created_now"] is False
    assert (count_created(stuck), next_nonce(stuck)) == (before + 1, nonce + 1)


@contextmanager
def run_gate(url: str) -> Iterator[tuple[str, list[Any]]]:
    """An endpoint that hands everything on but the sending of transactions, which it keeps for itself unanswered."""
    held: list[Any] = []

    def answer(request: Any) -> Any:
        first = request[0] if isinstance(request, list) else request
        if first["method"] == "eth_sendRawTransaction":
            held.append(request)
            return hold()
        posted = urllib.request.Request(  # our own anvil
            url, msgspec.json.encode(request), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(posted) as response:  # our own anvil
            return respond(response.read().decode(), "200 OK", request)

    def hold() -> Iterator[bytes]:
        for _ in range(40):
            yield b" "

    with run_bad_endpoint(answer) as endpoint:
        yield endpoint.url, held


def test_deploy_election__killed_before_it_is_sent__is_sent_once(devnet: Devnet, folder: Path) -> None:
    before, nonce, command = count_created(devnet), next_nonce(devnet), election(devnet)
    with (
        run_gate(devnet.url) as (url, held),
        start_process(folder, *command, rpc_url=url, private_key=DEVNET_KEYS[0]) as process,
    ):
        wait_until(lambda: held)
        process.kill()
        process.wait()
    ((address, record),) = records(folder).items()
    assert record["status"] == "sent"
    assert (pending(devnet), count_created(devnet)) == (0, before)
    again = run(folder, devnet.url, *command)
    assert again.returncode == 0, again.stderr
    assert (json.loads(again.stdout)["box"], json.loads(again.stdout)["created_now"]) == (address, True)
    assert (count_created(devnet), next_nonce(devnet)) == (before + 1, nonce + 1)


def test_deploy_election__second_run_while_the_first_waits__sends_nothing(stuck: Devnet, folder: Path) -> None:
    nonce, command = next_nonce(stuck), election(stuck)
    settings = {"rpc_url": stuck.url, "private_key": DEVNET_KEYS[0]}
    with start_process(folder, *command, **settings) as first:
        wait_until(lambda: pending(stuck) == 1)
        with start_process(folder, *command, **settings) as second:
            time.sleep(2)
            stuck.mine()
            outs = [process.communicate(timeout=DEADLINE_SECONDS)[0] for process in (first, second)]
    assert [json.loads(out)["created_now"] for out in outs] == [True, False]
    assert next_nonce(stuck) == nonce + 1


def test_deploy_factory__killed_between_send_and_receipt__goes_on(tmp_path: Path) -> None:
    with Devnet() as fresh:
        fresh.rpc.call("evm_setAutomine", [False])
        command = ["deploy", "factory", "--yes", "--json"]
        with start_process(tmp_path, *command, rpc_url=fresh.url, private_key=DEVNET_KEYS[0]) as process:
            wait_until(lambda: pending(fresh) == 1)
            process.kill()
            process.wait()
        fresh.mine()
        again = run(tmp_path, fresh.url, *command)
        assert again.returncode == 0, again.stderr
        assert json.loads(again.stdout)["deployed_now"] is False
        assert records(tmp_path)[checksum_address(default_factory())]["status"] == "done"
        assert next_nonce(fresh) == 1


def test_cancel__killed_between_send_and_receipt__goes_on(devnet: Devnet, folder: Path) -> None:
    box = json.loads(run(folder, devnet.url, *election(devnet)).stdout)["box"]
    nonce = next_nonce(devnet)
    devnet.rpc.call("evm_setAutomine", [False])
    try:
        command = ["cancel", box, "--yes", "--json"]
        with start_process(folder, *command, rpc_url=devnet.url, private_key=DEVNET_KEYS[0]) as process:
            wait_until(lambda: pending(devnet) == 1)
            process.kill()
            process.wait()
        assert records(folder)[box]["status"] == "cancelling"
        with start_process(folder, *command, rpc_url=devnet.url, private_key=DEVNET_KEYS[0]) as process:
            time.sleep(2)
            assert pending(devnet) == 1
            devnet.mine()
            _, err = process.communicate(timeout=DEADLINE_SECONDS)
        assert process.returncode == 0, err
    finally:
        devnet.rpc.call("evm_setAutomine", [True])
    assert records(folder)[box]["status"] == "cancelled"
    assert next_nonce(devnet) == nonce + 1
    logs = devnet.rpc.logs(0, devnet.rpc.block().number, [parse_address(box)], [BALLOT_BOX_CANCELLED])
    assert len(logs) == 1
