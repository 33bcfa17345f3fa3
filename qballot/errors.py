"""Every error that QBallot raises on purpose.

    QballotError
    ├── InputError            what a person gave is not what was asked for
    │   ├── SettingsError     … in the environment or an `.env` file
    │   ├── DefinitionError   … in an election's definition, with the path of every problem
    │   ├── CensusError       … in a list of voters, with the row
    │   ├── BallotFileError   … in a file of ballots, with the row
    │   └── VoterError        … about a voter: NotInCensusError, WrongSheetError
    ├── DecodeError           bytes are not in the form that the protocol gives them
    │   └── BatchFormError    … in a packed batch of signed ballots, with the offset
    ├── UnknownVersionError   a document was made for a newer version of QBallot, and is not judged
    ├── ProofError            something that should follow by computation does not
    │   ├── UnknownHeaderError  … a block's header has a form that this version does not know
    │   └── InvalidElectionError … an election's rules do not fit, so that it is never counted
    ├── ChainError            a node or a contract said no; `retryable` says whether trying again may help
    │   ├── EndpointError     no usable answer from the endpoint
    │   │   ├── NoAnswerError     … none came in time
    │   │   ├── AnswerTooLargeError more came than is ever read at once
    │   │   ├── RangeTooWideError the endpoint wants to be asked for fewer blocks at once
    │   │   ├── BatchRefusedError … or for fewer things
    │   │   ├── SlowDownError     … to be asked less often
    │   │   ├── QuotaExhaustedError … not to be asked any more: its plan's quota is used up
    │   │   ├── NoEndpointError   … every endpoint is left alone for a while after it failed
    │   │   ├── MissingBlockError the endpoint does not have the block: it lags behind, or has dropped it
    │   │   ├── NoProofError      the endpoint gives no proof of the state, and is not at fault
    │   │   │   └── HeaderFormError … its headers have a form that this version does not know
    │   │   ├── FalseProofError   … gives one that does not follow from the block's hash
    │   │   └── TransactionRefused  the node does not take a transaction: InsufficientFundsError, UnderpricedError,
    │   │                     NonceTooLowError, AlreadyKnownError, GasRefusedError
    │   ├── ElectionError     the election takes none of this now: ElectionNotOpenError, ElectionClosedError,
    │   │                     ElectionCancelledError
    │   ├── WrongChainError   the endpoint serves another chain than expected
    │   ├── ReorgError        the chain no longer contains a block that was read before
    │   ├── FinalityError     … although the block was final
    │   └── ContractReverted  a contract refused, with the decoded error's name and arguments
    ├── ApiError              a server of our API gave no usable answer; `retryable` as above
    │   ├── ApiNotFoundError  … it has nothing of the kind
    │   └── ApiRequestError   … it finds the request not as it should be (an InputError too)
    ├── StorageError          the database does not answer, or not with what it should hold; `retryable` as above
    └── ToolError             a program, port or file that the work needs is missing or taken

Errors keep the data they were made of as attributes. They know nothing of HTTP or exit codes: interfaces map them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class QballotError(Exception):
    """Base of every error raised on purpose."""


class InputError(QballotError):
    """What a person gave is not what was asked for; the message says what was found and what was expected."""


class SettingsError(InputError):
    """Settings do not fit; `problems` holds one line a variable."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("these settings do not fit:\n" + "\n".join(f"  {problem}" for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a document.

    path: where, as in `contests[1].options[0].id`; empty for the document as a whole.
    message: what was found and what was expected.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class DefinitionError(InputError):
    """An election's definition is invalid; `problems` holds all that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("invalid definition:\n" + "\n".join(f"  {problem}" for problem in self.problems))


class RowError(InputError):
    """A row of a file is not what was asked for. `row` counts lines from 1, the header being row 1."""

    def __init__(self, row: int, message: str) -> None:
        self.row = row
        super().__init__(f"row {row}: {message}")


class CensusError(RowError):
    """Rows of a list of voters were refused: `problems` holds (row, message) of each, `row` is the first of them."""

    def __init__(self, row: int, message: str, *, later: Sequence[tuple[int, str]] = ()) -> None:
        self.problems = ((row, message), *later)
        super().__init__(row, "\n".join([message, *(f"row {later_row}: {text}" for later_row, text in later)]))


class BallotFileError(RowError):
    """A row of a file of ballots was refused."""


class VoterError(InputError):
    """What was given about a voter does not fit the census."""


class NotInCensusError(VoterError):
    """An account is not in the census. `account`: its checksummed address."""

    def __init__(self, account: str) -> None:
        self.account = account
        super().__init__(
            f"{account} is not in the census: check that this is the account that was enrolled, and that the census "
            "file is the election's"
        )


class WrongSheetError(VoterError):
    """A voter's ballot came with those of another sheet."""

    def __init__(self, *, voter: int, found: int, expected: int) -> None:
        self.voter = voter
        self.found = found
        self.expected = expected
        super().__init__(
            f"voter {voter} is of sheet {found}, expected sheet {expected}, the batch's: a batch holds ballots of one "
            "sheet, so bring the sheets in batches of their own"
        )


class DecodeError(QballotError):
    """Bytes are not in the form that the protocol gives them."""


class BatchFormError(DecodeError):
    """A packed batch of signed ballots is cut short, or is not in its one form.

    offset: where the base or the ballot begins, in bytes. length: of the batch if it is cut short, otherwise None.
    """

    def __init__(self, offset: int, length: int | None = None) -> None:
        self.offset = offset
        self.length = length
        what = "is not in its one form" if length is None else f"does not end within the batch's {length} bytes"
        super().__init__(f"the {'ballot' if offset else 'base'} at byte {offset} of the batch {what}")


class UnknownVersionError(QballotError):
    """A document is of a version or kind that this program does not know, so it is neither valid nor invalid.

    what: the number, as in `definition version`. found: its value. known: what this program knows instead.
    """

    def __init__(self, what: str, found: int | str, known: int | str) -> None:
        self.what = what
        self.found = found
        self.known = known
        super().__init__(f"made for a newer version of QBallot (found {what} {found}, this one knows {known})")


class ProofError(QballotError):
    """Something that should follow by computation does not."""


class UnknownHeaderError(ProofError):
    """A block's header has a form that this version does not know: a later fork's, or another kind of chain's.

    fields: JSON-RPC's names of the fields that make it so, in their letters, digits and underscores; empty where a
    field is missing, or where only the number of fields is known.
    """

    def __init__(self, message: str, *, fields: Sequence[str] = ()) -> None:
        self.fields = tuple(fields)
        super().__init__(message)


class InvalidElectionError(ProofError):
    """An election is proven to be invalid: it is never counted."""


class ChainError(QballotError):
    """A node or a contract said no. `retryable`: whether the same request may succeed later."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        self.retryable = retryable
        super().__init__(message)


class EndpointError(ChainError):
    """An endpoint gave no usable answer. endpoint: its masked name.

    code: of the JSON-RPC error if there was one; HTTP's status where a range of logs was refused without one.
    """

    def __init__(self, endpoint: str, message: str, *, code: int | None = None, retryable: bool = True) -> None:
        self.endpoint = endpoint
        self.code = code
        super().__init__(f"{endpoint}: {message}", retryable=retryable)


class AnswerTooLargeError(EndpointError):
    """An endpoint's answer is larger than any that is read: asking for less at once helps, asking again does not."""

    def __init__(self, endpoint: str, *, limit: int) -> None:
        self.limit = limit
        super().__init__(endpoint, f"found an answer of more than {limit} bytes, expected fewer", retryable=False)


class NoAnswerError(EndpointError):
    """No whole answer came in time. `timeout_seconds`: how long one was waited for."""

    def __init__(self, endpoint: str, *, timeout_seconds: float) -> None:
        self.timeout_seconds = timeout_seconds
        super().__init__(endpoint, f"no answer within {timeout_seconds:g} s")


class RangeTooWideError(EndpointError):
    """An endpoint does not answer for so many blocks at once: asking for fewer helps, asking again does not.

    suggested: the first and last block that the endpoint says it would answer for; within what was asked and less than
    that, or None where the endpoint suggests nothing of the kind.
    """

    def __init__(
        self, endpoint: str, said: str, *, code: int | None = None, suggested: tuple[int, int] | None = None
    ) -> None:
        self.suggested = suggested
        super().__init__(endpoint, f"{said}: ask for fewer blocks at once", code=code, retryable=False)


class BatchRefusedError(EndpointError):
    """An endpoint does not take so many requests in one batch, or none in batches: fewer at once help."""

    def __init__(self, endpoint: str, said: str, *, code: int | None = None) -> None:
        super().__init__(endpoint, said, code=code, retryable=False)


class SlowDownError(EndpointError):
    """An endpoint wants to be asked less often. `retry_after_seconds`: how long it says to wait, if it says so."""

    def __init__(
        self, endpoint: str, said: str, *, code: int | None = None, retry_after_seconds: float | None = None
    ) -> None:
        self.retry_after_seconds = retry_after_seconds
        wait = "wait a little" if retry_after_seconds is None else f"wait {retry_after_seconds:g} s"
        super().__init__(endpoint, f"{said}: the endpoint asks to slow down, {wait} and run the same again", code=code)


class QuotaExhaustedError(EndpointError):
    """What an endpoint's plan allows for a day or month is used up: asking again does not help until it is renewed."""

    def __init__(self, endpoint: str, said: str, *, code: int | None = None) -> None:
        super().__init__(
            endpoint,
            f"{said}: the plan's quota is used up; wait until it is renewed, raise it with the provider, or name "
            "another endpoint in QBALLOT_RPC_URL",
            code=code,
            retryable=False,
        )


class NoEndpointError(EndpointError):
    """Every endpoint failed a moment ago and is left alone for a while: nobody was asked.

    wait_seconds: how long until one may be asked again.
    """

    def __init__(self, endpoints: str, *, wait_seconds: float, last_error: str | None = None) -> None:
        self.wait_seconds = wait_seconds
        said = "" if last_error is None else f"; the last error was: {last_error}"
        super().__init__(endpoints, f"no endpoint may be asked for another {wait_seconds:.1f} s{said}")


class MissingBlockError(EndpointError):
    """An endpoint does not have a block that the chain should have: it lags behind, or has dropped the block."""


class NoProofError(EndpointError):
    """An endpoint does not prove a block's state, and is not at fault for it.

    lasting: whether it proves no other block's either, rather than this one's only.
    """

    def __init__(self, endpoint: str, said: str, *, lasting: bool) -> None:
        self.lasting = lasting
        super().__init__(endpoint, said)


class HeaderFormError(NoProofError):
    """An endpoint's headers have a form that this version does not know, so that nothing can be proven under them.

    fields: as of `UnknownHeaderError`. problem: what is unknown, without the endpoint's name.
    """

    def __init__(self, endpoint: str, problem: str, *, fields: Sequence[str] = ()) -> None:
        self.fields = tuple(fields)
        self.problem = problem
        super().__init__(endpoint, f"headers have a form that is unknown here: {problem}", lasting=True)


class FalseProofError(EndpointError):
    """What an endpoint gave as a proof does not follow from the block's hash: it is at fault, or was tampered with."""


class TransactionRefused(EndpointError):
    """A node does not take a transaction. `advice`: what to do next, the end of the message."""

    advice = "see what the node says"

    def __init__(self, endpoint: str, said: str, *, code: int | None = None) -> None:
        super().__init__(endpoint, f"{said}: {self.advice}", code=code, retryable=False)


class InsufficientFundsError(TransactionRefused):
    """An account has less ether than a transaction may cost. `balance` and `needed` are in wei where they are known."""

    advice = "send ether to the account that pays, or pay from another one, and run the same again"

    def __init__(
        self,
        endpoint: str,
        said: str,
        *,
        code: int | None = None,
        balance: int | None = None,
        needed: int | None = None,
    ) -> None:
        self.balance = balance
        self.needed = needed
        super().__init__(endpoint, said, code=code)


class UnderpricedError(TransactionRefused):
    """A transaction offers less for its gas than the node, the block or the one that it would replace asks."""

    advice = (
        "the price of gas rose, or another transaction of this account waits with the same nonce; wait for it, "
        "then run the same again, which asks for the price anew"
    )


class NonceTooLowError(TransactionRefused):
    """Another transaction of the account took the nonce."""

    advice = (
        "another transaction of this account came first, perhaps from another program that uses its key; "
        "run the same again, which takes the next nonce"
    )


class AlreadyKnownError(TransactionRefused):
    """The node has this very transaction."""

    advice = "it was sent before and waits for a block; wait for it, and do not send it again"


class GasRefusedError(TransactionRefused):
    """The transaction's gas limit is below what it needs to begin with, or above what a block or the node allows."""

    advice = "run the same again, which estimates anew; if it stays so, cast fewer ballots in one batch"


class ElectionError(ChainError):
    """An election does not take this now, by the chain's clock."""


class ElectionNotOpenError(ElectionError):
    """The election has not opened yet. Times are unix seconds."""

    def __init__(self, *, opens_at: int, closes_at: int, now: int) -> None:
        self.opens_at, self.closes_at, self.now = opens_at, closes_at, now
        super().__init__(
            f"the election is not open yet: it takes ballots from {opens_at} until {closes_at}, and the chain's time "
            f"is {now}; come back in {opens_at - now} seconds"
        )


class ElectionClosedError(ElectionError):
    """The election has closed for ever. Times are unix seconds."""

    def __init__(self, *, opens_at: int, closes_at: int, now: int) -> None:
        self.opens_at, self.closes_at, self.now = opens_at, closes_at, now
        super().__init__(
            f"the election is closed: it took ballots from {opens_at} until {closes_at}, and the chain's time is "
            f"{now}; no ballot can follow, see the result instead"
        )


class ElectionCancelledError(ElectionError):
    """The election's organizer cancelled it before it opened. `box`: its checksummed address."""

    def __init__(self, box: str) -> None:
        self.box = box
        super().__init__(
            f"the election at {box} was cancelled by its organizer before it opened: it never takes a ballot; ask the "
            "organizer for the one that replaces it"
        )


class WrongChainError(ChainError):
    """The endpoint serves another chain than expected. `endpoint`: its masked name, None where there is but one."""

    def __init__(self, *, found: int, expected: int, endpoint: str | None = None) -> None:
        self.found = found
        self.expected = expected
        self.endpoint = endpoint
        who = f"the endpoint {endpoint}" if endpoint else "the endpoint"
        super().__init__(
            f"{who} serves chain {found}, expected chain {expected}: set QBALLOT_RPC_URL to an endpoint of that "
            "chain, or choose the chain by --network, QBALLOT_NETWORK or QBALLOT_CHAIN_ID"
        )


class ReorgError(ChainError):
    """A block that was read before is no longer in the chain."""

    def __init__(self, *, number: int, found: bytes, expected: bytes) -> None:
        self.number = number
        self.found = found
        self.expected = expected
        super().__init__(
            f"the chain was reorganised: block {number} was 0x{expected.hex()} when it was read, "
            f"and is 0x{found.hex()} now"
        )


class FinalityError(ChainError):
    """The chain no longer contains a block that was final when it was read: nothing is rewound past such a block.

    finalized_number: the final block. fork_number: the last block that the index and the endpoints agree on; None where
    that is further back than the index remembers.
    """

    def __init__(self, *, finalized_number: int, fork_number: int | None = None) -> None:
        self.fork_number = fork_number
        self.finalized_number = finalized_number
        fork = "" if fork_number is None else f": it was reorganised back to block {fork_number}"
        super().__init__(
            f"the chain no longer contains block {finalized_number}, which an endpoint had called final{fork}. A chain "
            "does not do this, so an endpoint errs or serves another chain. Ask an endpoint of another operator which "
            "chain is right (QBALLOT_RPC_URL), and if the new one is, read all again with `qballot index --reset`"
        )


class ContractReverted(ChainError):
    """A contract refused. `name` and `arguments` are those of its custom error; `data` is the raw revert data.

    `advice`: what the error means and what to do next, empty for an error that is not ours.
    """

    def __init__(self, name: str, arguments: Mapping[str, object], *, data: bytes = b"", advice: str = "") -> None:
        self.name = name
        self.arguments = dict(arguments)
        self.data = data
        self.advice = advice
        listed = ", ".join(f"{key}={value}" for key, value in self.arguments.items())
        super().__init__(f"the contract refused: {name}({listed})" + (f": {advice}" if advice else ""))


class ApiError(QballotError):
    """A server of our API gave no usable answer.

    server: its name. kind: the API's word for what is wrong (`not_found`, `unavailable`, …), or ours where it did not
    answer: `unreachable`, `unreadable`. detail: what is wrong, for people. retry_after_seconds: how long the server
    says to wait, None if it does not.
    """

    def __init__(
        self,
        server: str,
        kind: str,
        detail: str,
        *,
        retryable: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.server = server
        self.kind = kind
        self.detail = detail
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{server}: {detail}")


class ApiNotFoundError(ApiError):
    """The server has nothing of the kind, such as an election that its index does not hold."""


class ApiRequestError(ApiError, InputError):
    """The server finds the request not as it should be."""


class StorageError(QballotError):
    """The database does not answer, or does not hold what it should. `retryable`: whether that may pass."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        self.retryable = retryable
        super().__init__(message)


class ToolError(QballotError):
    """A program, port or file that the work needs is missing or taken."""
