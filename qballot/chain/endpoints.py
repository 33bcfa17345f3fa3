"""Several endpoints as one: the first healthy one in order of preference is asked, the next when it fails.

What failures mean for an endpoint is its breaker's matter (breaker.py); a preferred one that recovered is used again.
An error that a node words itself, to a question that no other endpoint answers either, is not held against any of them:
it may be the question's fault.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

from qballot.chain.breaker import Breaker, Health
from qballot.chain.rpc import Rpc
from qballot.chain.transport import Observer
from qballot.core.types import ChainId
from qballot.endpoint_list import EndpointAddress, number_names
from qballot.errors import (
    AnswerTooLargeError,
    ChainError,
    EndpointError,
    MissingBlockError,
    NoEndpointError,
    NoProofError,
    QuotaExhaustedError,
    RangeTooWideError,
    SlowDownError,
    TransactionRefused,
    WrongChainError,
)
from qballot.http_exchange import ATTEMPTS

ABOUT_THE_QUESTION = (RangeTooWideError, AnswerTooLargeError, TransactionRefused, NoProofError)
"""Errors by which a healthy endpoint says something about what it was asked: they are for whoever asked."""

T = TypeVar("T")


class Member(NamedTuple):
    """One of several endpoints. operator: who runs it. name: masked, and distinct among them."""

    operator: str
    name: str


class _Endpoint:
    """One endpoint. checked: whether it is known to serve the right chain."""

    def __init__(self, rpc: Rpc, operator: str, name: str, clock: Callable[[], float]) -> None:
        self.rpc = rpc
        self.operator = operator
        self.name = name
        self.breaker = Breaker(clock)
        self.checked = False


class _Failure(NamedTuple):
    endpoint: _Endpoint
    error: ChainError


class Endpoints:
    """One or more endpoints of one chain, in order of preference. Safe to share between threads; close it when done.

    rpcs: they are closed with it. operators: who runs each, by default one for each distinct name. clock: in seconds,
    for how long an endpoint is left alone.
    """

    def __init__(
        self,
        rpcs: Sequence[Rpc],
        *,
        operators: Sequence[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not rpcs:
            raise ValueError("found no endpoint, expected one at least")
        names = [rpc.endpoint for rpc in rpcs]
        self._endpoints = [
            _Endpoint(rpc, operator, name, clock)
            for rpc, operator, name in zip(rpcs, operators or names, number_names(names), strict=True)
        ]
        self._chain: ChainId | None = None

    @classmethod
    def at(
        cls, addresses: Sequence[EndpointAddress], timeout_seconds: float, *, on_request: Observer | None = None
    ) -> Self:
        """Connect to a list of endpoints, websockets left out.

        timeout_seconds: how long one question to one endpoint may take in all. on_request: told of every request.
        """
        asked = [address for address in addresses if not address.is_websocket]
        names = number_names([address.name for address in asked])
        # With another endpoint at hand, asking that one is better than asking the same one again.
        attempts = ATTEMPTS if len(asked) == 1 else 1
        return cls(
            [
                Rpc(address.url, timeout_seconds, name=name, attempts=attempts, on_request=on_request)
                for address, name in zip(asked, names, strict=True)
            ],
            operators=[address.operator for address in asked],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every endpoint's connections."""
        for endpoint in self._endpoints:
            endpoint.rpc.close()

    def run(self, ask: Callable[[Rpc], T], *, about: str = "") -> T:
        """Put a question to the first endpoint that may be asked, and to the next ones while it fails.

        ask: puts it to one endpoint, and raises EndpointError also where it finds itself that an answer is no good.
        about: names the kind of question, where an endpoint may fail at this kind and answer others well.
        Raises RangeTooWideError, AnswerTooLargeError and whatever is no EndpointError at once; else, when no endpoint
        answers, an error that tells why: retryable, unless every quota is used up or no endpoint's error may pass.
        """
        failures: list[_Failure] = []
        for endpoint in self._endpoints:
            if not endpoint.breaker.begin():
                continue
            try:
                answer = self._put(endpoint, ask, about)
            except ABOUT_THE_QUESTION:
                raise
            except (EndpointError, WrongChainError) as error:
                failures.append(_Failure(endpoint, error))
            else:
                for failure in failures:
                    if _may_be_the_questions(failure.error):
                        failure.endpoint.breaker.fail(failure.error, about)
                return answer
        raise self._explain([failure.error for failure in failures])

    @property
    def members(self) -> list[Member]:
        """The endpoints, in order of preference."""
        return [Member(endpoint.operator, endpoint.name) for endpoint in self._endpoints]

    def ask(self, member: Member, ask: Callable[[Rpc], T], *, about: str = "") -> T:
        """Put a question to one endpoint and to no other. ask, about: as of `run`.

        Raises NoEndpointError while the endpoint is left alone, and the error of the question.
        """
        endpoint = next(endpoint for endpoint in self._endpoints if endpoint.name == member.name)
        if endpoint.breaker.begin():
            return self._put(endpoint, ask, about)
        said = None if endpoint.breaker.last_error is None else str(endpoint.breaker.last_error)
        raise NoEndpointError(endpoint.name, wait_seconds=endpoint.breaker.remaining_seconds(), last_error=said)

    def wait_seconds(self) -> float:
        """Return how long until an endpoint may be asked; 0 when one may be now."""
        return min(endpoint.breaker.remaining_seconds() for endpoint in self._endpoints)

    def check_chain(self, expected: int | None) -> ChainId:
        """Return the id of the chain that the endpoints serve, once it is clear that they serve the same.

        expected: the chain that it must be; None for whichever the first one that answers serves. One that does not
        answer is left alone, and checked before its first use. Raises WrongChainError that names the endpoint, and
        EndpointError when none answers.
        """
        self._chain = None if expected is None else ChainId(expected)
        errors: list[ChainError] = []
        for endpoint in self._endpoints:
            try:
                self._check(endpoint)
                endpoint.breaker.succeed()
            except EndpointError as error:
                errors.append(error)
                endpoint.breaker.trip(error)
        if self._chain is None or len(errors) == len(self._endpoints):
            raise self._explain(errors)
        return self._chain

    def report_fault(self, rpc: Rpc, error: ChainError) -> None:
        """Leave an endpoint alone for a while, whose answer was found wrong after it had been taken for good."""
        for endpoint in self._endpoints:
            if endpoint.rpc is rpc:
                endpoint.breaker.trip(error)

    def healths(self) -> list[Health]:
        """Say how each endpoint does, in order of preference."""
        return [endpoint.breaker.describe(endpoint.name) for endpoint in self._endpoints]

    def _put(self, endpoint: _Endpoint, ask: Callable[[Rpc], T], about: str) -> T:
        """Put a question to an endpoint whose breaker lets it through, and tell the breaker what came of it."""
        try:
            if self._chain is not None and not endpoint.checked:
                self._check(endpoint)
            answer = ask(endpoint.rpc)
        except ABOUT_THE_QUESTION:
            endpoint.breaker.succeed(about)
            raise
        except (EndpointError, WrongChainError) as error:
            if _may_be_the_questions(error):
                endpoint.breaker.doubt(error)
            else:
                endpoint.breaker.fail(error, about)
            raise
        except BaseException:
            endpoint.breaker.doubt(None)
            raise
        endpoint.breaker.succeed(about)
        return answer

    def _check(self, endpoint: _Endpoint) -> None:
        found = endpoint.rpc.chain_id()
        if self._chain is None:
            self._chain = found
        if found != self._chain:
            raise WrongChainError(found=found, expected=self._chain, endpoint=endpoint.name)
        endpoint.checked = True

    def _explain(self, errors: Sequence[ChainError]) -> ChainError:
        """Return what to raise when no endpoint answered. errors: of those that were asked just now, in order."""
        last = [error for endpoint in self._endpoints if (error := endpoint.breaker.last_error) is not None]
        if len(last) == len(self._endpoints):
            if all(isinstance(error, QuotaExhaustedError) for error in last):
                return last[0] if len(last) == 1 else _merge(self._endpoints, last)
            if not any(error.retryable for error in last):
                return last[-1]
        passing = [error for error in errors if error.retryable]
        # An error that a node words itself tells more than that another one could not be reached.
        worded = [error for error in passing if isinstance(error, EndpointError) and error.code is not None]
        if passing:
            return (worded or passing)[-1]
        names = ", ".join(endpoint.name for endpoint in self._endpoints)
        said = next((str(error) for error in reversed(last) if error.retryable), None)
        return NoEndpointError(names, wait_seconds=self.wait_seconds(), last_error=said)


def _may_be_the_questions(error: ChainError) -> bool:
    """Whether an error is a node's own answer, which another node may well give too."""
    if not isinstance(error, EndpointError) or isinstance(error, SlowDownError | QuotaExhaustedError):
        return False
    return error.code is not None or isinstance(error, MissingBlockError)


def _merge(endpoints: Sequence[_Endpoint], errors: Sequence[ChainError]) -> QuotaExhaustedError:
    names = ", ".join(endpoint.name for endpoint in endpoints)
    return QuotaExhaustedError(names, "; ".join(str(error) for error in errors))
