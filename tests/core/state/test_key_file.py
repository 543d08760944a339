"""The key file beside an SQLite store: made with the store, and never again."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.core.errors import StateError
from ringfence.core.state.store import open_store


def test_a_new_store_gets_a_key_for_its_owner_alone(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/state.db").close()
    assert (tmp_path / "state.key").stat().st_mode & 0o777 == 0o600


def test_a_lost_key_is_named_and_not_replaced(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/state.db").close()
    key = tmp_path / "state.key"
    kept = key.read_bytes()

    key.unlink()

    with pytest.raises(StateError, match=r"state\.key of the state store is missing"):
        open_store(f"sqlite:///{tmp_path}/state.db")
    assert not key.exists()

    key.write_bytes(kept)
    open_store(f"sqlite:///{tmp_path}/state.db").close()


@pytest.fixture
def _no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_no_umask")
def test_every_file_of_a_store_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/state.db")

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    store.close()

    assert modes == dict.fromkeys(["state.db", "state.db-wal", "state.db-shm", "state.key"], 0o600)


def test_a_key_file_that_a_crash_left_empty_is_told_as_such(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/state.db").close()
    (tmp_path / "state.key").write_bytes(b"")

    with pytest.raises(StateError, match=r"state\.key of the state store is empty, as a crash"):
        open_store(f"sqlite:///{tmp_path}/state.db")

    assert (tmp_path / "state.key").read_bytes() == b""


def test_a_key_that_nothing_was_sealed_with_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "state.key").touch()

    open_store(f"sqlite:///{tmp_path}/state.db").close()
    open_store(f"sqlite:///{tmp_path}/state.db").close()

    assert [path.name for path in sorted(tmp_path.iterdir())] == ["state.db", "state.key"]


def test_a_key_file_that_others_may_read_is_warned_about_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_store(f"sqlite:///{tmp_path}/state.db").close()
    assert caplog.records == []
    (tmp_path / "state.key").chmod(0o640)

    for _ in range(2):
        open_store(f"sqlite:///{tmp_path}/state.db").close()

    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert "key file of the state store is open to other users" in warning.getMessage()
