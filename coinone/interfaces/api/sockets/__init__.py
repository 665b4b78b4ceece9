"""Connections: listening sockets, deadlines, and the subscribers of streams."""
