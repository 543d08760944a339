"""The webhooks of the emitted project: what HubSpot tells the service of, so that it looks at records again at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.service_address import ServiceAddress

from .action_definitions import CONTACTS

PATH = "/hubspot/webhooks"
FILE = "src/app/webhooks/webhooks-hsmeta.json"

AT_ONCE = 10
"""Requests that HubSpot has under way at once, at most; it takes no value of 5 or less."""

_EVENTS = ("creation", "deletion", "merge", "restore")
_TYPES = {"contacts": "contact", "companies": "company", "deals": "deal", "tickets": "ticket", "leads": "lead"}
"""What a subscription calls an object, where it differs from the name under which the API reads it."""


def define_webhooks(shapes: Mapping[str, ObjectShape], service: ServiceAddress) -> dict[str, Any]:
    """Return file name -> the definition of all subscriptions."""
    subscriptions: dict[str, Any] = {"crmObjects": list(_subscribe(shapes)), "legacyCrmObjects": [], "hubEvents": []}
    if CONTACTS in shapes:
        subscriptions["hubEvents"] = [{"subscriptionType": "contact.privacyDeletion", "active": True}]
    settings = {"targetUrl": service.at(PATH), "maxConcurrentRequests": AT_ONCE}
    config = {"settings": settings, "subscriptions": subscriptions}
    return {FILE: {"uid": "ringfence_webhooks", "type": "webhooks", "config": config}}


def watched_properties(shape: ObjectShape) -> list[str]:
    """Return the properties whose change makes a record worth another look: phones, opt-outs, consent and region."""
    names = [slot.field for slot in shape.slots] + list(shape.heard_fields())
    return list(dict.fromkeys([*names, *([shape.region_field] if shape.region_field else [])]))


def _subscribe(shapes: Mapping[str, ObjectShape]) -> Iterator[dict[str, Any]]:
    for name, shape in shapes.items():
        kind = _TYPES.get(name, name)
        for event in _EVENTS:
            yield {"subscriptionType": f"object.{event}", "objectType": kind, "active": True}
        for field in watched_properties(shape):
            yield {
                "subscriptionType": "object.propertyChange",
                "objectType": kind,
                "propertyName": field,
                "active": True,
            }
