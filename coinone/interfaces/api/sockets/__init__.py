"""Connections: where they come in, their deadlines, and who listens to which stream."""
