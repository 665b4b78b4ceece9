"""Noise XX: a connection between nodes is encrypted, and each side proves the key that it shows.

Bytes in, bytes out: sockets, time and randomness are the caller's. Read `opening` (preambles and the order of
messages), `handshake` (the three messages of XX), `channel` (what follows them), `cipher`.
"""
