"""The page that shows the virtual machine as a library: its examples are run as they stand there."""

import doctest
from pathlib import Path

from coinone.rules.vm import Engine, chosen_engine

PAGE = Path(__file__).resolve().parents[3] / "docs" / "vm-library.md"


def test_every_example_of_the_page_comes_out_as_printed() -> None:
    before = chosen_engine()
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert failed == 0
    assert tried == 37
    assert chosen_engine() is before is Engine.REFERENCE
