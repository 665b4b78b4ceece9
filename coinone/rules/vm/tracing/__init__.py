"""Watching a run: what debug_trace* builds on. An interpreter without a tracer pays nothing for this."""

from coinone.rules.vm.tracing.tracer import Tracer

__all__ = ["Tracer"]
