"""Tracers, for debug_trace* and explorers. An interpreter without a tracer has no overhead.

Their results are those of geth's tracers of the same names, ready for JSON.
"""

from coinone.rules.vm.frame import Tracer

__all__ = ["Tracer"]
