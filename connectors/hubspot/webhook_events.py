"""Events of HubSpot's webhooks: which record each is about, and what has happened to it.

An event is told in either of two spellings: ``contact.propertyChange``, or ``object.propertyChange`` with the id of the
object's type. Its values are not read: they come in no order and may be old, and the CRM is asked anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .record_ids import plain_id

MOST_EVENTS = 100
"""Events that one delivery holds at most."""

_BY_TYPE = {"0-1": "contacts", "0-2": "companies", "0-3": "deals", "0-5": "tickets", "0-136": "leads"}
_BY_WORD = {"contact": "contacts", "company": "companies", "deal": "deals", "ticket": "tickets", "lead": "leads"}
_IDS = ("objectId", "primaryObjectId", "newObjectId")


class EventKind(StrEnum):
    """What has happened to a record."""

    PROPERTY_CHANGE = "propertyChange"
    CREATION = "creation"
    DELETION = "deletion"
    MERGE = "merge"
    RESTORE = "restore"
    PRIVACY_DELETION = "privacyDeletion"
    OTHER = "other"  # such as an association: nothing that a phone field could change by


_BY_ACTION = {
    "CREATE": EventKind.CREATION,
    "UPDATE": EventKind.PROPERTY_CHANGE,
    "DELETE": EventKind.DELETION,
    "MERGE": EventKind.MERGE,
    "RESTORE": EventKind.RESTORE,
    "GDPR_DELETE": EventKind.PRIVACY_DELETION,
}
"""What the webhooks journal calls them."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One event. ``record_ids`` are all records that it is about: of a merge the merged ones too.

    ``object`` is the name under which the API reads them; of an object that HubSpot does not bring along, the id of its
    type. ``properties`` are those that changed, empty where that is not told. ``notice`` is what two deliveries of one
    event have in common.
    """

    portal_id: str
    kind: EventKind
    object: str
    record_ids: tuple[str, ...]
    properties: tuple[str, ...]
    notice: tuple[str, ...]


def read_event(event: Any) -> WebhookEvent | None:
    """Return an event of a delivery; None for what is none."""
    if not isinstance(event, Mapping):
        return None
    subject, _, word = str(event.get("subscriptionType") or event.get("eventType") or "").partition(".")
    ids = tuple(dict.fromkeys(_read_ids(event)))
    portal = _read_id(event.get("portalId"))
    if not word or not ids or portal is None:
        return None

    kind = EventKind(word) if word in set(EventKind) else EventKind.OTHER
    name = _find_object(subject, event)
    told = ("subscriptionId", "subscriptionType", "eventType", "propertyName", "occurredAt")
    notice = (name, *ids, *(str(event.get(each, "")) for each in told))
    changed = str(event.get("propertyName") or "")
    return WebhookEvent(portal, kind, name, ids, (changed,) if changed else (), notice)


def read_journal_event(event: Any) -> WebhookEvent | None:
    """Return an event of the webhooks journal; None for what is none."""
    if not isinstance(event, Mapping):
        return None
    ids = tuple(dict.fromkeys(_read_ids(event)))
    portal = _read_id(event.get("portalId"))
    action = str(event.get("action") or "").upper()
    if not ids or portal is None or not action:
        return None

    name = _find_object("object", event)
    changes = event.get("propertyChanges")
    changed = tuple(sorted(map(str, changes))) if isinstance(changes, Mapping) else ()
    notice = ("journal", name, *ids, action, str(event.get("occurredAt", "")), *changed)
    return WebhookEvent(portal, _BY_ACTION.get(action, EventKind.OTHER), name, ids, changed, notice)


def _find_object(subject: str, event: Mapping[str, Any]) -> str:
    if subject != "object":
        return _BY_WORD.get(subject, subject)
    type_id = str(event.get("objectTypeId") or "")
    return _BY_TYPE.get(type_id, type_id)


def _read_ids(event: Mapping[str, Any]) -> Iterator[str]:
    merged = event.get("mergedObjectIds")
    for value in (*map(event.get, _IDS), *(merged if isinstance(merged, list) else ())):
        if (found := _read_id(value)) is not None:
            yield found


def _read_id(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return plain_id(str(value))
