"""Ethereum JSON-RPC: one table of methods over one dispatcher.

Read `rpc.py`, `table.py`, `dispatch.py`, `context.py`; `json/`, `chain/`, `calls/`; then `methods/`,
`simulation/`, `news/`.
"""
