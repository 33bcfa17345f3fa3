"""Elections, their results and their ballots."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response

from indexer.api.conditional import NOT_MODIFIED, IfNoneMatch, matches
from indexer.api.convert import show_ballots, show_election, show_elections
from indexer.api.deps import BoxDep, ElectoratesDep, ResultsDep, VoterDep
from indexer.api.errors import ElectionNotFoundError, MissingError
from indexer.api.schema_parts import ErrorBody
from indexer.api.schemas import BallotList, ElectionBody, ElectionList, ResultBody, VoterProofBody
from indexer.results import Missing
from qballot.core.census_proof import dump_voter_proof
from qballot.core.types import VoterIndex

MAX_ELECTIONS = 100
MAX_BALLOTS = 1_000
MAX_CURSOR = 2**63 - 1
MAX_VOTER = 2**32 - 1

router = APIRouter(tags=["elections"])

_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorBody, "description": "This index holds no election at this address"}
}


@router.get("/elections")
def list_elections(
    results: ResultsDep,
    after: Annotated[int | None, Query(ge=1, le=MAX_CURSOR, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ELECTIONS)] = 20,
) -> ElectionList:
    """All elections of the factory, the newest first."""
    return show_elections(results.find_elections(limit=limit, before=after))


@router.get("/elections/{box}", responses=_NOT_FOUND)
def read_election(box: BoxDep, results: ResultsDep) -> ElectionBody:
    """One election: definition, window, phase by the last indexed block's clock, turnout."""
    answer = results.find_election(box)
    if answer is None:
        raise ElectionNotFoundError
    return show_election(answer)


@router.get(
    "/elections/{box}/results",
    response_model=ResultBody,
    responses=_NOT_FOUND | NOT_MODIFIED,
)
def read_results(
    box: BoxDep,
    results: ResultsDep,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One election's result, with its state, its level of verification, and the block that it holds at."""
    document = results.find_result(box)
    if document is None:
        raise ElectionNotFoundError
    body = msgspec.json.encode(document)
    headers = {"etag": f'"{sha256(body).hexdigest()[:32]}"', "cache-control": "no-cache"}
    if matches(if_none_match, headers["etag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@router.get("/elections/{box}/ballots", responses=_NOT_FOUND)
def list_ballots(
    box: BoxDep,
    results: ResultsDep,
    after: Annotated[int | None, Query(ge=0, le=MAX_CURSOR, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_BALLOTS)] = 100,
    voter: Annotated[int | None, Query(ge=0, le=MAX_VOTER, description="Only this voter's")] = None,
) -> BallotList:
    """Every ballot that was ever cast, replaced and spoiled ones included, in the order of the hash chain."""
    chosen = None if voter is None else VoterIndex(voter)
    page = results.find_ballots(box, limit=limit, after=after, voter=chosen)
    if page is None:
        raise ElectionNotFoundError
    return show_ballots(page)


@router.get(
    "/elections/{box}/census/{address}",
    response_model=VoterProofBody,
    responses={404: {"model": ErrorBody, "description": "No such election, census or voter here; `detail` says which"}},
)
def read_voter_proof(box: BoxDep, address: VoterDep, electorates: ElectoratesDep) -> Response:
    """A voter's proof of being in the census, which holds at every block: byte for byte the voter's proof file."""
    proof = electorates.find_proof(box, address)
    if isinstance(proof, Missing):
        raise MissingError(proof.value)
    return Response(dump_voter_proof(proof), media_type="application/json")
