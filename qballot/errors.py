"""Every error that QBallot raises on purpose.

    QballotError
    ├── InputError            what a person gave is not what was asked for
    │   ├── SettingsError     … in the environment or an `.env` file
    │   ├── DefinitionError   … in an election's definition, with the path of every problem
    │   ├── CensusError       … in a list of voters, with the row
    │   └── BallotFileError   … in a file of ballots, with the row
    ├── DecodeError           bytes are not in the form that the protocol gives them
    ├── ProofError            something that should follow by computation does not
    ├── ChainError            a node or a contract said no; `retryable` says whether trying again may help
    │   ├── EndpointError     no usable answer from the endpoint
    │   ├── WrongChainError   the endpoint serves another chain than expected
    │   ├── ReorgError        the chain no longer contains a block that was read before
    │   └── ContractReverted  a contract refused, with the decoded error's name and arguments
    ├── StorageError          the database does not hold what it should
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


class DecodeError(QballotError):
    """Bytes are not in the form that the protocol gives them."""


class ProofError(QballotError):
    """Something that should follow by computation does not."""


class ChainError(QballotError):
    """A node or a contract said no. `retryable`: whether the same request may succeed later."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        self.retryable = retryable
        super().__init__(message)


class EndpointError(ChainError):
    """An endpoint gave no usable answer. `endpoint` is its masked name, `code` the JSON-RPC code if there was one."""

    def __init__(self, endpoint: str, message: str, *, code: int | None = None, retryable: bool = True) -> None:
        self.endpoint = endpoint
        self.code = code
        super().__init__(f"{endpoint}: {message}", retryable=retryable)


class WrongChainError(ChainError):
    """The endpoint serves another chain than expected."""

    def __init__(self, *, found: int, expected: int) -> None:
        self.found = found
        self.expected = expected
        super().__init__(f"the endpoint serves chain {found}, expected chain {expected}")


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


class ContractReverted(ChainError):
    """A contract refused. `name` and `arguments` are those of its custom error; `data` is the raw revert data."""

    def __init__(self, name: str, arguments: Mapping[str, object], *, data: bytes = b"") -> None:
        self.name = name
        self.arguments = dict(arguments)
        self.data = data
        listed = ", ".join(f"{key}={value}" for key, value in self.arguments.items())
        super().__init__(f"the contract refused: {name}({listed})")


class StorageError(QballotError):
    """The database does not hold what it should."""


class ToolError(QballotError):
    """A program, port or file that the work needs is missing or taken."""
