"""Connections to peers: move bytes between sockets and the sans-IO relay."""
