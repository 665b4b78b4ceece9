"""House rules about words: what a docstring or a document names can be found."""

import re

from tests.test_tidy import ROOT, every_source


def test_every_decision_that_code_cites_has_its_heading() -> None:
    headings = set(re.findall(r"^## (D\d+) ", (ROOT / "docs/design.md").read_text(), re.MULTILINE))
    homeless = {
        f"{path.relative_to(ROOT)}: {decision}"
        for path in [*every_source(), *sorted((ROOT / "sim").rglob("*.py"))]
        for decision in re.findall(r"\bD\d+\b", path.read_text())
        if decision not in headings
    }
    assert homeless == set()


def test_every_document_that_code_names_exists() -> None:
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in every_source()
        for name in re.findall(r"(?<![\w/.:-])[\w/-]+\.md\b", path.read_text())
        if not (ROOT / name).exists()
    }
    assert missing == set()
