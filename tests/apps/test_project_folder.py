"""A project is written again and again, and never over what somebody else put into the folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringfence.apps.operations.project_folder import MARK, write_project
from ringfence.core.errors import FileError

FILES = {"README.md": "# Read\n", "fields/one.xml": "<one/>\n"}


def listing(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARK
    }


def test_a_project_is_repeatable_and_follows_what_changed(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "project"

    assert write_project(folder, "salesforce", FILES) == [folder / name for name in FILES]
    assert listing(folder) == FILES

    write_project(folder, "salesforce", FILES)
    (folder / ".git").mkdir()
    (folder / "notes.txt").write_text("mine")
    later = {"README.md": "# Read on\n", "fields/two.xml": "<two/>\n"}

    write_project(folder, "salesforce", later)

    assert listing(folder) == {**later, "notes.txt": "mine"}


@pytest.mark.parametrize("name", ["README.md", "other.txt", ".git/config"])
def test_a_folder_with_files_of_others_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")

    with pytest.raises(FileError, match="is not empty"):
        write_project(tmp_path, "salesforce", FILES)

    assert listing(tmp_path) == {name: "mine"}


@pytest.mark.parametrize("files", [FILES, {"README.md": FILES["README.md"]}])
def test_a_file_that_somebody_edited_is_neither_overwritten_nor_taken_away(
    tmp_path: Path, files: dict[str, str]
) -> None:
    write_project(tmp_path, "salesforce", FILES)
    edited = tmp_path / "fields" / "one.xml"
    edited.write_text("<mine/>")

    with pytest.raises(FileError, match=r"one\.xml is there already"):
        write_project(tmp_path, "salesforce", files)

    assert edited.read_text() == "<mine/>"


def test_the_project_of_another_crm_is_refused(tmp_path: Path) -> None:
    write_project(tmp_path, "salesforce", FILES)

    with pytest.raises(FileError, match="for salesforce, not for hubspot"):
        write_project(tmp_path, "hubspot", FILES)


def test_a_mark_that_points_elsewhere_deletes_nothing_there(tmp_path: Path) -> None:
    folder, outside = tmp_path / "project", tmp_path / "precious.txt"
    write_project(folder, "salesforce", {**FILES, "old.txt": "old"})
    outside.write_text("old")
    mark = folder / MARK
    mark.write_text(mark.read_text().replace('"old.txt"', '"../precious.txt"'))

    write_project(folder, "salesforce", FILES)

    assert outside.read_text() == "old"


def test_a_broken_mark_and_a_folder_that_is_a_file_are_named(tmp_path: Path) -> None:
    (tmp_path / MARK).write_text("[]")

    with pytest.raises(FileError, match="cannot be read"):
        write_project(tmp_path, "salesforce", FILES)

    (tmp_path / "taken").write_text("")

    with pytest.raises(FileError, match="taken"):
        write_project(tmp_path / "taken" / "deploy", "salesforce", FILES)
