"""What stands at an address: a box, a factory or neither, found out step by step, each step said with its evidence.

    deterministic deployer ──computed──▶ factory ──code compared──▶ implementation ──code compared──▶ box
                                            └── announced it (or its salt is known) ──address computed──┘

What an endpoint answers is believed, and nothing else: code is compared with what this version was compiled to, and
addresses are computed. Code alone shows nothing: anyone can make a byte-identical box whose storage was written before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qballot.chain.artifacts import BALLOT_BOX, default_factory, load_artifact
from qballot.chain.contracts import BallotBoxContract
from qballot.chain.creation import BLOCK_RANGE, find_creation
from qballot.chain.networks import describe_chain
from qballot.chain.rpc import Rpc
from qballot.core.address import checksum_address
from qballot.core.definition import definition_hash, parse_definition
from qballot.core.provenance import (
    DETERMINISTIC_DEPLOYER,
    BoxArguments,
    box_address,
    compute_implementation_address,
    parse_clone_code,
)
from qballot.core.records import CANCELLED_HEAD
from qballot.core.types import Address, BlockNumber, Hash32
from qballot.core.validity import find_misfit
from qballot.deploy.factory import expected_factory_code
from qballot.errors import DecodeError, DefinitionError


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked. what: what must hold. passed: whether it does. evidence: what was found."""

    what: str
    passed: bool
    evidence: str


@dataclass(slots=True)
class CheckReport:
    """What was found out about an address. kind: `ballot box`, `factory` or `unknown`. facts: what a box says."""

    chain_id: int
    block_number: BlockNumber
    address: Address
    kind: str
    checks: list[Check]
    facts: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether everything that was checked holds."""
        return all(check.passed for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {
            "chain_id": self.chain_id,
            "block_number": self.block_number,
            "address": checksum_address(self.address),
            "kind": self.kind,
            "passed": self.passed,
            "checks": [
                {"what": check.what, "passed": check.passed, "evidence": check.evidence} for check in self.checks
            ],
            **self.facts,
        }


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What is known beforehand, and what is to be compared.

    factory: by default this version's. salt: of the box; looked up in the factory's logs when None. definition:
    canonical bytes. sheet_roots: of a census. from_block, block_range: where and how logs are looked for.
    """

    factory: Address | None = None
    salt: Hash32 | None = None
    definition: bytes | None = None
    sheet_roots: tuple[Hash32, ...] | None = None
    from_block: int = 0
    block_range: int = BLOCK_RANGE
    progress: Callable[[str], None] | None = None


def check_address(rpc: Rpc, address: Address, options: CheckOptions | None = None) -> CheckReport:
    """Find out what stands at an address, and whether it is what it must be, at the latest block.

    A mismatch is no error but a check that did not pass. Raises ChainError when the endpoint gives no answer,
    UnknownVersionError when a definition is of a later version.
    """
    options = options or CheckOptions()
    block = rpc.block("latest").number
    report = CheckReport(rpc.chain_id(), block, address, "unknown", [], {})
    factory = options.factory or default_factory()
    code = rpc.code(address, block)
    if address == factory or (code and code == expected_factory_code(address)):
        report.kind = "factory"
        _check_factory(rpc, report, address)
        return report
    try:
        implementation, arguments = parse_clone_code(code)
    except DecodeError as error:
        found = "no code" if not code else f"{len(code)} bytes of another form ({error})"
        _add(
            report,
            "a ballot box or a factory stands at the address",
            False,
            f"{found}; check the address and the chain, {describe_chain(report.chain_id)}",
        )
        return report
    report.kind = "ballot box"
    _check_factory(rpc, report, factory)
    _check_box(rpc, report, options, factory=factory, implementation=implementation, arguments=arguments)
    return report


def _check_factory(rpc: Rpc, report: CheckReport, factory: Address) -> None:
    expected, implementation = default_factory(), compute_implementation_address(factory)
    deployer = checksum_address(DETERMINISTIC_DEPLOYER)
    _add(
        report,
        f"the factory's address follows from this version's code and the deterministic deployer {deployer}",
        factory == expected,
        f"{checksum_address(factory)}" + ("" if factory == expected else f", computed {checksum_address(expected)}"),
    )
    code = rpc.code(factory, report.block_number)
    _add(
        report,
        "the factory's code is what this version was compiled to",
        code == expected_factory_code(factory),
        f"{len(code):,} bytes at block {report.block_number}",
    )
    code = rpc.code(implementation, report.block_number)
    _add(
        report,
        "the code that boxes run, at the address that follows from the factory's, is what this version was compiled to",
        code == load_artifact(BALLOT_BOX).runtime_bytecode,
        f"{len(code):,} bytes at {checksum_address(implementation)}",
    )


def _check_box(
    rpc: Rpc,
    report: CheckReport,
    options: CheckOptions,
    *,
    factory: Address,
    implementation: Address,
    arguments: BoxArguments,
) -> None:
    expected = compute_implementation_address(factory)
    _add(
        report,
        "the box runs the factory's code",
        implementation == expected,
        checksum_address(implementation)
        + ("" if implementation == expected else f", expected {checksum_address(expected)}"),
    )
    salt, definition = _find_salt(rpc, report, options, factory)
    if salt is not None:
        computed = box_address(factory, expected, salt, arguments)
        _add(
            report,
            "the box's address follows from factory, organizer, salt and every argument in its code: so it began "
            "empty, and these arguments are its own for ever",
            computed == report.address,
            f"computed {checksum_address(computed)} with salt 0x{salt.hex()}",
        )
    _check_arguments(report, arguments)
    _check_definition(report, arguments, definition, "the definition that the factory announced")
    _check_definition(report, arguments, options.definition, "the given definition")
    if options.sheet_roots is not None:
        _add(
            report,
            "the given census has the box's sheet roots",
            options.sheet_roots == arguments.sheet_roots,
            f"sheet roots: {len(options.sheet_roots):,}, the box's: {len(arguments.sheet_roots):,}",
        )
    if report.passed:  # whatever else stands there may answer anything
        report.facts = _read_facts(rpc, report, arguments)


def _find_salt(
    rpc: Rpc, report: CheckReport, options: CheckOptions, factory: Address
) -> tuple[Hash32 | None, bytes | None]:
    """Return the box's salt, given or announced, and the definition if it was announced."""
    if options.salt is not None:
        return options.salt, None
    if options.progress is not None:
        options.progress(f"looking for the factory's announcement from block {options.from_block} on")
    found = find_creation(
        rpc,
        factory,
        report.address,
        from_block=options.from_block,
        to_block=report.block_number,
        block_range=options.block_range,
    )
    where = f"blocks {options.from_block} to {report.block_number}"
    _add(
        report,
        "the factory announced the box",
        found is not None,
        f"in block {found[1]}" if found else f"nothing in {where}: a look-alike, or created before these blocks",
    )
    return (found[0].salt, found[0].definition) if found else (None, None)


def _check_arguments(report: CheckReport, arguments: BoxArguments) -> None:
    needed = (arguments.voters + (1 << arguments.sheet_bits) - 1) >> arguments.sheet_bits
    sound = (
        0 < arguments.opens_at < arguments.closes_at
        and arguments.voters > 0
        and arguments.max_ballot_bytes > 0
        and len(arguments.sheet_roots) == needed
        and all(any(root) for root in arguments.sheet_roots)
    )
    _add(
        report,
        "the box's arguments make sense: opening before close, voters, a root for every sheet",
        sound,
        f"open {arguments.opens_at} until {arguments.closes_at}, voters: {arguments.voters:,}, "
        f"sheets: {len(arguments.sheet_roots):,}, expected {needed:,}",
    )


def _check_definition(report: CheckReport, arguments: BoxArguments, definition: bytes | None, what: str) -> None:
    if definition is None:
        return
    found = definition_hash(definition)
    agrees = found == arguments.definition_hash
    evidence = f"0x{found.hex()}" + ("" if agrees else f", the box has 0x{arguments.definition_hash.hex()}")
    _add(report, f"{what} has the hash in the box's code", agrees, evidence)
    try:
        parsed = parse_definition(definition)
    except DefinitionError as error:
        _add(report, f"{what} is valid", False, f"{len(error.problems)} problems, the first {error.problems[0]}")
        return
    _add(report, f"{what} is valid", True, f"“{parsed.title}”")
    misfit = find_misfit(parsed, arguments)
    needed = f"ballots of up to {arguments.max_ballot_bytes} bytes, needed {parsed.longest_ballot}"
    _add(report, f"the box's rules fit {what}", misfit is None, misfit or needed)


def _read_facts(rpc: Rpc, report: CheckReport, arguments: BoxArguments) -> dict[str, Any]:
    block = rpc.block(report.block_number)
    head = BallotBoxContract(rpc, report.address).head(report.block_number)
    if head == CANCELLED_HEAD:
        state = "cancelled"
    elif block.timestamp < arguments.opens_at:
        state = "not open yet"
    else:
        state = "open" if block.timestamp < arguments.closes_at else "closed"
    return {
        "state": state,
        "organizer": checksum_address(arguments.organizer),
        "opens_at": arguments.opens_at,
        "closes_at": arguments.closes_at,
        "voters": arguments.voters,
        "max_ballot_bytes": arguments.max_ballot_bytes,
        "text_ballots": arguments.text_ballots,
        "definition_hash": "0x" + arguments.definition_hash.hex(),
        "head": "0x" + head.hex(),
        "has_ballots": head not in {arguments.definition_hash, CANCELLED_HEAD},
    }


def _add(report: CheckReport, what: str, passed: bool, evidence: str) -> None:
    report.checks.append(Check(what, passed, evidence))
