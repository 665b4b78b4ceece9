"""The tables of the documents say what the interface serves."""

from pathlib import Path

import pytest

from coinone.base.primitives.errors import InvalidInput
from coinone.interfaces.api import reference
from coinone.interfaces.api.reference import TABLES, table_names, with_tables

PROTOCOL = Path(__file__).parents[4] / "docs" / "protocol"
DOCUMENTS = sorted(path for path in PROTOCOL.glob("*.md") if table_names(path.read_text()))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_tables_of_a_document_are_fresh(document: Path) -> None:
    written = document.read_text()
    assert written == with_tables(written), (
        f"run: python -m {reference.__name__} docs/protocol/{document.name}"
    )


def test_every_table_is_in_one_document() -> None:
    assert sorted(name for path in DOCUMENTS for name in table_names(path.read_text())) == sorted(TABLES)


def test_what_stands_in_a_table_is_replaced_and_the_rest_is_kept() -> None:
    stale = "before\n<!-- table: info types from the view -->\n| old |\n<!-- end of table -->\nafter\n"
    fresh = with_tables(stale)
    assert "| old |" not in fresh and "| `l2Book` | `coin`, [`nSigFigs`], [`mantissa`] | 2 |" in fresh
    assert fresh.startswith("before\n") and fresh.endswith("after\n") and with_tables(fresh) == fresh


def test_a_table_of_an_unknown_name_is_refused() -> None:
    with pytest.raises(InvalidInput):
        with_tables("<!-- table: nothing -->\n<!-- end of table -->\n")
