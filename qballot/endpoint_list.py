"""The endpoints that an operator names, in one line: `infura=https://… alchemy=https://… http://127.0.0.1:8545`.

They stand in the order in which they are preferred. What stands before `=` is the *operator*, who runs the endpoint:
several endpoints of one operator are one witness, not several. Where none is named it is the host's name without what
usually tells machines and chains apart, such as `infura.io` for `mainnet.infura.io`.

A URL of `ws://` or `wss://` is used to hear of new blocks and for nothing else.

An endpoint's name for people, logs and metrics is its scheme, host and port; a key may stand in the rest of its URL.
Some providers have the key in the host, as `https://KEY.eth.example.org`. So any label of a host but the last is shown
as `***` when it looks like a key: when it has 16 letters and digits or more, a digit among them, and no hyphen, or as a
UUID has them, hexadecimal digits with hyphens. A host of one label, and an IP address, is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from qballot.errors import InputError

HTTP_SCHEMES = frozenset({"http", "https"})
WEBSOCKET_SCHEMES = frozenset({"ws", "wss"})

NEEDED_OPERATORS = 2
"""How many different operators' endpoints must name a block's hash for it to be witnessed, unless set otherwise."""

_OPERATOR = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,39})=(.*)", re.DOTALL)
_WANTED = "expected http(s)://host[:port]/…"

KEY_CHARACTERS = 16
"""Letters and digits from which on a label of a host may be a key."""

_KEY_LABEL = re.compile(rf"(?=[^.]*\d)(?:[0-9a-z]{{{KEY_CHARACTERS},}}|(?:[0-9a-f]{{4,}}-)+[0-9a-f]{{4,}})")

_WIDE_ENDINGS = frozenset({"ac", "co", "com", "edu", "gov", "net", "org"})
"""Second labels under which a country's names are registered, as in `co.uk`."""


@dataclass(frozen=True, slots=True)
class EndpointAddress:
    """Where one endpoint is and who runs it. url: may hold a key, so it is in no text made of this."""

    operator: str
    url: str

    @property
    def is_websocket(self) -> bool:
        """Whether it is a websocket, which only tells of new blocks."""
        return urlsplit(self.url).scheme in WEBSOCKET_SCHEMES

    @property
    def name(self) -> str:
        """Its name for people and logs, without what may hold its key."""
        return compute_endpoint_name(self.url)

    def __repr__(self) -> str:
        return f"EndpointAddress({self.operator}, {self.name})"


def parse_endpoints(text: str) -> tuple[EndpointAddress, ...]:
    """Read a list of endpoints, separated by blanks, in order of preference.

    Raises InputError, which shows no URL, when one cannot be read, comes twice, or when none is http(s).
    """
    found: list[EndpointAddress] = []
    for place, item in enumerate(text.split(), 1):
        named = _OPERATOR.fullmatch(item)
        url = named.group(2) if named else item
        try:
            compute_endpoint_name(url)
        except InputError as error:
            raise InputError(f"endpoint {place}: {error}") from None
        if any(url == other.url for other in found):
            raise InputError(f"found endpoint {place} twice, expected each once")
        found.append(EndpointAddress(named.group(1) if named else compute_operator(url), url))
    if all(address.is_websocket for address in found):
        raise InputError(f"found no endpoint of http(s), {_WANTED}")
    return tuple(found)


def compute_endpoint_name(url: str) -> str:
    """Name an endpoint for people and logs: scheme, host and port. Path, query and credentials may hold its key.

    What looks like a key in the host is masked. Raises InputError, which does not show the URL either.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InputError(f"found an endpoint URL that cannot be read, {_WANTED}") from None
    if parts.scheme not in HTTP_SCHEMES | WEBSOCKET_SCHEMES or not parts.hostname:
        raise InputError(f"found an endpoint URL without http(s):// or without a host, {_WANTED}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else _mask_host(parts.hostname)
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")


def find_host_keys(host: str) -> list[str]:
    """Return the labels of a host that look like keys, by the rule at the head of this file."""
    labels = host.lower().split(".")[:-1]
    return [label for label in labels if _KEY_LABEL.fullmatch(label) and sum(map(str.isalnum, label)) >= KEY_CHARACTERS]


def number_names(names: Sequence[str]) -> list[str]:
    """Tell apart what bears one name: the second becomes `name#2`, the third `name#3`, in their order."""
    times = [names[: place + 1].count(name) for place, name in enumerate(names)]
    return [name if count == 1 else f"{name}#{count}" for name, count in zip(names, times, strict=True)]


def compute_operator(url: str) -> str:
    """Name who runs an endpoint, by its URL alone."""
    parts = urlsplit(url)
    host = _mask_host(str(parts.hostname))
    try:
        ip_address(host)
    except ValueError:
        labels = host.split(".")
        if len(labels) > 1:
            wide = len(labels[-1]) == 2 and labels[-2] in _WIDE_ENDINGS
            return ".".join(labels[-3 if wide else -2 :])
    # Two nodes on one machine, or on machines without a registered name, may well be two operators' tunnels.
    return host if parts.port is None else f"{host}:{parts.port}"


def _mask_host(host: str) -> str:
    keys = find_host_keys(host)
    return ".".join("***" if label in keys else label for label in host.split("."))
