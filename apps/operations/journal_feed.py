"""HubSpot's webhooks journal followed: what stands in it is taken in as if HubSpot had sent it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from ringfence.connectors.hubspot.settings import HubSpotSettings
from ringfence.connectors.hubspot.webhook_events import read_journal_event
from ringfence.connectors.hubspot.webhooks_journal import JournalEntry, PlaceGoneError, WebhooksJournal
from ringfence.core.ports.jobs import JobRequest, Jobs
from ringfence.core.state.journal_places import JournalPlace
from ringfence.core.state.store import Store

from ..wiring import Wiring
from .mapped import MappedObjects
from .portals import CRM, Portal, Portals
from .waking import sync_lock
from .webhooks import EventIntake

LOOK_EVERY = timedelta(seconds=30)
"""How often is looked for new entries."""

MOST_ENTRIES = 200
"""Entries that are read at one go; the others follow at the next."""

logger = logging.getLogger(__name__)


class JournalFeed:
    """Reads on in the journals of the accounts whose settings name an app. It lives as long as the store."""

    def __init__(self, wiring: Wiring, store: Store, jobs: Jobs, *, every: timedelta = LOOK_EVERY) -> None:
        self._wiring = wiring
        self._store = store
        self._jobs = jobs
        self._every = every
        self._intake = EventIntake(store, jobs, MappedObjects())
        self._portals = Portals(wiring, store)
        self._journals: dict[str, tuple[HubSpotSettings, WebhooksJournal]] = {}

    def close(self) -> None:
        """Close the connections."""
        for _, journal in self._journals.values():
            journal.close()

    def read_on(self, must_end: Callable[[], bool] = lambda: False) -> Counter[str]:
        """Take in what is new in every journal whose turn it is; return how many events did what.

        Of several processes one has the turn. Raises the errors of the journals, of the settings and of the state; what
        was taken in before them stays.
        """
        told: Counter[str] = Counter()
        for portal in self._portals.list_with_app():
            place = JournalPlace(self._store, portal.account)
            if place.take_turn(self._wiring.clock.now(), self._every):
                told += self._read(portal, place, must_end)
        return told

    def _read(self, portal: Portal, place: JournalPlace, must_end: Callable[[], bool]) -> Counter[str]:
        journal, told = self._journal_of(portal), Counter[str]()
        reached = place.read()
        if not reached:
            self._begin(journal, place)
            return told

        for _ in range(MOST_ENTRIES):
            try:
                entry = journal.next(reached)
            except PlaceGoneError:
                self._leave_to_sync(portal, journal, place)
                break
            if entry is None or must_end():
                break
            told += self._take_in(portal, journal, entry)
            # Behind the events: killed in between, they come again and are known.
            place.move(entry.place)
            reached = entry.place
        return told

    @staticmethod
    def _begin(journal: WebhooksJournal, place: JournalPlace) -> None:
        """Begin at the journal's end: what happened before, the account's syncs have read or will read."""
        if (newest := journal.latest()) is not None:
            place.move(newest.place)

    def _take_in(self, portal: Portal, journal: WebhooksJournal, entry: JournalEntry) -> Counter[str]:
        events = [read_journal_event(each) for each in journal.read_events(entry)]
        ours = [each for each in events if each is not None and each.portal_id == portal.id]
        told = self._intake.take_in(portal, ours)
        told["unreadable"] += events.count(None)
        return told

    def _leave_to_sync(self, portal: Portal, journal: WebhooksJournal, place: JournalPlace) -> None:
        """Go on at the journal's end, and let a sync read what is not in it any more."""
        logger.warning(
            "The webhooks journal of %s reaches not as far back as it was read: a sync is queued.", portal.account
        )
        self._begin(journal, place)
        request = JobRequest(
            "command",
            {"argv": ["sync", portal.account]},
            portal.account,
            lock=sync_lock(portal.account),
            queueing_lock=f"journal gap:{portal.account}",
        )
        self._jobs.enqueue([request])

    def _journal_of(self, portal: Portal) -> WebhooksJournal:
        settings = portal.wiring.settings.connectors[CRM]
        assert isinstance(settings, HubSpotSettings)  # noqa: S101 - for the type checker
        known = self._journals.get(portal.account)
        if known is not None and known[0] == settings:
            return known[1]
        if known is not None:
            known[1].close()
        journal = WebhooksJournal(settings, portal.id, portal.wiring.clock)
        self._journals[portal.account] = settings, journal
        return journal
