"""Ethereum chains in a node's storage: imported under Ethereum's block rules, served by JSON-RPC."""
