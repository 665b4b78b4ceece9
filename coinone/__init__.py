"""Coinone: a futures exchange that is a blockchain.

Five floors, imports point down only: `base` (words), `rules` (consensus, pure), `protocols`
(sans-IO state machines), `node` (the world: clock, disk, sockets), `interfaces` (people and programs).
docs/ARCHITECTURE.md is the map.
"""

__version__ = "0.1.0"

# Consensus code halts on a broken invariant by `assert`; under -O it would go on with wrong money.
if not __debug__:
    raise SystemExit("coinone refuses to run under 'python -O': its safety assertions would be stripped")
