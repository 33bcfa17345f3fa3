"""Amounts of wei as people read them."""

from __future__ import annotations

WEI_PER_ETHER = 10**18
WEI_PER_GWEI = 10**9


def format_ether(wei: int) -> str:
    """Write an amount in ether, exactly and without needless zeros: `0.00042 ETH`."""
    return _format(wei, 18) + " ETH"


def format_gwei(wei: int) -> str:
    """Write a price of gas in gwei, exactly and without needless zeros: `1.5 gwei`."""
    return _format(wei, 9) + " gwei"


def _format(amount: int, digits: int) -> str:
    whole, rest = divmod(amount, 10**digits)
    return f"{whole}.{rest:0{digits}}".rstrip("0").rstrip(".")
