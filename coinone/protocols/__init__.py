"""Protocols: sans-IO state machines. They take (event, now) and return what should happen."""
