"""Opening the state store for a question: a dry run makes none where none is."""

from __future__ import annotations

from ringfence.core.state.store import Store, open_store

from ..wiring import Wiring

_NOWHERE = "sqlite:///:memory:"


def open_for(wiring: Wiring, *, dry_run: bool) -> Store:
    """Return the state store; for a dry run where none is yet, an empty one that is gone when it is closed."""
    if dry_run and (there := wiring.open_state_if_there()) is not None:
        return there
    return open_store(_NOWHERE, None) if dry_run else wiring.open_state()
