"""What programs and browsers meet: Ethereum JSON-RPC, exchange REST and WebSocket, explorer, metrics."""
