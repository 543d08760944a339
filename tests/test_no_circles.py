"""No file of a room is part of an import circle: whoever reads a file can read what it imports first."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("apps", "connectors", "core", "mappings", "sandbox")

Graph = Mapping[str, frozenset[str]]
"""Module -> the modules that its file names in an import; a package stands for its ``__init__``."""


@pytest.mark.parametrize("room", ROOMS)
def test_no_file_of_a_room_is_in_an_import_circle(room: str) -> None:
    graph = import_graph(ROOT, ROOMS)

    circles = [circle for circle in find_circles(graph) if any(name.split(".")[1] == room for name in circle)]

    assert [" -> ".join(circle) for circle in circles] == []


def test_the_graph_sees_every_file_and_the_imports_between_rooms() -> None:
    graph = import_graph(ROOT, ROOMS)

    assert len(graph) == sum(1 for room in ROOMS for _ in (ROOT / room).rglob("*.py"))
    assert "ringfence.core.errors" in graph["ringfence.apps.registry"]
    assert "ringfence.core.ports.crm" in graph["ringfence.connectors.hubspot"]


@pytest.mark.parametrize(
    ("files", "circle"),
    [
        pytest.param(
            {"one.py": "from .two import x", "two.py": "from .one import y"},
            ["ringfence.room.one", "ringfence.room.two", "ringfence.room.one"],
            id="two files",
        ),
        pytest.param(
            {
                "one.py": "import typing\nif typing.TYPE_CHECKING:\n    from .two import X",
                "two.py": "def f():\n    from . import three",
                "three.py": "import ringfence.room.one",
            },
            ["ringfence.room.one", "ringfence.room.two", "ringfence.room.three", "ringfence.room.one"],
            id="for the type checker only, inside a function, by its full name",
        ),
        pytest.param(
            {"pack/__init__.py": "from .inner import X", "pack/inner.py": "from ..pack import Y"},
            ["ringfence.room.pack", "ringfence.room.pack.inner", "ringfence.room.pack"],
            id="through the names that a package re-exports",
        ),
        pytest.param(
            {"pack/__init__.py": "from . import inner", "pack/inner.py": "from ringfence.room.pack import *"},
            ["ringfence.room.pack", "ringfence.room.pack.inner", "ringfence.room.pack"],
            id="all names of a package",
        ),
        pytest.param({"one.py": "from .one import x"}, ["ringfence.room.one", "ringfence.room.one"], id="itself"),
    ],
)
def test_a_circle_is_found_and_named(tmp_path: Path, files: dict[str, str], circle: list[str]) -> None:
    write_room(tmp_path, files)

    found = find_circles(import_graph(tmp_path, ["room"]))

    assert found == [circle]


def test_what_is_no_circle_is_not_called_one(tmp_path: Path) -> None:
    # A package may re-export its files, and they may import each other as submodules, as long as none asks back.
    files = {
        "pack/__init__.py": "from .inner import X",
        "pack/inner.py": "from . import other\nfrom .other import Y",
        "pack/other.py": "import json",
        "user.py": "from .pack import X, inner\nfrom elsewhere import user",
    }
    write_room(tmp_path, files)

    graph = import_graph(tmp_path, ["room"])

    assert find_circles(graph) == []
    assert graph["ringfence.room.user"] == {"ringfence.room.pack", "ringfence.room.pack.inner"}


def write_room(root: Path, files: Mapping[str, str]) -> None:
    """Lay a made-up room out under a folder."""
    for name, text in {"__init__.py": "", **files}.items():
        path = root / "room" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def import_graph(root: Path, rooms: Sequence[str]) -> Graph:
    """Return the imports between the files of the rooms, those for the type checker and inside functions included."""
    files = {
        module_name(path.relative_to(root)): path for room in rooms for path in sorted((root / room).rglob("*.py"))
    }

    return {name: frozenset(imported_modules(name, path, files)) for name, path in files.items()}


def module_name(path: Path) -> str:
    """Return the module of a file, given by its path below the root: a package's own for ``__init__.py``."""
    parts = path.with_suffix("").parts

    return ".".join(("ringfence", *(parts[:-1] if parts[-1] == "__init__" else parts)))


def imported_modules(name: str, path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """Yield the known modules that a file imports.

    ``from package import word`` means the submodule where there is one of that name, and otherwise the package's own
    ``__init__``, which then has the word.
    """
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]

    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            source = absolute_name(node, package)
            words = [f"{source}.{alias.name}" for alias in node.names]
            targets = [word if word in known else source for word in words]
            yield from (target for target in targets if target in known)


def absolute_name(node: ast.ImportFrom, package: str) -> str:
    """Return the module behind ``from``: one dot is the package of the file, each further dot one level up."""
    if not node.level:
        return node.module or ""

    above = package.split(".")
    base = above[: len(above) - node.level + 1]

    return ".".join([*base, node.module] if node.module else base)


def find_circles(graph: Graph) -> list[list[str]]:
    """Return one circle for each knot of files that import each other, from a file back to itself."""
    circles = []
    knotted: set[str] = set()

    for start in graph:
        circle = None if start in knotted else shortest_way_back(graph, start)
        if circle is not None:
            knotted.update(circle)
            circles.append(circle)

    return circles


def shortest_way_back(graph: Graph, start: str) -> list[str] | None:
    """Return the shortest circle through a module, or None; searched in breadth, so that its length is least."""
    ways = [[start]]
    seen: set[str] = set()

    for way in ways:
        for target in sorted(graph[way[-1]]):
            if target == start:
                return [*way, start]
            if target not in seen:
                seen.add(target)
                ways.append([*way, target])

    return None
