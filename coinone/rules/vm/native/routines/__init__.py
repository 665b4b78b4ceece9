"""Routines that instructions share: functions in the ordinary calling convention."""

from coinone.rules.vm.native.emitter import Emitter

ODD = 0x9E3779B97F4A7C15 - (1 << 64)  # 2^64 / golden ratio as a signed number: spreads bits upwards


def routine(
    result: str, name: str, parameters: str, e: Emitter, attributes: str = "", linkage: str = "internal"
) -> str:
    """The text of a function; with an empty `linkage`, Python can call it."""
    return f"define {linkage} {result} @{name}({parameters}) nounwind {attributes} {{\n{e.body}}}\n"
