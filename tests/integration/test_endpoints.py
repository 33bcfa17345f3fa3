"""Several endpoints as one: preference, failover, recovery, and one chain."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from bad_endpoint import Answer, BadEndpoint, answer, fault, result, run_bad_endpoint

from qballot.chain import transport
from qballot.chain.breaker import MAX_PAUSE_SECONDS
from qballot.chain.devnet import Devnet
from qballot.chain.endpoints import Endpoints
from qballot.chain.rpc import Rpc
from qballot.endpoint_list import parse_endpoints
from qballot.errors import (
    ChainError,
    DecodeError,
    EndpointError,
    MissingBlockError,
    NoEndpointError,
    NoProofError,
    QuotaExhaustedError,
    RangeTooWideError,
    WrongChainError,
)

pytestmark = pytest.mark.integration

GOOD = result("0x7a69")
DOWN = answer("<html>Bad Gateway</html>", "502 Bad Gateway")
ODD = fault(-32000, "something odd")
BUSY = answer("", "429 Too Many Requests\r\nRetry-After: 5")
EXHAUSTED = fault(-32600, "Monthly capacity limit exceeded", status="403 Forbidden")
WIDE = fault(-32000, "block range is too wide")
LAGGING = result(None)
OTHER_CHAIN = result("0x1")


@dataclass
class Scene:
    """Endpoints that answer as a test says, and a clock that it moves."""

    endpoints: Endpoints
    servers: list[BadEndpoint]
    now: list[float] = field(default_factory=lambda: [0.0])

    def answer(self, *answers: Answer) -> None:
        """Let each endpoint answer this from now on."""
        for server, chosen in zip(self.servers, answers, strict=True):
            server.answers[:] = [chosen]

    def asked(self) -> list[int]:
        """How often each endpoint was asked since this was last called."""
        found = [len(server.requests) for server in self.servers]
        for server in self.servers:
            server.requests.clear()
        return found


@pytest.fixture
def scene() -> Iterator[Callable[..., Scene]]:
    with ExitStack() as stack:

        def make(*answers: Answer) -> Scene:
            servers = [stack.enter_context(run_bad_endpoint(chosen)) for chosen in answers]
            now = [0.0]
            rpcs = [Rpc(server.url, 2, attempts=1) for server in servers]
            endpoints = stack.enter_context(Endpoints(rpcs, clock=lambda: now[0]))
            return Scene(endpoints, servers, now)

        yield make


def chain_id(rpc: Rpc) -> int:
    return rpc.chain_id()


def logs(rpc: Rpc) -> Any:
    return rpc.logs(0, 100, None)


def test_endpoints__all_well__only_the_first_is_asked(scene: Callable[..., Scene]) -> None:
    made = scene(GOOD, GOOD)
    assert made.endpoints.run(chain_id) == 31337
    assert made.asked() == [1, 0]
    assert made.endpoints.wait_seconds() == 0
    assert [(health.healthy, health.last_error) for health in made.endpoints.healths()] == [(True, None)] * 2


@pytest.mark.parametrize("bad", [DOWN, answer("torn"), LAGGING, BUSY, EXHAUSTED, ODD, answer("", "401 Unauthorized")])
def test_endpoints__first_fails__the_next_is_asked_and_the_first_again_later(
    scene: Callable[..., Scene], bad: Answer
) -> None:
    made = scene(bad, GOOD)
    for _ in range(8):
        assert made.endpoints.run(chain_id) == 31337
    asked = made.asked()
    assert 1 <= asked[0] <= 3
    assert asked[1] == 8
    health = made.endpoints.healths()[0]
    assert not health.healthy
    assert isinstance(health.last_error, EndpointError)
    assert made.endpoints.wait_seconds() == 0
    made.answer(GOOD, GOOD)
    made.now[0] += health.retry_in_seconds
    assert made.endpoints.run(chain_id) == 31337
    assert made.asked() == [1, 0]
    assert made.endpoints.healths()[0].healthy


def test_endpoints__question_that_is_too_wide__goes_to_whoever_asked(scene: Callable[..., Scene]) -> None:
    made = scene(WIDE, GOOD)
    for _ in range(5):
        with pytest.raises(RangeTooWideError):
            made.endpoints.run(logs)
    assert made.asked() == [5, 0]
    assert made.endpoints.healths()[0].healthy


def test_endpoints__range_of_one_block_refused__the_next_is_asked(scene: Callable[..., Scene]) -> None:
    made = scene(WIDE, result([]))
    assert made.endpoints.run(lambda rpc: rpc.logs(5, 5, None)) == []


@pytest.mark.parametrize(("first", "last"), [(5, 5), (None, None)])
def test_endpoints__answer_that_is_too_large_for_its_question__the_next_is_asked(
    scene: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch, first: int | None, last: int | None
) -> None:
    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", 1_000)
    made = scene(result("0x" + "00" * 1_000), result("0x7a69") if first is None else result([]))

    def ask(rpc: Rpc) -> Any:
        return rpc.chain_id() if first is None or last is None else rpc.logs(first, last, None)

    for _ in range(5):
        assert made.endpoints.run(ask) in (31337, [])
    assert made.asked() == [3, 5]


def test_endpoints__range_that_is_refused_in_a_gateways_form__is_told_and_blames_none(
    scene: Callable[..., Scene],
) -> None:
    made = scene(answer("window", "422 Unprocessable"), DOWN)
    for _ in range(8):
        with pytest.raises(EndpointError, match="window") as caught:
            made.endpoints.run(logs)
        assert caught.value.code == 422
    assert made.endpoints.healths()[0].healthy


def test_endpoints__one_kind_of_question_fails__the_endpoint_is_left_alone(scene: Callable[..., Scene]) -> None:
    def choose(request: Any) -> bytes | Any:
        return (DOWN if request["method"] == "eth_getLogs" else GOOD)(request)

    made = scene(choose, lambda request: (result([]) if request["method"] == "eth_getLogs" else GOOD)(request))
    refused = []
    for _ in range(200):
        assert made.endpoints.run(chain_id) == 31337
        assert made.endpoints.run(logs, about="logs") == []
        refused.append(sum(request["method"] == "eth_getLogs" for request in made.servers[0].requests))
        made.now[0] += 0.5
    assert refused[2] == 3
    assert refused[-1] < 12
    assert not made.endpoints.healths()[0].healthy


def test_endpoints__error_of_another_kind__goes_to_whoever_asked(scene: Callable[..., Scene]) -> None:
    made = scene(GOOD, GOOD)

    def ask(rpc: Rpc) -> None:
        rpc.chain_id()
        raise DecodeError("no such thing")

    for _ in range(5):
        with pytest.raises(DecodeError):
            made.endpoints.run(ask)
    assert made.asked() == [5, 0]


def test_endpoints__answer_found_wrong_by_the_one_who_asks__counts_as_a_failure(scene: Callable[..., Scene]) -> None:
    made = scene(GOOD, OTHER_CHAIN)

    def ask(rpc: Rpc) -> int:
        found = rpc.chain_id()
        if found == 31337:
            raise EndpointError(rpc.endpoint, "this cannot be")
        return found

    for _ in range(5):
        assert made.endpoints.run(ask) == 1
    assert made.asked() == [3, 5]


def test_endpoints__error_that_all_of_them_word__blames_none(scene: Callable[..., Scene]) -> None:
    made = scene(ODD, ODD)
    for _ in range(5):
        with pytest.raises(EndpointError, match="something odd") as caught:
            made.endpoints.run(logs)
        assert caught.value.code == -32000
        assert caught.value.retryable
    assert made.asked() == [5, 5]
    assert all(health.healthy for health in made.endpoints.healths())


@pytest.mark.parametrize("answers", [(ODD, DOWN), (DOWN, ODD)])
def test_endpoints__one_is_down_and_one_refuses__the_refusal_is_told(
    scene: Callable[..., Scene], answers: tuple[Answer, Answer]
) -> None:
    made = scene(*answers)
    for _ in range(5):
        with pytest.raises(EndpointError, match="something odd") as caught:
            made.endpoints.run(logs)
        assert caught.value.code == -32000


def test_endpoints__all_lag__is_told_and_blames_none(scene: Callable[..., Scene]) -> None:
    made = scene(LAGGING, LAGGING)
    for _ in range(5):
        with pytest.raises(MissingBlockError):
            made.endpoints.run(lambda rpc: rpc.block(7))
    assert all(health.healthy for health in made.endpoints.healths())


def test_endpoints__all_down__are_left_alone_and_the_wait_is_told(scene: Callable[..., Scene]) -> None:
    made = scene(DOWN, DOWN)
    for _ in range(3):
        with pytest.raises(EndpointError, match="502") as caught:
            made.endpoints.run(chain_id)
        assert caught.value.retryable
    made.asked()
    with pytest.raises(EndpointError, match=r"no endpoint may be asked for another \d\.\d s; .*502") as last:
        made.endpoints.run(chain_id)
    assert last.value.retryable
    assert last.value.code is None
    assert made.asked() == [0, 0]
    wait = made.endpoints.wait_seconds()
    assert 0 < wait <= 1
    made.now[0] += 1
    made.answer(DOWN, GOOD)
    assert made.endpoints.run(chain_id) == 31337
    assert made.asked() == [1, 1]


def test_endpoints__all_exhausted__is_final_and_names_each(scene: Callable[..., Scene]) -> None:
    made = scene(EXHAUSTED, EXHAUSTED)
    for _ in range(2):
        with pytest.raises(QuotaExhaustedError) as caught:
            made.endpoints.run(chain_id)
        assert not caught.value.retryable
        assert all(health.name in str(caught.value) for health in made.endpoints.healths())
        assert "SECRET" not in str(caught.value)


def test_endpoints__one_exhausted_and_one_down__may_pass(scene: Callable[..., Scene]) -> None:
    for answers in ((EXHAUSTED, DOWN), (DOWN, EXHAUSTED)):
        made = scene(*answers)
        for _ in range(5):
            with pytest.raises(ChainError) as caught:
                made.endpoints.run(chain_id)
            assert caught.value.retryable
    alone = scene(EXHAUSTED)
    with pytest.raises(QuotaExhaustedError):
        alone.endpoints.run(chain_id)


def test_endpoints__key_refused_everywhere__is_final(scene: Callable[..., Scene]) -> None:
    made = scene(answer("", "401 Unauthorized"), answer("", "404 Not Found"))
    for _ in range(5):
        with pytest.raises(EndpointError) as caught:
            made.endpoints.run(chain_id)
        assert not caught.value.retryable


def test_endpoints__asked_to_slow_down__is_left_alone_as_long(scene: Callable[..., Scene]) -> None:
    made = scene(BUSY)
    with pytest.raises(EndpointError, match="wait 5 s"):
        made.endpoints.run(chain_id)
    assert made.endpoints.wait_seconds() == 5


def test_endpoints__fault_reported_later__leaves_it_alone(scene: Callable[..., Scene]) -> None:
    made = scene(GOOD, GOOD)
    used: list[Rpc] = []
    made.endpoints.run(used.append)
    made.endpoints.report_fault(used[0], EndpointError("a", "it lied"))
    assert made.endpoints.run(chain_id) == 31337
    assert made.asked() == [0, 1]


def test_endpoints__other_chain_at_the_start__is_refused_by_name(scene: Callable[..., Scene]) -> None:
    made = scene(GOOD, OTHER_CHAIN)
    name = made.endpoints.healths()[1].name
    for expected in (None, 31337):
        with pytest.raises(WrongChainError, match=f"{name} serves chain 1, expected chain 31337"):
            made.endpoints.check_chain(expected)
    with pytest.raises(WrongChainError, match="serves chain 31337, expected chain 5"):
        made.endpoints.check_chain(5)


def test_endpoints__one_is_down_at_the_start__is_checked_before_its_first_use(scene: Callable[..., Scene]) -> None:
    made = scene(DOWN, GOOD)
    assert made.endpoints.check_chain(None) == 31337
    made.answer(OTHER_CHAIN, GOOD)
    made.now[0] += 1
    assert made.endpoints.run(lambda rpc: rpc.chain_id()) == 31337
    health = made.endpoints.healths()[0]
    assert isinstance(health.last_error, WrongChainError)
    made.answer(GOOD, GOOD)
    made.now[0] += MAX_PAUSE_SECONDS
    made.asked()
    assert made.endpoints.run(chain_id) == 31337
    # Once for its chain, once for the question.
    assert made.asked() == [2, 0]


def test_endpoints__none_answers_at_the_start__is_told(scene: Callable[..., Scene]) -> None:
    made = scene(DOWN, DOWN)
    with pytest.raises(EndpointError, match="502") as caught:
        made.endpoints.check_chain(31337)
    assert caught.value.retryable


def test_endpoints__two_on_one_host__have_names_of_their_own() -> None:
    told: list[str] = []
    with run_bad_endpoint(DOWN) as first, run_bad_endpoint(GOOD) as second:
        port = second.url.split(":")[2].split("/")[0]
        text = f"{first.url} a={second.url}/x http://127.0.0.1:{port}/y ws://127.0.0.1:{port}/z"
        with Endpoints.at(parse_endpoints(text), 2, on_request=lambda name, *_: told.append(name)) as endpoints:
            names = [health.name for health in endpoints.healths()]
            assert names[1:] == [f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}#2"]
            assert endpoints.check_chain(None) == 31337
    # With others at hand, each is tried but once.
    assert told == names


def test_endpoints__none_given__is_refused() -> None:
    with pytest.raises(ValueError, match="found no endpoint"):
        Endpoints([])


def test_endpoints__real_nodes_one_of_which_dies__the_other_is_used() -> None:
    with Devnet() as second:
        with Devnet() as first:
            endpoints = Endpoints.at(parse_endpoints(f"{first.url} {second.url}"), 5)
            assert endpoints.check_chain(31337) == 31337
            second.mine(3)
            assert endpoints.run(lambda rpc: rpc.block("latest").number) == 0
        with endpoints:
            assert endpoints.run(lambda rpc: rpc.block("latest").number) == 3


def test_endpoints__many_threads__each_gets_its_answer() -> None:
    with Devnet() as devnet, run_bad_endpoint(DOWN) as bad:
        found: list[int] = []
        with Endpoints.at(parse_endpoints(f"{bad.url} {devnet.url}"), 10) as endpoints:
            threads = [
                threading.Thread(target=lambda: found.extend(endpoints.run(chain_id) for _ in range(20)))
                for _ in range(6)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(timeout=60)
    assert found == [31337] * 120


def test_ask__one_of_several__is_asked_alone_and_left_alone_when_it_fails(scene: Callable[..., Scene]) -> None:
    now = scene(DOWN, GOOD)
    first, second = now.endpoints.members
    assert (first.operator, second.operator) == (first.name, second.name)
    for _ in range(3):
        with pytest.raises(EndpointError, match="502"):
            now.endpoints.ask(first, lambda rpc: rpc.chain_id())
    assert now.asked() == [3, 0]
    with pytest.raises(NoEndpointError, match="the last error was"):
        now.endpoints.ask(first, lambda rpc: rpc.chain_id())
    assert now.endpoints.ask(second, lambda rpc: rpc.chain_id()) == 31337
    assert now.asked() == [0, 1]


def test_ask__no_proof_to_be_had__is_nobodys_fault(scene: Callable[..., Scene]) -> None:
    now = scene(GOOD)

    def ask(rpc: Rpc) -> None:
        raise NoProofError(rpc.endpoint, "gives no proofs", lasting=True)

    for _ in range(5):
        with pytest.raises(NoProofError):
            now.endpoints.ask(now.endpoints.members[0], ask)
    assert now.endpoints.healths()[0].failures == 0
