"""House rules that a machine can check, so that nobody has to remember them."""

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "coinone"
PURE = ("base", "rules", "protocols")
DOOR_TO_NUMBA = PACKAGE / "base/primitives/jit.py"  # names a cache folder; "/" joins paths there
LINES_MAX = 400  # a chapter is about 150 lines; beyond this it is two chapters
FUNCTION_LINES_MAX = 60  # 5 to 25 are usual
MODULES_MAX = 14  # of a folder: beyond this a reader meets a street, not a room


def sources(*floors: str) -> list[Path]:
    return [path for floor in floors for path in sorted((PACKAGE / floor).rglob("*.py"))]


def every_source() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree_of(path)))


def places(paths: list[Path], kind: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    for path in paths:
        for node in nodes_of(path):
            if isinstance(node, kind):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", node


def test_every_module_says_what_it_is() -> None:
    silent = [str(p.relative_to(ROOT)) for p in every_source() if not ast.get_docstring(tree_of(p))]
    assert silent == []


def test_no_function_grows_beyond_a_page() -> None:
    long = {
        f"{place} {node.name}": lines
        for kind in (ast.FunctionDef, ast.AsyncFunctionDef)
        for place, node in places(every_source(), kind)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}


def test_no_file_grows_beyond_two_chapters() -> None:
    long = {
        str(p.relative_to(ROOT)): n for p in every_source() if (n := p.read_text().count("\n")) > LINES_MAX
    }
    assert long == {}


def test_no_room_holds_more_modules_than_a_reader_overlooks() -> None:
    modules = Counter(
        str(path.parent.relative_to(ROOT)) for path in every_source() if path.name != "__init__.py"
    )
    assert {room: count for room, count in modules.items() if count > MODULES_MAX} == {}


def test_no_two_classes_that_others_use_have_one_name() -> None:
    """Whoever searches for a class finds it. Names with an underscore are their module's own affair."""
    homes: dict[str, list[str]] = {}
    for place, node in places(every_source(), ast.ClassDef):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            homes.setdefault(node.name, []).append(place)
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_the_lower_floors_hold_no_float() -> None:
    floats = [
        place
        for place, node in places(sources(*PURE), ast.Constant)
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]
    calls = [
        place
        for place, node in places(sources(*PURE), ast.Call)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("float", "round")
    ]
    assert floats + calls == []


def test_the_lower_floors_never_divide_into_a_float() -> None:
    division = [
        place
        for place, node in places([p for p in sources(*PURE) if p != DOOR_TO_NUMBA], ast.BinOp)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    ]
    assert division == []


def test_no_handler_swallows_everything() -> None:
    bare = [
        place
        for place, node in places(every_source(), ast.ExceptHandler)
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert bare == []


@pytest.mark.parametrize("word", ["TODO", "FIXME", "XXX", "HACK"])
def test_no_note_to_self_is_left(word: str) -> None:
    pattern = re.compile(rf"\b{word}\b")
    assert [str(p.relative_to(ROOT)) for p in every_source() if pattern.search(p.read_text())] == []


def test_nothing_large_and_no_download_address_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]
    assert [f.name for f in files if f.stat().st_size > 2_000_000] == []
    locks = [f for f in files if f.name == "package-lock.json" or f.parent.name == "requirements"]
    assert [f.name for f in locks if re.search(r'"resolved"|https?://', f.read_text())] == []


def test_every_test_that_a_document_names_exists() -> None:
    tests = sorted((ROOT / "tests").rglob("test_*.py"))
    there = {path.name for path in tests}
    for path in tests:
        there.update(re.findall(r"def (test_\w+)", path.read_text()))
    named = {
        f"{page.relative_to(ROOT)}: {name}"
        for page in sorted((ROOT / "docs").rglob("*.md"))
        for name in re.findall(r"(?:::|\b)(test_\w+(?:\.py)?)", page.read_text())
        if name not in there and not (ROOT / "tests" / name).exists()
    }
    assert named == set()


PARAMETERS = PACKAGE / "base/primitives/parameters.py"


def limit_files() -> list[Path]:
    return sorted(PACKAGE.rglob("limits.py"))


def constants(path: Path) -> dict[str, int]:
    """The names that a file gives values to, with the lines where they stand."""
    return {
        target.id: node.lineno
        for node in tree_of(path).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_what_forks_the_chain_and_what_tunes_a_node_never_stand_in_one_file() -> None:
    """A parameter is in one file, a limit in its floor's; no name is both, or in two of them."""
    homes: dict[str, list[str]] = {}
    for path in (PARAMETERS, *limit_files()):
        for name in constants(path):
            homes.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


def test_every_parameter_and_limit_says_its_unit_and_why() -> None:
    silent = []
    for path in (PARAMETERS, *limit_files()):
        lines = path.read_text().splitlines()
        ends = {n.lineno: n.end_lineno or n.lineno for n in ast.parse("\n".join(lines)).body}
        for name, line in constants(path).items():
            around = [
                *lines[line - 1 : ends[line]],
                lines[line - 2] if lines[line - 2].startswith("#") else "",
            ]
            if not any(re.search(r"# \S", text) for text in around):
                silent.append(f"{path.relative_to(ROOT)}: {name}")
    assert silent == []


def test_every_parameter_and_limit_is_used() -> None:
    used = set(
        re.findall(
            r"\b[A-Z][A-Z0-9_]{2,}\b",
            "\n".join(re.sub(r"(?m)^([A-Z][A-Z0-9_]+) =", "", path.read_text()) for path in every_source()),
        )
    )
    unused = {name for path in (PARAMETERS, *limit_files()) for name in constants(path)} - used
    assert unused == set()


def test_a_lower_floor_imports_no_limit_of_a_node() -> None:
    """The rules see parameters, and their own memory's limits; words see no limit at all; protocols see their own."""
    allowed = {"base": (), "rules": ("coinone.rules.limits",), "protocols": ("coinone.protocols.",)}
    foreign = [
        f"{place}: {node.module}"
        for floor, own in allowed.items()
        for place, node in places(sources(floor), ast.ImportFrom)
        if isinstance(node, ast.ImportFrom)
        and any(name.endswith(".limits") for name in imported(node))
        and not any(name.startswith(own) for name in imported(node) if name.endswith(".limits"))
    ]
    assert foreign == []


def imported(node: ast.ImportFrom) -> list[str]:
    """The modules that an import may mean: `from a.b import c` is a.b or a.b.c."""
    return [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
