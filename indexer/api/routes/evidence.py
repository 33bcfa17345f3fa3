"""What a result can be verified by: how far it is verified here, the election's evidence, and ballots' receipts."""

from __future__ import annotations

import os
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Response

from indexer.api import examples
from indexer.api.conditional import NOT_MODIFIED, IfNoneMatch, matches
from indexer.api.deps import BoxDep, ResultsDep, ServicesDep
from indexer.api.errors import ElectionNotFoundError, MissingError, UnprovenError
from indexer.api.schema_parts import ErrorBody
from indexer.api.verification_schemas import ReceiptBody, VerificationBody
from indexer.results import Absent, NoSuchBallot, NotReadyError, Unproven
from qballot.core.address import checksum_address
from qballot.core.proof import write_receipt_file
from qballot.core.types import Address

EVIDENCE_TYPE = "application/jsonl"
MAX_POSITION = 2**63 - 2
MAX_WAITING_RECEIPTS = 16

router = APIRouter(tags=["verification"])

_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorBody, "description": "This index holds no election at this address"}
}
_EVIDENCE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The bundle, as docs/verification.md describes it, for `qballot verify`",
        "content": {
            EVIDENCE_TYPE: {
                "schema": {"type": "string", "description": "JSON Lines in UTF-8"},
                "examples": {"cut short": {"value": examples.EVIDENCE}},
            }
        },
    },
    404: {"model": ErrorBody, "description": "This index holds no election at this address"},
    409: {"model": ErrorBody, "description": "The result is not proven yet, so that there is no evidence"},
    503: {"model": ErrorBody, "description": "It is being written, or the index does not answer: ask again"},
}


@router.get("/elections/{box}/verification", responses=_NOT_FOUND)
def read_verification(box: BoxDep, results: ResultsDep) -> VerificationBody:
    """How far one election's result is verified, who names the block that it is proved at, and what is missing."""
    document = results.find_verification(box)
    if document is None:
        raise ElectionNotFoundError
    return VerificationBody.model_validate(document)


@router.get("/elections/{box}/evidence", response_class=Response, responses=_EVIDENCE | NOT_MODIFIED)
async def read_evidence(
    box: BoxDep,
    services: ServicesDep,
    census: Annotated[
        bool, Query(description="Whether the voters are in it; otherwise their census file is named by its hash")
    ] = True,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One election's evidence: all that its result follows from for whoever believes one block hash."""
    downloads = services.downloads
    name = await to_thread.run_sync(lambda: downloads.files.source.find_name(box, is_census_apart=not census))
    if isinstance(name, Absent):
        raise ElectionNotFoundError
    if isinstance(name, Unproven):
        raise UnprovenError(name.reason)
    headers = {"etag": f'"{name.digest}"', "cache-control": "no-cache"}
    if matches(if_none_match, headers["etag"]):
        return Response(status_code=304, headers=headers)
    file = await downloads.open(name)
    headers |= {"content-type": EVIDENCE_TYPE, "content-disposition": _attach("evidence", box, "jsonl")}
    return downloads.send(file, os.fstat(file.fileno()).st_size, headers)


@router.get(
    "/elections/{box}/ballots/{position}/receipt",
    response_model=ReceiptBody,
    responses={
        404: {"model": ErrorBody, "description": "No such election or ballot here; `detail` says which"},
        503: {
            "model": ErrorBody,
            "description": "No endpoint gives the block's receipts, or the index does not answer",
        },
    },
)
async def read_receipt(
    box: BoxDep,
    position: Annotated[int, Path(ge=0, le=MAX_POSITION, description="Place among the box's records, from 0")],
    services: ServicesDep,
) -> Response:
    """One ballot's receipt: the block's header, and the proof that the ballot's batch is in the block's logs."""
    receipts, threads = services.receipts, services.receipt_threads
    found = await to_thread.run_sync(receipts.find_ballot, box, position)
    if isinstance(found, NoSuchBallot):
        raise MissingError(found.value)
    receipt = receipts.find_kept(found)
    if receipt is None:
        if threads.statistics().tasks_waiting >= MAX_WAITING_RECEIPTS:
            raise NotReadyError("too many receipts are being made: ask again soon")
        receipt = await to_thread.run_sync(receipts.fetch, found, limiter=threads)
    headers = {"content-disposition": _attach(f"receipt-{position}", box, "json")}
    return Response(write_receipt_file(receipt), media_type="application/json", headers=headers)


def _attach(what: str, box: Address, ending: str) -> str:
    return f'attachment; filename="{what}-{checksum_address(box)}.{ending}"'
