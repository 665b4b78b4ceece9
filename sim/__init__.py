"""Deterministic simulation: the node's real objects on virtual time, with seeded faults (D12).

One integer decides everything: `make sim SEED=7` makes the same run on every machine, byte for byte, and a
failing run is reproduced by that one line.
"""
