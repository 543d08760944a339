"""What HubSpot tells of its records: put on record, so that they are looked at, or that a person is forgotten."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ringfence.connectors.hubspot.webhook_events import EventKind, WebhookEvent
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.jobs import JobRequest, Jobs
from ringfence.core.state.notices import take_notices
from ringfence.core.state.store import Store

from .forgetting import PRIVACY_DELETION
from .mapped import MappedObjects
from .portals import CRM, Portal
from .waking import sync_lock, wake_records


@dataclass(frozen=True, slots=True)
class EventIntake:
    """Takes in the events of webhooks. It lives as long as the store; safe with threads."""

    store: Store
    jobs: Jobs
    mapped: MappedObjects

    def take_in(self, portal: Portal, events: Sequence[WebhookEvent]) -> Counter[str]:
        """Put on record what the events of one portal bring, all or nothing, and return how many did what.

        ``woken`` lets their records be looked at, ``forgotten`` lets a person be forgotten; ``known`` was heard before,
        ``ignored`` is about nothing that the mapping reads. Raises the errors of the mapping, and StateError.
        """
        shapes = self.mapped.of(portal.wiring)
        told: Counter[str] = Counter()
        wanted = [event for event in events if _is_wanted(event, shapes.get(event.object))]
        told["ignored"] = len(events) - len(wanted)
        if not wanted:
            return +told

        wiring, account = portal.wiring, portal.account
        with self.store.transaction() as connection:
            are_new = take_notices(connection, account, [event.notice for event in wanted], wiring.clock.now())
            new = [event for event, is_new in zip(wanted, are_new, strict=True) if is_new]
            forgotten = [event for event in new if event.kind is EventKind.PRIVACY_DELETION]
            self.jobs.enqueue([_forget(portal, each) for each in forgotten], connection)
            wake_records(wiring, self.store, self.jobs, account, _ids_by_object(new), within=connection)

        told["known"] = len(wanted) - len(new)
        told["forgotten"] = len(forgotten)
        told["woken"] = len(new) - len(forgotten)
        return +told


def _is_wanted(event: WebhookEvent, shape: ObjectShape | None) -> bool:
    """Return whether the event may change what ringfence says of a record, or knows of it.

    Our own companions are not among what is read as input: what we write there wakes nobody.
    """
    if event.kind is EventKind.PRIVACY_DELETION:
        return True
    if shape is None or event.kind is EventKind.OTHER:
        return False
    if event.kind is not EventKind.PROPERTY_CHANGE or not event.properties:
        return True
    return not set(event.properties).isdisjoint(shape.input_fields())


def _ids_by_object(events: Iterable[WebhookEvent]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for event in events:
        found[event.object] += event.record_ids
    return found


def _forget(portal: Portal, event: WebhookEvent) -> JobRequest:
    arguments = {"crm": CRM, "org": portal.id, "object": event.object, "ids": list(event.record_ids)}
    return JobRequest(PRIVACY_DELETION, arguments, portal.account, lock=sync_lock(portal.account))
