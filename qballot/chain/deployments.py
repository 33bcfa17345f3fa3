"""Records of what was put on a chain, in a file: `deployments/<chain id>.json`, to be kept and shared.

A record is written when its transaction is signed and not sent yet, and again when that is in a block, so that a run
that was cut off is found and gone on with. The chain says what stands on it; the file says only what we did.
A file is replaced as a whole: whoever reads it finds the old one or the new one.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Literal

import msgspec

from qballot.chain.answers import Receipt
from qballot.core.address import checksum_address
from qballot.core.types import Address, ChainId, Hash32
from qballot.errors import InputError

FORMAT = 1


Status = Literal["unsigned", "sent", "done", "cancelling", "cancelled"]


class SentTransaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A transaction. What its receipt says is absent until it is in a block. gas_price_wei: decimal.

    sender, nonce: absent where somebody else sent it.
    """

    hash: str
    sender: str | None = None
    nonce: int | None = None
    block_number: int | None = None
    block_hash: str | None = None
    gas_used: int | None = None
    gas_price_wei: str | None = None


class ElectionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a box's address was computed from, the sheet roots apart, which are many and stand in its code."""

    title: str
    factory: str
    implementation: str
    organizer: str
    salt: str
    definition_hash: str
    opens_at: int
    closes_at: int
    sheet_bits: int
    voters: int
    max_ballot_bytes: int
    text_ballots: bool = False


class DeploymentRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was put on a chain, or is to be.

    status: `unsigned`, given to another signer; `sent`, signed and perhaps in a block; `done`, seen in a block;
    `cancelling` and `cancelled`, an election only. cancellation: the transaction of the latter two.
    """

    kind: Literal["factory", "election"]
    status: Status
    election: ElectionFacts | None = None
    transaction: SentTransaction | None = None
    cancellation: SentTransaction | None = None


class _File(msgspec.Struct, kw_only=True):
    qballot_deployments: int
    chain_id: int
    deployments: dict[str, DeploymentRecord]


class Deployments:
    """The records of one chain. folder: where its file is, or will be; nothing is written before there is a record."""

    def __init__(self, folder: Path, chain_id: ChainId) -> None:
        self.path = folder.expanduser() / f"{chain_id}.json"
        self._chain_id = chain_id

    def load(self) -> dict[str, DeploymentRecord]:
        """Return every record by its checksummed address. Raises InputError when the file is not as it should be."""
        return self._read().deployments

    def find(self, address: Address) -> DeploymentRecord | None:
        """Return the record of an address. Raises InputError when the file is not as it should be."""
        return self.load().get(checksum_address(address))

    def put(self, address: Address, record: DeploymentRecord) -> None:
        """Write a record in place of the address's earlier one. Raises InputError when the file cannot be written."""
        content = self._read()
        content.deployments[checksum_address(address)] = record
        _replace(self.path, msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")

    def _read(self) -> _File:
        try:
            content = msgspec.json.decode(self.path.read_bytes(), type=_File)
        except FileNotFoundError:
            return _File(qballot_deployments=FORMAT, chain_id=self._chain_id, deployments={})
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror}") from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{self.path} is no record of deployments ({error}): mend it, or move it away") from None
        if (content.qballot_deployments, content.chain_id) != (FORMAT, self._chain_id):
            raise InputError(
                f"{self.path}: found format {content.qballot_deployments} of chain {content.chain_id}, expected "
                f"format {FORMAT} of chain {self._chain_id}: move it away"
            )
        return content


def describe_sent(transaction_hash: Hash32, sender: Address, nonce: int) -> SentTransaction:
    """Describe a transaction that is about to be sent."""
    return SentTransaction(hash="0x" + transaction_hash.hex(), sender=checksum_address(sender), nonce=nonce)


def add_receipt(sent: SentTransaction | None, receipt: Receipt) -> SentTransaction:
    """Describe a transaction that is in a block. sent: what was recorded of it, if it was ours."""
    return SentTransaction(
        hash="0x" + receipt.transaction_hash.hex(),
        sender=sent.sender if sent else None,
        nonce=sent.nonce if sent else None,
        block_number=receipt.block_number,
        block_hash="0x" + receipt.block_hash.hex(),
        gas_used=receipt.gas_used,
        gas_price_wei=str(receipt.effective_gas_price),
    )


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
