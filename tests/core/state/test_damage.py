"""A damaged file is refused before it is used; a locked one passes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import cycle
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from ringfence.core.errors import StateError, StoppedError
from ringfence.core.state import damage, engine
from ringfence.core.state.store import open_store

PAGE = 4096


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A store of a few dozen pages."""
    path = tmp_path / "state.db"
    open_store(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = [(1, "Contact", f"003{i:015}", "deferred", "code", "words", "run", "2026-11-02") for i in range(2000)]
        connection.execute("INSERT INTO orgs VALUES (1, 'memory:1', 'One', 0, NULL, '', '')")
        connection.executemany("INSERT INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return path


def _zeros(page: bytes) -> bytes:
    return bytes(len(page))


def _noise(page: bytes) -> bytes:
    return b"\xa5\x5a" * (len(page) // 2)


def _shift(page: bytes) -> bytes:
    return page[100:] + page[:100]


def test_no_damaged_page_is_used_silently(filled: Path) -> None:
    ways = cycle([_zeros, _noise, _shift])
    whole = filled.read_bytes()
    pages = len(whole) // PAGE
    silent = []

    for page in range(1, pages):
        start = page * PAGE
        old = whole[start : start + PAGE]
        filled.write_bytes(whole[:start] + next(ways)(old) + whole[start + PAGE :])
        try:
            open_store(f"sqlite:///{filled}").close()
        except StateError as error:
            assert error.remedy  # noqa: PT017 - what is raised, and whether, is what is counted
        else:
            silent.append(page)

    assert pages > 30
    assert silent == []


def test_a_changed_number_of_a_holder_is_found(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection, connection:
        key = bytes(range(100, 116))
        connection.execute("INSERT INTO holdings VALUES (1, ?, 'Contact', '003x')", (key,))
    content = bytearray(filled.read_bytes())
    content[content.index(key)] ^= 0x55
    filled.write_bytes(bytes(content))

    with pytest.raises(StateError, match="is damaged: "):
        open_store(f"sqlite:///{filled}")


@pytest.mark.parametrize(
    ("thorough", "quick", "unclean", "check"),
    [
        (True, True, False, "integrity_check"),
        (False, True, False, "quick_check"),
        (False, True, True, "integrity_check"),
        (False, False, True, "quick_check"),
        (False, False, False, None),
    ],
)
def test_how_closely_a_file_is_looked_at_depends_on_its_size_and_its_end(
    filled: Path, monkeypatch: pytest.MonkeyPatch, thorough: bool, quick: bool, unclean: bool, check: str | None
) -> None:
    size = filled.stat().st_size
    monkeypatch.setattr(damage, "THOROUGH_BYTES", size if thorough else size - 1)
    monkeypatch.setattr(damage, "QUICK_BYTES", size if quick else size - 1)
    if unclean:
        filled.with_name("state.db-wal").write_bytes(b"what a killed process leaves")

    assert damage.find_check(make_url(f"sqlite:///{filled}")) == check
    assert damage.find_check(make_url("sqlite://")) is None
    assert damage.find_check(make_url(f"sqlite:///{filled}.absent")) is None


def test_a_locked_store_is_told_as_something_that_passes(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "WAIT_S", 0)

    with closing(sqlite3.connect(filled, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoppedError, match=r"keeps the state store .* locked") as caught:
            open_store(f"sqlite:///{filled}")

    assert caught.value.exit_code == 4
    open_store(f"sqlite:///{filled}").close()
