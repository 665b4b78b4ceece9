"""The page that shows the virtual machine as a library: its examples are run as they stand there."""

import doctest
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "vm-library.md"


def test_every_example_of_the_page_comes_out_as_printed() -> None:
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert failed == 0
    assert tried == 34
