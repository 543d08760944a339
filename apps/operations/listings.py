"""Which lists of registers there are."""

from __future__ import annotations

from contextlib import closing

from ringfence.core.state.listings import ListInfo, Listings

from ..wiring import Wiring
from .suppression import ledger_of


def list_lists(wiring: Wiring) -> list[ListInfo]:
    """Return the lists of the ledger, by name; none where there is no state yet. Raises the errors of the wiring."""
    store = wiring.open_state_if_there()
    if store is None:
        return []
    with closing(store), store.transaction() as connection:
        return Listings(store.keyring, ledger_of(wiring)).current(connection)
