"""The limits of the house: small folders and classes, one class for a name, a docstring for everything public."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.machine_words import ROOMS, ROOT

MOST_MODULES = 20
MOST_LINES = 200
MOST_SHARED_NAMES = 5

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(*folders: str) -> Iterator[Path]:
    """The modules below these folders, without the packages' own `__init__`."""
    for folder in folders:
        yield from (path for path in sorted((ROOT / folder).rglob("*.py")) if path.name != "__init__.py")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def classes() -> Iterator[tuple[Path, ast.ClassDef]]:
    """Every class of the code, nested ones too."""
    for path in modules(*ROOMS):
        yield from ((path, node) for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef))


def public(path: Path) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """The public functions and classes of a module and the public methods of its public classes."""
    for node in tree(path).body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        yield node.name, node
        if isinstance(node, ast.ClassDef):
            methods = (part for part in node.body if isinstance(part, Function) and not part.name.startswith("_"))
            yield from ((f"{node.name}.{method.name}", method) for method in methods)


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_folder_has_too_many_modules() -> None:
    counts = Counter(where(path.parent) for path in modules(*ROOMS, "tests", "bench"))
    assert {folder: number for folder, number in counts.items() if number > MOST_MODULES} == {}


def test_no_class_is_too_long() -> None:
    lengths = {f"{where(path)} {node.name}": (node.end_lineno or 0) - node.lineno + 1 for path, node in classes()}
    assert len(lengths) > 100
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_a_class_name_stands_for_one_class() -> None:
    """Leading underscores do not make another name."""
    named = defaultdict(list)
    for path, node in classes():
        named[node.name.lstrip("_")].append(where(path))
    shared = {name: paths for name, paths in named.items() if len(paths) > 1}
    assert len(shared) <= MOST_SHARED_NAMES, shared


def test_what_is_public_has_a_docstring() -> None:
    silent = [
        f"{where(path)} {name}"
        for path in modules(*ROOMS)
        for name, node in public(path)
        if not ast.get_docstring(node)
    ]
    assert silent == []
