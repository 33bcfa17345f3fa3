"""The edge to Ethereum: endpoints, contracts, accounts, transactions and a local chain."""
