"""The node's chain as JSON-RPC methods read it, ours or an imported one."""
