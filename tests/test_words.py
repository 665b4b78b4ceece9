"""House rules about words: what a docstring or a document names can be found."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

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
    "base",
    "rules/bitcoin",
    "rules/state",
    "rules/vm",
    "rules/consensus",
    "rules/exchange",
    "rules/ledger",
    "rules/chain",
    "protocols",
    "node",
    "interfaces/api",
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


def test_first_docstrings_of_tests_and_programs_speak_plainly() -> None:
    """Bodies of tests are not held to it: their comments often quote what is tested."""
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for folder in ("tests", "bench", "sim", "contracts")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for match in FIGURES_OF_SPEECH.finditer(ast.get_docstring(ast.parse(path.read_text())) or "")
    ]
    assert found == []


DOCUMENTS_EDITED = (
    "CHANGELOG.md",
    "README.md",
    "SECURITY.md",
    "docs/ARCHITECTURE.md",
    "docs/benchmarks.md",
    "docs/clients.md",
    "docs/decisions",
    "docs/dependencies.md",
    "docs/design.md",
    "docs/glossary.md",
    "docs/operating",
    "docs/pages.md",
    "docs/protocol",
    "docs/reliability.md",
    "docs/vm-library.md",
    "docs/whitepaper-map.md",
)
"""Pages that have had an editor's pass; a page, or a folder of them, joins when it has had one."""


def edited_pages() -> Iterator[Path]:
    for name in DOCUMENTS_EDITED:
        yield from sorted((ROOT / name).glob("*.md")) if (ROOT / name).is_dir() else [ROOT / name]


def prose_of(page: Path) -> str:
    """A page without its code, the addresses of its links, and quoted words: those are others' or were chosen."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    return re.sub(r"\]\([^()\s]*\)", "]", text)


def test_edited_pages_speak_plainly() -> None:
    found = [
        f"{page.relative_to(ROOT)}: ...{prose[max(0, match.start() - 30) : match.end()]}"
        for page in edited_pages()
        for prose in [prose_of(page)]
        for match in FIGURES_OF_SPEECH.finditer(prose)
    ]
    assert found == []


CITED = re.compile(r"([\w/-]*\w(?:\.test\.ts|\.py))?((?:::[a-zA-Z]\w*)*)$")
CITED_FROM = ("coinone", "tests", "sim", "bench", "contracts", "web/tests")


def cited(page: Path) -> Iterator[tuple[str, str]]:
    """Files and tests in a page's code spans. `::name` belongs to the file before it, and so does `test_name`."""
    file = ""
    for span in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)):
        word = f"::{span}" if re.fullmatch(r"test_\w+", span) else span.split(" ")[0]
        match = CITED.match(word)
        if match and match[0]:
            file = match[1] or file
            yield file, match[2].rpartition("::")[2]


def test_every_test_and_file_that_a_document_cites_exists() -> None:
    there: dict[str, list[Path]] = {}
    for path in (each for folder in CITED_FROM for each in (ROOT / folder).rglob("*.*")):
        there.setdefault(path.name, []).append(path)
    missing = set()
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for file, name in cited(page):
            named = [
                each for each in there.get(file.rpartition("/")[2], ()) if f"/{each}".endswith(f"/{file}")
            ]
            if not any(not name or re.search(rf"\b(def|class) {name}\b", each.read_text()) for each in named):
                missing.add(f"{page.relative_to(ROOT)}: {file}::{name}")
    assert missing == set()


def test_edited_pages_name_rooms_rather_than_their_files() -> None:
    """A file of the package or of the benchmarks has its folder's or its command's name; a test has its own."""
    files = [
        f"{page.relative_to(ROOT)}: {file}"
        for page in edited_pages()
        if page.name != "ARCHITECTURE.md"  # which says where to add what
        for file, _ in cited(page)
        if file and not list((ROOT / "tests").rglob(file.rpartition("/")[2])) and not file.endswith(".ts")
    ]
    assert files == []


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
