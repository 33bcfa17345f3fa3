"""Why an endpoint, or all of them, did not give a range: is it too wide, or is it not there at all?"""

from __future__ import annotations

from qballot.errors import (
    AnswerTooLargeError,
    EndpointError,
    MissingBlockError,
    NoEndpointError,
    QuotaExhaustedError,
    RangeTooWideError,
    SlowDownError,
)

NOT_ABOUT_SIZE = (SlowDownError, QuotaExhaustedError, NoEndpointError, MissingBlockError)
"""Errors that a narrower range would meet just as well."""


class NobodyHasError(MissingBlockError):
    """No endpoint has the last block of a range: the chain's end is not where one of them said that it is."""


def is_limit(error: EndpointError) -> bool:
    """Say whether an endpoint said that it was asked for too much."""
    return isinstance(error, RangeTooWideError | AnswerTooLargeError)


def may_be_about_size(error: EndpointError) -> bool:
    """Say whether fewer blocks at once may help: words about the question may be about its size."""
    return is_limit(error) or (error.code is not None and not isinstance(error, NOT_ABOUT_SIZE))
