"""Integers and units, addresses and hashes, RLP, strict parsers, errors, limits, and the door to numba."""
