"""The words in which providers refuse: too many blocks, too many logs, too many bytes, too many requests, no more.

Wordings as RECIPES of real endpoints have them; the numbers in them are those of the test's chain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fault_proxy import Failure, Raw
from misbehaviours import Asked

HTML_413 = b"<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n</body>\r\n</html>\r\n"
HTML_502 = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>Bad Gateway</h1></body>\r\n</html>\r\n"


@dataclass(frozen=True, slots=True)
class TooMuch:
    """How one provider refuses a range. counts: `blocks`, `logs` or `bytes`. limit: of this many."""

    name: str
    counts: str
    limit: int
    refuse: Callable[[Asked], Failure | Raw]


def _hint(asked: Asked) -> str:
    return f"[{asked.fits[0]:#x}, {asked.fits[1]:#x}]"


def _data(asked: Asked) -> dict[str, object]:
    return {"from": hex(asked.fits[0]), "to": hex(asked.fits[1]), "limit": asked.limit}


INFURA = "query returned more than 10000 results"
ALCHEMY = (
    "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the "
    "response size, or you can request any block range with a cap of 10K logs in the response."
)

TOO_MUCH = [
    TooMuch(
        "infura_results_with_hint_and_data", "logs", 20,
        lambda asked: Failure(-32005, f"{INFURA}. Try with this block range {_hint(asked)}.", _data(asked)),
    ),
    TooMuch(
        "infura_results_with_hint_in_words_alone", "logs", 20,
        lambda asked: Failure(-32005, f"{INFURA}. Try with this block range {_hint(asked)}."),
    ),
    TooMuch(
        "infura_results_with_hint_in_data_alone", "logs", 20, lambda asked: Failure(-32005, INFURA, _data(asked))
    ),
    TooMuch("infura_results_without_hint", "logs", 20, lambda asked: Failure(-32005, INFURA)),
    TooMuch(
        "infura_results_with_inverted_hint", "logs", 20,
        lambda asked: Failure(
            -32005, f"{INFURA}. Try with this block range [{asked.end:#x}, {asked.start:#x}].",
            {"from": hex(asked.end), "to": hex(asked.start), "limit": 10_000},
        ),
    ),
    TooMuch(
        "infura_results_with_hint_of_other_blocks", "logs", 20,
        lambda asked: Failure(-32005, f"{INFURA}. Try with this block range [0x1234567, 0x1234600]."),
    ),
    TooMuch(
        "infura_results_with_hint_as_wide_as_asked", "logs", 20,
        lambda asked: Failure(-32005, f"{INFURA}. Try with this block range [{asked.start:#x}, {asked.end:#x}]."),
    ),
    TooMuch(
        "infura_results_with_unreadable_data", "logs", 20,
        lambda asked: Failure(-32005, INFURA, {"from": None, "to": ["0x"], "limit": "ten"}),
    ),
    TooMuch(
        "infura_range_limit", "blocks", 50,
        lambda asked: Failure(-32602, f"range {asked.blocks} exceeds limit of {asked.limit}"),
    ),
    TooMuch(
        "infura_query_timeout", "blocks", 300,
        lambda asked: Failure(-32005, "query timeout exceeded. Consider reducing your block range."),
    ),
    TooMuch(
        "alchemy_response_size_with_hint", "bytes", 20_000,
        lambda asked: Failure(
            -32602,
            f"{ALCHEMY} Based on your parameters and the response size limit, this block range should work: "
            f"{_hint(asked)}",
        ),
    ),
    TooMuch(
        "alchemy_response_size_with_inverted_hint", "bytes", 20_000,
        lambda asked: Failure(
            -32602,
            f"{ALCHEMY} Based on your parameters and the response size limit, this block range should work: "
            f"[{asked.end:#x}, {asked.start:#x}]",
        ),
    ),
    TooMuch(
        "alchemy_range_limit_of_the_free_tier", "blocks", 10,
        lambda asked: Failure(
            -32600,
            "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range. Based on your "
            f"parameters, this block range should work: {_hint(asked)}. Upgrade to PAYG for expanded block range.",
            status=400,
        ),
    ),
    TooMuch(
        "alchemy_range_limit", "blocks", 500,
        lambda asked: Failure(-32600, "You can make eth_getLogs requests with up to a 500 block range.", status=400),
    ),
    TooMuch(
        "quicknode_range_limit_with_comma", "blocks", 1_000,
        lambda asked: Failure(-32614, "eth_getLogs is limited to a 1,000 range", status=413),
    ),
    TooMuch(
        "quicknode_range_limit_that_is_less_than_it_says", "blocks", 60,
        lambda asked: Failure(-32614, "eth_getLogs is limited to a 10,000 range", status=413),
    ),
    TooMuch(
        "ankr_range_too_wide", "blocks", 100, lambda asked: Failure(-32600, "block range is too wide")
    ),
    TooMuch(
        "ankr_range_too_large", "blocks", 100, lambda asked: Failure(-32062, "Block range is too large")
    ),
    TooMuch("max_allowed_range", "blocks", 30, lambda asked: Failure(-32012, "exceeded max allowed range")),
    TooMuch(
        "maximum_block_range", "blocks", 200, lambda asked: Failure(-32000, "exceed maximum block range: 200")
    ),
    TooMuch(
        "range_and_max", "blocks", 64,
        lambda asked: Failure(-32000, f"block range too large, range: {asked.blocks}, max: {asked.limit}"),
    ),
    TooMuch(
        "max_results_with_hint", "logs", 25,
        lambda asked: Failure(
            -32000, f"query exceeds max results 25, retry with the range {asked.fits[0]}-{asked.fits[1]}"
        ),
    ),
    TooMuch(
        "max_results_with_inverted_hint", "logs", 25,
        lambda asked: Failure(-32000, f"query exceeds max results 25, retry with the range {asked.end}-{asked.start}"),
    ),
    TooMuch(
        "backend_response_too_large", "bytes", 15_000, lambda asked: Failure(-32020, "backend response too large")
    ),
    TooMuch(
        "response_size_in_bytes", "bytes", 15_000,
        lambda asked: Failure(-32000, "response size should not greater than 15000 bytes"),
    ),
    TooMuch(
        "ranges_on_freetier", "blocks", 1_000,
        lambda asked: Failure(-32000, "ranges over 1000 blocks are not supported on freetier"),
    ),
    TooMuch("http_413_as_a_page", "blocks", 150, lambda asked: Raw(HTML_413, 413, {"Content-Type": "text/html"})),
    TooMuch("unknown_words", "blocks", 90, lambda asked: Failure(-32099, "the computer says no")),
    TooMuch("unknown_words_as_invalid_params", "blocks", 90, lambda asked: Failure(-32602, "invalid params")),
    TooMuch("unknown_words_in_plain_json", "blocks", 50, lambda asked: Raw(b'{"error":"query excessive"}', 400)),
    TooMuch("unknown_words_as_a_text", "blocks", 50, lambda asked: Raw(b"Unprocessable: window", 422)),
    TooMuch(
        "unknown_words_as_a_page", "blocks", 50,
        lambda asked: Raw(b"<html>blocked: query excessive</html>", 403, {"Content-Type": "text/html"}),
    ),
    TooMuch("no_words_at_all", "blocks", 50, lambda asked: Raw(b"", 400)),
]  # fmt: skip
"""Every way to say that a range is too much."""


@dataclass(frozen=True, slots=True)
class TooFast:
    """How one provider says that it was asked too often."""

    name: str
    reply: Failure | Raw


TOO_FAST = [
    TooFast(
        "infura_rate_with_backoff",
        Failure(
            -32005, "project ID request rate exceeded",
            {"rate": {"allowed_rps": 1, "backoff_seconds": 1, "current_rps": 1.4}, "see": "https://infura.io/dashboard"},
            429,
        ),
    ),
    TooFast("infura_rate_with_status_200", Failure(-32005, "project ID request rate exceeded")),
    TooFast(
        "alchemy_compute_units",
        Failure(
            429, "Your app has exceeded its compute units per second capacity. If you have retries enabled, you can "
            "safely ignore this message.", None, 429,
        ),
    ),
    TooFast("page_with_retry_after", Raw(b"Too Many Requests", 429, {"Retry-After": "1"})),
    TooFast("page_without_retry_after", Raw(b"Too Many Requests", 429, {"Content-Type": "text/plain"})),
    TooFast(
        "page_with_retry_after_as_date",
        Raw(b"", 429, {"Content-Type": "text/plain", "Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    ),
    TooFast("page_with_unreadable_retry_after", Raw(b"", 429, {"Retry-After": "soon"})),
    TooFast("empty_page", Raw(b"", 429)),
]  # fmt: skip
"""Every way to say that requests come too fast."""

USED_UP = [
    TooFast(
        "alchemy_monthly_capacity",
        Failure(
            -32600, "Monthly capacity limit exceeded. Visit https://dashboard.alchemy.com/settings/billing to upgrade "
            "your scaling policy for continued service.", None, 403,
        ),
    ),
    TooFast(
        "alchemy_monthly_capacity_with_429",
        Failure(429, "Monthly capacity limit exceeded. Visit https://dashboard.alchemy.com/", None, 429),
    ),
    TooFast("infura_daily_requests", Failure(-32005, "daily request count exceeded, request rate limited", None, 429)),
]  # fmt: skip
"""Every way to say that a plan allows no more for now."""
