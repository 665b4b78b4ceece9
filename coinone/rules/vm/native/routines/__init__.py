"""What instructions share: functions of machine code in the ordinary calling convention."""

from coinone.rules.vm.native.emitter import Emitter


def routine(
    result: str, name: str, parameters: str, e: Emitter, attributes: str = "", linkage: str = "internal"
) -> str:
    """The text of a function; with an empty `linkage` Python can call it."""
    return f"define {linkage} {result} @{name}({parameters}) nounwind {attributes} {{\n{e.body}}}\n"
