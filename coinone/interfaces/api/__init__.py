"""The public API: Ethereum JSON-RPC, exchange REST and WebSocket, explorer, metrics.

Read `app.py`, `service.py`, `server.py`; `http/`, `admission/`, `sockets/`; then `ethereum/`, `exchange/`, `explorer/`.
"""
