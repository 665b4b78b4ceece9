"""The table of actions as docs/protocol/actions.md shows it.

`python -m tests.rules.exchange.action_table` writes it there anew. `test_action_table.py` keeps it fresh.
"""

import inspect
from pathlib import Path

from coinone.rules.exchange.actions.table import ACTIONS
from coinone.rules.exchange.wire.action import ActionType
from coinone.rules.exchange.wire.fields import Shape

FILE = Path(__file__).parents[3] / "docs" / "protocol" / "actions.md"
BEGIN, END = "<!-- the table, from actions/table.py -->\n", "<!-- end of the table -->\n"
HEAD = (
    "| action | signed | fields | segment | credits | CoreWriter |\n| --- | --- | --- | --- | --- | --- |\n"
)


def table() -> str:
    return HEAD + "".join(_row(row) for row in ACTIONS)


def written(text: str) -> str:
    """The document `text` with the table in its place."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    assert before and after, "the document has a place for the table"
    return before + BEGIN + table() + END + after


def _row(row: ActionType) -> str:
    signed = "as an L1 action" if row.signed is None else f"`{row.signed.name}`"
    cost = "0, once an agency" if row.ends_agency else _told(row.cost)
    return (
        f"| `{row.name}` | {signed} | {_fields(row)} | {_told(row.segment)} | {cost} | {_contract(row)} |\n"
    )


def _fields(row: ActionType) -> str:
    if row.signed is not None:
        return ", ".join(name for _, name in row.signed.fields[1:])
    assert isinstance(row.read, Shape), "an L1 action names its fields"
    return ", ".join([*row.read.required, *(f"[{name}]" for name in row.read.optional)])


def _told(rule: object) -> str:
    """A number, or what the function that gives it says of itself."""
    return str(int(rule)) if isinstance(rule, int) else inspect.getdoc(rule) or ""


def _contract(row: ActionType) -> str:
    if row.contract is None:
        return ""
    fields = ", ".join(f"{word.abi} {name}" for name, word in row.contract.fields.items())
    return f"{row.contract.id}: {fields}"


if __name__ == "__main__":
    FILE.write_text(written(FILE.read_text()))
