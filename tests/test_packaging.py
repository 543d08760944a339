"""What ships is what is in the tree, and what is said is what is there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.apps.registry import crm_plugins, group_of, lookup_plugins
from ringfence.apps.setting_models import known_variables
from ringfence.core.model.values import Companion
from ringfence.core.model.verdicts import CALLABLE, Status
from ringfence.core.state import schema_version

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("apps", "connectors", "core", "mappings", "sandbox")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_folder_with_modules_is_a_listed_package() -> None:
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    folders = {path.parent for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    assert listed == {"ringfence." + ".".join(folder.relative_to(ROOT).parts) for folder in folders}


def test_rooms_are_linked_for_the_checkers() -> None:
    for room in ROOMS:
        link = ROOT / ".links" / "ringfence" / room
        assert link.is_symlink()
        assert link.resolve() == ROOT / room


def test_every_dependency_says_why() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    start, end = lines.index("dependencies = ["), lines.index("[project.optional-dependencies]")
    named = [line for line in lines[start + 1 : end] if line.strip().startswith('"')]
    assert len(named) == len(PROJECT["project"]["dependencies"])
    assert all("# " in line for line in named)


def test_requirement_files_carry_hashes_and_name_no_host() -> None:
    for name, fewest in {"run.txt": 30, "dev.txt": 30, "build.txt": 3, "deploy.txt": 10}.items():
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index-url" not in text
        pinned = re.findall(r"^[a-z0-9._-]+(?:\[[^\]]+\])?==", text, re.MULTILINE | re.IGNORECASE)
        assert len(pinned) > fewest
        assert text.count("--hash=sha256:") >= len(pinned)


def test_example_settings_are_complete() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^(RINGFENCE_\w+)=", text, re.MULTILINE)
    described = set(_described_by_plugins())

    assert len(named) == len(set(named))
    assert set(known_variables()) - described <= set(named) <= set(known_variables())

    blocks = text.splitlines()
    for index, line in enumerate(blocks):
        if line.startswith("RINGFENCE_"):
            assert blocks[index - 1].startswith(("#", "RINGFENCE_")), f"{line} has no word about it"


def _described_by_plugins() -> Iterator[str]:
    """Yield the variables that a provider or a CRM describes itself: it can then be added without touching the file."""
    for name, plugin in [*lookup_plugins().items(), *crm_plugins().items()]:
        for field, info in plugin.settings.model_fields.items():
            if info.description:
                yield f"RINGFENCE_{group_of(name).upper()}__{field.upper()}"


def test_readme_tables_tell_the_truth() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(\w+)` \| [^|]+ \| (yes|no) \|$", text, re.MULTILINE)
    assert told == [(status.value, "yes" if status in CALLABLE else "no") for status in Status]
    for companion in Companion:
        assert f"`rf_phone_{companion.value}`" in text


def test_newest_migration_is_the_one_the_code_expects() -> None:
    folder = ROOT / "core" / "state" / "migrations" / "versions"
    numbers = [path.name[1:5] for path in folder.glob("v*.py")]
    assert max(numbers) == schema_version.HEAD


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_are_typed(room: str) -> None:
    assert (ROOT / room / "py.typed").is_file()
