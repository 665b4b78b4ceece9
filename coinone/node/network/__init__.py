"""Connections to peers: moves bytes between sockets and the sans-IO relay, and nothing else."""
