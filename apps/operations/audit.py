"""The audit log for a person: what is in it, and whether it is as it was written."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime

from ringfence.core.state.audit import BEGINNING, Act, AuditAction, AuditEntry, AuditLog, Verified
from ringfence.core.state.store import Store

from ..wiring import Wiring
from .door import Door


def enter_act(store: Store, wiring: Wiring, door: Door, action: AuditAction, subject: str, reason: str = "") -> None:
    """Enter what whoever is at the door does into the audit log, in a transaction of its own: before it is done."""
    with store.transaction() as connection:
        act = Act(wiring.clock.now(), door.author, action, subject, reason)
        AuditLog(store.keyring).append(connection, act)


def enter_reveal(wiring: Wiring, door: Door, subject: str) -> None:
    """Enter into the audit log that full numbers of the subject are shown. Raises the state's errors."""
    with closing(wiring.open_state()) as store:
        enter_act(store, wiring, door, AuditAction.REVEAL, subject)


def list_audit(wiring: Wiring, since: datetime | None, limit: int) -> list[AuditEntry]:
    """Return the latest entries from the moment ``since`` (aware) on, the newest first. Raises the state's errors."""
    store = wiring.open_state_if_there()
    if store is None:
        return []
    with closing(store), store.transaction() as connection:
        return AuditLog(store.keyring).latest(connection, since, limit)


def verify_audit(wiring: Wiring, kept: str = "") -> Verified:
    """Go through the whole audit log, also for a head of it that was ``kept`` elsewhere. Raises the state's errors."""
    store = wiring.open_state_if_there()
    if store is None:
        return Verified(0, BEGINNING.hex(), None, not kept)
    with closing(store), store.transaction() as connection:
        return AuditLog(store.keyring).verify(connection, kept)
