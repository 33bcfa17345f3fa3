"""QBallot: elections on Ethereum whose result anyone can check without trusting whoever serves it."""

__version__ = "0.1.0"
