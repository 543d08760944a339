"""The key file beside an SQLite store: made with the store, and never again."""

from __future__ import annotations

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
