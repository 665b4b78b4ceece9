"""JSON-RPC methods, a file for each family."""
