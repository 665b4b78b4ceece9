"""House rules about words: what a docstring or a document names can be found."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from tests.test_tidy import PACKAGE, ROOT, every_source


def test_every_decision_that_code_cites_has_its_heading() -> None:
    headings = set(re.findall(r"^## (D\d+) ", (ROOT / "docs/design.md").read_text(), re.MULTILINE))
    homeless = {
        f"{path.relative_to(ROOT)}: {decision}"
        for path in [*every_source(), *sorted((ROOT / "sim").rglob("*.py"))]
        for decision in re.findall(r"\bD\d+\b", path.read_text())
        if decision not in headings
    }
    assert homeless == set()


def test_every_decision_has_a_number_of_its_own() -> None:
    """The file's is the heading's, and what code calls decision 8 can be only one."""
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    headings = [page.read_text().partition(" ")[2].partition(".")[0] for page in pages]
    assert [f"{int(number):03}" for number in headings] == [page.name[:3] for page in pages]
    assert len(set(headings)) == len(pages)


def test_every_document_that_code_names_exists() -> None:
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in every_source()
        for name in re.findall(r"(?<![\w/.:-])[\w/-]+\.md\b", path.read_text())
        if not any((folder / name).exists() for folder in (ROOT, ROOT / "docs/protocol"))
    }
    assert missing == set()


def test_documents_name_rooms_and_those_exist() -> None:
    """A page of rules begins with its rooms; a file's name would break with every move."""
    pages = sorted((ROOT / "docs/protocol").glob("*.md"))
    first = {page.name: page.read_text().splitlines()[2] for page in pages}
    assert [name for name, line in first.items() if not line.startswith("*Code: ") or ".py" in line] == []
    rooms = re.compile(r"`((?:base|rules|protocols|node|interfaces)(?:/[a-z_]+)+)`")
    named = {
        (str(page.relative_to(ROOT)), room)
        for page in [
            *pages,
            ROOT / "docs/design.md",
            ROOT / "docs/glossary.md",
            ROOT / "docs/ARCHITECTURE.md",
        ]
        for room in rooms.findall(page.read_text())
    }
    assert [(page, room) for page, room in named if not (PACKAGE / room).is_dir()] == []


ROOMS_EDITED = (
    "base/crypto",
    "rules/state",
    "rules/vm",
    "rules/consensus",
    "rules/exchange",
    "rules/ledger",
    "rules/chain",
    "protocols",
    "node",
    "interfaces/api/admission",
    "interfaces/api/ethereum",
    "interfaces/api/exchange",
    "interfaces/api/explorer",
    "interfaces/api/http",
    "interfaces/api/sockets",
    "interfaces/cli",
    "interfaces/client",
    "interfaces/demo",
)
"""Rooms whose texts have had an editor's pass; a room joins when it has had one."""

FIGURES_OF_SPEECH = re.compile(
    r"\b(go(es|ing)? on|for ever|whoever|of ours|dear|in the stead|anew|tells?|told|besides|melts?"
    r"|(?<!too many calls )(?<!too many reads )at once)\b",
    re.I,
)

SAID_TO_CLIENTS = ("Too many orders are cancelled at once, try again.", "too many tracers at once")
"""Refusals, which clients may compare, stay as they are."""


def texts_of(source: str) -> Iterator[tuple[int, str]]:
    """Docstrings, comments, and the strings that a reader sees: help texts and messages are sentences in code."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_edited_rooms_speak_plainly() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {match[0]}"
        for room in ROOMS_EDITED
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for line, text in texts_of(path.read_text())
        if text not in SAID_TO_CLIENTS
        for match in FIGURES_OF_SPEECH.finditer(text)
    ]
    assert found == []


def slug(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


def test_every_link_of_a_document_leads_somewhere() -> None:
    broken = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^()\s]+)\)", page.read_text()):
            name, _, anchor = target.partition("#")
            there = page if not name else (page.parent / name).resolve()
            if target.startswith(("http://", "https://")):
                continue
            text = there.read_text() if there.suffix == ".md" and there.exists() else ""
            anchors = map(slug, re.findall(r"^#+ (.+)$", text, re.MULTILINE))
            if not there.exists() or (anchor and anchor not in anchors):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []
