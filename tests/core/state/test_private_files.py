"""Files for their owner alone: whole or not there at all, and never by way of a planted link."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ringfence.core.state.private_files import create_empty, create_whole, warn_if_open_to_others


def test_a_file_is_there_as_a_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", die)

    with pytest.raises(KeyboardInterrupt):
        create_whole(tmp_path / "key", b"content")

    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError

    create_whole(tmp_path / "key", b"first")
    with pytest.raises(FileExistsError):
        create_whole(tmp_path / "key", b"second")
    monkeypatch.setattr(os, "link", refuse)  # as a file system without links
    with pytest.raises(FileExistsError):
        create_whole(tmp_path / "key", b"third")
    create_whole(tmp_path / "other", b"fourth")

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"key": b"first", "other": b"fourth"}


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "state.db").symlink_to(tmp_path / "elsewhere")

    create_empty(tmp_path / "state.db")

    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("mode", "owner", "warns"),
    [(0o440, 0, False), (0o444, 0, True), (0o460, 0, True), (0o440, 10001, True)],
    ids=["handed to our group", "open to all", "our group may change it", "of a person"],
)
def test_a_secret_that_root_hands_to_our_group_is_meant_so(
    mode: int,
    owner: int,
    warns: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "acme.env"
    path.touch()
    path.chmod(mode)
    status = list(path.stat())
    status[4] = owner
    monkeypatch.setattr(Path, "stat", lambda _path: os.stat_result(status))
    monkeypatch.setattr(os, "geteuid", lambda: 10001)

    warn_if_open_to_others(path, "the settings file acme.env")

    assert bool(caplog.records) is warns
