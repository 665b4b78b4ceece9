"""Read a node's chain for JSON-RPC methods, whether Coinone's or an imported one."""
