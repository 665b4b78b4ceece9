"""JSON-RPC methods, one file per family."""
