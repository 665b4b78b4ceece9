"""Ethereum JSON-RPC: one table of methods over one dispatcher."""
