"""Files that are asked for by name: what a killed command has left of one goes with the next."""

from __future__ import annotations

import os
from pathlib import Path

from ringfence.apps.pages.new_file import new_file


def test_what_a_killed_command_has_left_is_deleted_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    left, other = tmp_path / ".list.csv.1.part", tmp_path / ".other.csv.1.part"
    left.write_text("+14155550132")
    other.write_text("+14155550133")

    with new_file(tmp_path / "list.csv") as first:
        first.write(b"first")
        gone = not left.exists()
        beside = next(tmp_path.glob(".list.csv.*.part"))
        beside = beside.rename(tmp_path / ".list.csv.2.part")
        with new_file(tmp_path / "list.csv", force=True) as second:
            second.write(b"second")
        is_kept = beside.exists()
        beside.rename(tmp_path / f".list.csv.{os.getpid()}.part")
        (tmp_path / "list.csv").unlink()

    assert (gone, is_kept) == (True, True)
    assert other.exists()
    assert (tmp_path / "list.csv").read_bytes() == b"first"
