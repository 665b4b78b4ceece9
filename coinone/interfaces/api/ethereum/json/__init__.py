"""Decode and encode JSON-RPC values: parameters, blocks, transactions, overrides, filters, errors."""
