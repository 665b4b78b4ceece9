"""Watching a run: what debug_trace* and explorers build on. An interpreter without a tracer pays nothing.

The tracers here give what geth's tracers of the same name give, ready for JSON.
"""

from coinone.rules.vm.frame import Tracer

__all__ = ["Tracer"]
