"""Accounts of several CRMs in memory over one state, each synced when a test says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ringfence.connectors.memory import MemoryCrm
from ringfence.core.model.blocks import BlockKind, BlockSource, Channel, Entry, NewEntry
from ringfence.core.model.policy import Policy
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.blocks import Blocks
from ringfence.core.state.key_spool import KeySpool
from ringfence.core.state.list_changes import Incoming
from ringfence.core.state.list_imports import NewVersion, begin_import, find_current
from ringfence.core.state.listing_pages import KEY_BYTES
from ringfence.core.state.store import Store

from .clock import SetClock
from .memory_runs import make_crm


@dataclass
class Accounts:
    """CRMs in memory by their names, and the suppression ledger that each is on."""

    store: Store
    clock: SetClock
    crms: dict[str, MemoryCrm] = field(default_factory=dict)
    ledgers: dict[str, str] = field(default_factory=dict)

    def open(self, name: str, *, production: bool = False, ledger: str = "") -> MemoryCrm:
        """Return a new, empty account."""
        crm = make_crm(self.clock)
        crm.name, crm.org_id, crm.production = name, f"id-of-{name}", production
        self.crms[name], self.ledgers[name] = crm, ledger
        return crm

    def job(self, name: str, **extra: Any) -> SyncJob:
        """Return what a run of the account needs."""
        crm = self.crms[name]
        store = extra.pop("store", self.store)
        return SyncJob(crm, crm.identify(), crm.shapes, store, Policy(), self.clock, ledger=self.ledgers[name], **extra)

    def sync(self, name: str, **options: Any) -> Summary:
        """Sync one account and return the summary."""
        self.clock.advance(seconds=10)
        lookups = options.pop("lookups", ())
        return run_sync(self.job(name, lookups=lookups), SyncOptions(**options))

    def sync_all(self, **options: Any) -> dict[str, Summary]:
        """Sync each account in turn and return the summaries by name."""
        return {name: self.sync(name, **options) for name in self.crms}

    def add(self, number: str, *, ledger: str = "", days: int | None = None, **words: Any) -> Entry:
        """Put a person's entry on the ledger, for so many days."""
        now = self.clock.now()
        expires = None if days is None else now + timedelta(days=days)
        values = {"kind": BlockKind.DNC_INTERNAL, "channel": Channel.ALL, "source": BlockSource.PERSON, **words}
        new = NewEntry(number, reason="asked us", author="ann@desk", since=now, expires=expires, **values)
        with self.store.transaction() as connection:
            return Blocks(self.store.keyring, ledger).add(connection, new)

    def lift(self, entry: Entry, *, ledger: str = "") -> None:
        """End an entry."""
        with self.store.transaction() as connection:
            Blocks(self.store.keyring, ledger).lift(connection, [entry], "a mistake", "ann@desk", self.clock.now())

    def import_list(self, *numbers: str, ledger: str = "") -> None:
        """Put a new version of a register's list in the place of the one before."""
        now = self.clock.now()
        new = NewVersion("us-dnc", "US", Channel.ALL, now, now + timedelta(days=31), "0" * 64, "ann@desk")
        with KeySpool(KEY_BYTES, 1 << 20) as spool:
            spool.add(key[:KEY_BYTES] for key in self.store.keyring.number_keys(each.encode() for each in numbers))
            incoming = Incoming(spool, {each[1:3] for each in numbers}, delta=False)
            base = find_current(self.store, ledger, "us-dnc")
            with begin_import(self.store, ledger, new, self.clock) as version:
                version.complete(incoming, base, lambda *_: None, lambda *_: None)

    def said(self, name: str, record_id: str) -> tuple[object, object]:
        """Return the flag of a record, and what its phone says."""
        row = self.crms[name].rows["people"][record_id]
        return row.get("optout"), row.get("rf_phone_status")
