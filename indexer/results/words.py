"""What a result's level, its alarm and its repairs are in words. Only from `witnessed` on does any say "verified"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from indexer.results.phase import State, compute_state
from indexer.results.proven import Proven
from indexer.storage.model import Block, Election, HeadCheck
from indexer.storage.proof_model import Naming, Repair, UnknownHeader

INDEXED = "Indexed: read from the logs that endpoints gave."
CONTRADICTED = "Indexed: read from the logs that endpoints gave, and CONTRADICTED by the chain."
NOT_CONSISTENT = "Not consistent: the box's head does not follow from the records."
NEVER_COMPARED = "Not consistent: nothing was compared with the chain, since an invalid election is never counted."
NOT_JUDGED = "Not consistent: nothing was compared with the chain, since this version cannot judge the election."


def describe_mismatch(check: HeadCheck) -> str:
    """Say that the chain contradicts the records."""
    chain_head = "" if check.chain_head is None else check.chain_head.hex()
    said = f"the box's head is proven to be 0x{chain_head}" if check.is_proven else f"head() is 0x{chain_head}"
    unrepaired = f" ({check.failure})" if check.failure and check.is_proven else ""
    return (
        f"MISMATCH: at block {check.block.number} {said}, and the records give 0x{check.recomputed_head.hex()}. "
        f"Records are missing, forged or out of order{unrepaired}: do not rely on this result"
    )


def describe_disagreement(proven: Proven) -> str:
    """Say that operators name different blocks."""
    block = proven.mark.block
    others = "; ".join(f"{item.operator} names 0x{item.named_hash.hex()}" for item in proven.contradicted_by)
    named = _list_operators(proven.named_by) or "nobody else"
    verb = "name" if len(proven.named_by) > 1 else "names"
    return (
        f"DISAGREEMENT: {named} {verb} 0x{block.hash.hex()} for block {block.number}, but {others}. One of them lies, "
        "follows another chain, or lags in a reorganisation"
    )


def explain_indexed(problem: str) -> str:
    """Say why the level is no more than `indexed`. problem: in words."""
    return f"Not consistent: {problem}. Endpoints that leave out or invent ballots would not be noticed."


def describe_consistent(election: Election, block: Block, indexed: Block) -> str:
    """Say what the level `consistent` shows. block: that the head was read at."""
    return (
        f"Consistent: the hash chain recomputed from all ballots equals head() of the box at block {block.number}. "
        "No ballot is missing, added or moved if the endpoint told the truth about head()."
        + _say_later(election, block, indexed)
    )


def explain_consistent(check: HeadCheck, unknown: UnknownHeader | None) -> str:
    """Say why it is not more. unknown: the first block whose header has an unknown form."""
    if unknown is not None and not check.is_proven:
        return f"Not proven: {describe_unknown_header(unknown)}"
    if check.is_proven:
        return f"Not proven: the proof of block {check.block.number} is no longer kept, and another one is to come."
    return (
        f"Not proven: no endpoint has shown the box's state at block {check.block.number} by a header and a proof in "
        "Ethereum's form; the indexer's log says why."
    )


def describe_unknown_header(unknown: UnknownHeader) -> str:
    """Say what is unknown since when, and what helps."""
    what = f"fields unknown to it: {', '.join(unknown.fields)}" if unknown.fields else unknown.problem
    return (
        f"since block {unknown.block.number} headers have a form that this server's version of QBallot does not know "
        f"({what}). Nothing at that block or later is proven until the server is updated; no ballot is lost."
    )


def describe_proven(election: Election, proven: Proven, indexed: Block) -> str:
    """Say what the levels from `proven` on show."""
    number, names = proven.mark.block.number, _list_operators(proven.named_by)
    alone = len(proven.named_by) == 1
    name = f"{names} alone names" if alone else f"{names} name"
    if proven.is_final:
        call = "calls" if alone else "call"
        start = f"Final: verified against the hash of block {number}, which {name} and {call} finalized."
    elif proven.is_witnessed:
        start = f"Witnessed: verified against the hash of block {number}, which {name}."
    else:
        start = f"Proven: nothing is believed but the hash of block {number}."
    follows = "The box's head follows from it, and the hash chain recomputed from all ballots ends in that head."
    return f"{start} {follows}{_say_later(election, proven.mark.block, indexed)}"


def explain_proven(proven: Proven) -> str | None:
    """Say why the level is no more; None for `final`."""
    if proven.is_final:
        return None
    number, named = proven.mark.block.number, proven.named_by
    if proven.is_witnessed:
        waiting = [item for item in named if not item.is_final]
        verb = "does" if len(waiting) == 1 else "do"
        return f"Not final: {_list_operators(waiting)} {verb} not call block {number} finalized yet."
    if proven.contradicted_by:
        return f"Not witnessed: operators name different hashes for block {number}."
    who = "nobody has named"
    if named:
        who = f"{_list_operators(named)} alone {'names' if len(named) == 1 else 'name'}"
    yet = "" if named else " yet"
    more = "one operator" if proven.needed == 1 else f"{proven.needed} different operators"
    return (
        f"Not witnessed: {who} the hash of block {number}{yet}, and {more} must, since one endpoint can invent a whole "
        "chain. Whoever runs this server names further operators' endpoints in QBALLOT_RPC_URL, as operator=URL."
    )


def describe_repair(repair: Repair) -> str:
    """Say what a proof has put right."""
    return (
        f"The records from batch {repair.first_sequence} on contradicted the head that is proven at block "
        f"{repair.block_number}: {_count(repair.removed_batches, 'batch', 'batches')} of "
        f"{_count(repair.removed_records, 'record', 'records')} gave way to "
        f"{_count(repair.added_batches, 'batch', 'batches')} of {_count(repair.added_records, 'record', 'records')}, "
        f"which the head follows from ({repair.source})."
    )


def _say_later(election: Election, block: Block, indexed: Block) -> str:
    if compute_state(election, block.timestamp) is not State.PARTIAL or indexed.number <= block.number:
        return ""
    return f" Up to block {indexed.number} the logs hold no later ballot; the head was not looked at again since."


def _list_operators(namings: Iterable[Naming]) -> str:
    names: Sequence[str] = [naming.operator for naming in namings]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
