"""The documents name files, folders and make targets that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ringfence.core.state import schema

ROOT = Path(__file__).resolve().parents[1]
ROOMS = "apps|benchmarks|connectors|core|deploy|docs|mappings|requirements|sandbox|tests"
PATH = re.compile(rf"(?<![\w/.])(?:{ROOMS})/[\w./*-]*(?<![.])|(?<![\w/.])\.(?:ci|links)/[\w./-]*\w")
DOCUMENTS = [
    "CONTRIBUTING.md",
    *(
        f"docs/{name}.md"
        for name in ("architecture", "compliance", "contract", "decisions", "glossary", "operations", "security")
    ),
]


def paths_of(text: str) -> set[str]:
    """Return the paths that a text names; one with a placeholder in capitals, as in `connectors/NAME/`, is none."""
    return {name for name in PATH.findall(text) if not re.search(r"/[A-Z]+\b(?!\.md)", name)}


def there(name: str) -> bool:
    """Return whether a path, or a pattern with stars, leads to something."""
    return any(True for _ in ROOT.glob(name.rstrip("/"))) if "*" in name else (ROOT / name).exists()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_leads_somewhere(document: str) -> None:
    named = paths_of((ROOT / document).read_text(encoding="utf-8"))

    assert named
    assert [name for name in sorted(named) if not there(name)] == []


def test_paths_are_found_in_a_text() -> None:
    text = "`core/model/` and (tests/cases/*.yaml). See connectors/NAME/README.md, `ringfence.core/x`, .ci/run."

    assert paths_of(text) == {"core/model/", "tests/cases/*.yaml", ".ci/run"}
    assert there("tests/test_docs_*.py")
    assert not there("core/nothing.py")


def test_the_glossary_is_sorted_into_rooms_and_says_each_term_once() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\| ([\w. -]+) \|.*\| `([\w./]+)` \|$", text, re.MULTILINE)
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| term")]

    assert len(terms) == len(lines), "a row of the glossary has no file"
    assert len({term for term, _ in terms}) == len(terms) >= 30


def test_tables_of_the_state_are_told() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.partition("## The state")[2].partition("##")[0]

    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(schema.metadata.tables)


def test_make_targets_of_the_guide_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")

    named = set(re.findall(r"`make (\w+)", guide))

    assert {"setup", "test", "lint", "types"} <= named
    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
