"""Every reference resolves: a document with its section, a name in a docstring, and nothing outside the repository."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLACES = ("apps", "benchmarks", "connectors", "core", "deploy", "docs", "mappings", "sandbox", "tests")
KINDS = {".py", ".md", ".yaml", ".json", ".toml"}
FILES = sorted(
    path
    for place in PLACES
    for path in (ROOT / place).rglob("*")
    if path.suffix in KINDS and path != Path(__file__).resolve()
) + sorted(ROOT.glob("*.md"))

NUMBER = r"\d+(?:\.\d+)*"
REFERENCE = re.compile(
    rf"(?P<file>[\w./-]+\.md)`?, sections? (?P<numbers>{NUMBER}(?:(?:,| and|, and| to) {NUMBER})*)", re.IGNORECASE
)
DOCUMENT = re.compile(r"\bdocs/[\w/.-]*\w\.\w+")
SECTION = re.compile(rf"\bsections? (?P<numbers>{NUMBER})", re.IGNORECASE)
NAMED_FACTS = re.compile(r"\b(?:salesforce|hubspot|lookups?) facts\b|\bfacts of the (?:library|\w+ API)", re.IGNORECASE)
ROLE = re.compile(r":(?:class|func|mod|meth|attr|data):`~?(ringfence[\w.]+)`")
MACHINE_PATH = re.compile(r"(?<![\w./])/(?:work|root|home|Users)/\w+")
OUTWARDS = re.compile(r"\"\.\.\" / \"(\w+)\" / \"(\w+)\"")

SAMPLES = {("shared", "traffic"), ("shared", "phones"), ("shared", "specs")}
"""Folders of recordings, numbers, API descriptions that may lie beside a checkout, for tests skipped without them."""


def text_of(path: Path) -> str:
    """Return a file's text in one line, so that a reference may run over the end of a line or of a comment."""
    return re.sub(r"\s*\n\s*(?:# ?)?", " ", path.read_text(encoding="utf-8"))


def resolve(name: str, beside: Path) -> Path | None:
    """Return the document that a reference names: by its path, or by its bare name where it lies in docs."""
    for folder in (ROOT, beside.parent, ROOT / "docs", ROOT / "docs" / "vendors"):
        if (folder / name).is_file():
            return (folder / name).resolve()
    return None


def sections(document: Path) -> set[str]:
    """Return the numbers of a document's headings."""
    return set(re.findall(rf"^#+ ({NUMBER})\.? ", document.read_text(encoding="utf-8"), re.MULTILINE))


def broken(path: Path, text: str) -> Iterator[str]:
    """Yield what is wrong with the references of one file."""
    spans = []
    for match in REFERENCE.finditer(text):
        spans.append(match.span())
        document = resolve(match["file"], path)
        if document is None:
            yield f"there is no document {match['file']}"
            continue
        for number in re.findall(NUMBER, match["numbers"]):
            if number not in sections(document):
                yield f"{match['file']} has no section {number}"

    own = sections(path) if path.suffix == ".md" else set()
    for match in SECTION.finditer(text):
        inside = any(start <= match.start() < end for start, end in spans)
        if not inside and match["numbers"] not in own:
            yield f"'{match[0]}' does not say of which document"

    for name in DOCUMENT.findall(text):
        if not (ROOT / name).is_file():
            yield f"there is no document {name}"

    for match in NAMED_FACTS.finditer(text):
        yield f"'{match[0]}' names no document"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_section_that_is_referred_to_exists(path: Path) -> None:
    assert list(broken(path, text_of(path))) == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("see docs/contract.md, section 1", []),
        ("see docs/vendors/salesforce.md, sections 2.1, 2.7 and 3", []),
        ("see salesforce.md, sections 2.1 to 2.4, and `docs/contract.md`, section 2", []),
        ("see docs/contract.md, section 99", ["docs/contract.md has no section 99"]),
        ("see docs/vendors/salesforce.md, sections 2.1 and 2.99", ["docs/vendors/salesforce.md has no section 2.99"]),
        ("see nobody.md, section 1", ["there is no document nobody.md"]),
        ("see docs/vendors/nobody.md", ["there is no document docs/vendors/nobody.md"]),
        ("contract, section 1", ["'section 1' does not say of which document"]),
        ("(salesforce facts)", ["'salesforce facts' names no document"]),
    ],
)
def test_the_finder_sees_what_does_not_resolve(text: str, wrong: list[str]) -> None:
    assert list(broken(ROOT / "core" / "clock.py", text)) == wrong


def test_names_in_docstrings_exist() -> None:
    named = {(name, path) for path in FILES if path.suffix == ".py" for name in ROLE.findall(text_of(path))}

    missing = [f"{path.relative_to(ROOT)}: {name}" for name, path in sorted(named) if not exists(name)]

    assert named
    assert missing == []


def exists(dotted: str) -> bool:
    """Return whether a dotted name is a module, or something that a module holds."""
    module, _, attribute = dotted.rpartition(".")
    try:
        importlib.import_module(dotted)
    except ImportError:
        return bool(module) and hasattr_of(module, attribute)
    return True


def hasattr_of(owner: str, attribute: str) -> bool:
    """Return whether a module, or a class in a module, has the attribute."""
    try:
        return hasattr(importlib.import_module(owner), attribute)
    except ImportError:
        module, _, name = owner.rpartition(".")
        return hasattr(getattr(importlib.import_module(module), name, None), attribute)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_leads_out_of_the_repository(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!\w+:)([^)#\s]+)", text) if path.suffix == ".md" else []

    assert MACHINE_PATH.findall(text) == []
    assert set(OUTWARDS.findall(text)) <= SAMPLES
    for link in links:
        target = (path.parent / link).resolve()
        assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
        assert target.exists(), f"{link} leads nowhere"
