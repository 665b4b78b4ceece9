"""Generate the tables of docs/protocol from the records that serve requests, actions and calls of contracts.

A document holds a table between `<!-- table: NAME -->` and `<!-- end of table -->`; everything else in it is written by
hand. `python -m coinone.interfaces.api.reference docs/protocol/api.md` regenerates the tables of a document.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from inspect import Parameter, getdoc
from pathlib import Path

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api.ethereum.context import Method
from coinone.interfaces.api.ethereum.table import DEV_METHODS, FAMILIES
from coinone.interfaces.api.exchange.channels.channel import Channel
from coinone.interfaces.api.exchange.channels.table import GROUPS
from coinone.interfaces.api.exchange.info.sources import Answered, InfoType
from coinone.interfaces.api.exchange.info.table import INFO_TYPES
from coinone.rules.chain.bridge.precompiles import OWN
from coinone.rules.exchange.actions.table import ACTIONS
from coinone.rules.exchange.wire.action import ActionType
from coinone.rules.exchange.wire.fields import Shape

_TABLE = re.compile(r"<!-- table: (.+?) -->\n.*?<!-- end of table -->\n", re.DOTALL)


def with_tables(document: str) -> str:
    """The document with its tables generated from the current records. Raises InvalidInput for an unknown table
    name."""
    return _TABLE.sub(_made, document)


def table_names(document: str) -> list[str]:
    return _TABLE.findall(document)


def _made(place: re.Match[str]) -> str:
    name = place.group(1)
    if name not in TABLES:
        raise InvalidInput("there is no such table", name=name)
    return f"<!-- table: {name} -->\n{TABLES[name]()}<!-- end of table -->\n"


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(columns)
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _info_types(answered: Answered) -> str:
    kinds = [kind for kind in INFO_TYPES.values() if kind.answered is answered]
    rows = ([f"`{kind.name}`", _fields(kind.needs, kind.takes), _price(kind), kind.about] for kind in kinds)
    return _table(("type", "fields", "weight", "answer"), rows)


def _fields(needs: Iterable[str], takes: Iterable[str]) -> str:
    return ", ".join([*(f"`{name}`" for name in needs), *(f"[`{name}`]" for name in takes)])


def _price(kind: InfoType) -> str:
    return f"{kind.weight} + rows / {kind.rows_per_weight}" if kind.rows_per_weight else str(kind.weight)


def _empty_info_types() -> str:
    features: dict[str, list[str]] = {}
    for kind in INFO_TYPES.values():
        if kind.answered is Answered.EMPTY:
            features.setdefault(kind.about, []).append(f"`{kind.name}`")
    return _table(("feature", "types"), ([about, ", ".join(names)] for about, names in features.items()))


def _channels(channels: Iterable[Channel]) -> str:
    rows = (
        [
            f"`{channel.name}`",
            _fields(channel.fields.needs, channel.fields.takes),
            str(channel.weight),
            channel.about,
        ]
        for channel in channels
    )
    return _table(("channel", "fields", "weight", "messages"), rows)


def _methods(methods: Iterable[Method]) -> str:
    return _table(
        ("method", "weight", "answer"),
        ([f"`{method.name}({_parameters(method)})`", str(method.weight), method.about] for method in methods),
    )


def _parameters(method: Method) -> str:
    return ", ".join(map(_parameter, method.parameters()))


def _parameter(parameter: Parameter) -> str:
    if parameter.kind is Parameter.VAR_POSITIONAL:
        return "..."
    return parameter.name if parameter.default is Parameter.empty else f"{parameter.name}?"


def _titled(tables: Mapping[str, str]) -> str:
    return "\n".join(f"### {title}\n{table}" for title, table in tables.items())


def _channel_tables() -> str:
    return _titled({title: _channels(channels) for title, channels in GROUPS.items()})


def _method_tables() -> str:
    families = {**FAMILIES, "Dev network only": tuple(DEV_METHODS.values())}
    return _titled({title: _methods(methods) for title, methods in families.items()})


def _precompiles() -> str:
    rows = ([f"0x{own.number:04x}", ", ".join(own.arguments), own.answer] for own in OWN.values())
    return _table(("address", "arguments", "answer"), rows)


def _actions() -> str:
    return _table(
        ("action", "signed", "fields", "segment", "credits", "CoreWriter"),
        (
            [
                f"`{row.name}`",
                _signed(row),
                _signed_fields(row),
                _told(row.segment),
                _credits(row),
                _contract(row),
            ]
            for row in ACTIONS
        ),
    )


def _signed(row: ActionType) -> str:
    return "as an L1 action" if row.signed is None else f"`{row.signed.name}`"


def _signed_fields(row: ActionType) -> str:
    if row.signed is not None:
        return ", ".join(name for _, name in row.signed.fields[1:])
    assert isinstance(row.read, Shape), "an L1 action names its fields"
    return ", ".join([*row.read.required, *(f"[{name}]" for name in row.read.optional)])


def _credits(row: ActionType) -> str:
    return "0, once an agency" if row.ends_agency else _told(row.cost)


def _told(rule: object) -> str:
    """A number, or the docstring of the function that returns it."""
    return str(int(rule)) if isinstance(rule, int) else getdoc(rule) or ""


def _contract(row: ActionType) -> str:
    if row.contract is None:
        return ""
    fields = ", ".join(f"{word.abi} {name}" for name, word in row.contract.fields.items())
    return f"{row.contract.id}: {fields}"


TABLES: dict[str, Callable[[], str]] = {
    "info types from the view": lambda: _info_types(Answered.FROM_VIEW),
    "info types between two batches": lambda: _info_types(Answered.BETWEEN_BATCHES),
    "info types from history": lambda: _info_types(Answered.FROM_HISTORY),
    "info types that are empty": _empty_info_types,
    "channels": _channel_tables,
    "precompiles": _precompiles,
    "actions": _actions,
    "JSON-RPC methods": _method_tables,
}


def main() -> None:
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(with_tables(path.read_text()))


if __name__ == "__main__":
    main()
