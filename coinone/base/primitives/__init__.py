"""Integers and units, addresses and hashes, RLP, strict parsers, errors, parameters, and the only import of numba."""
