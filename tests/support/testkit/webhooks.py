"""What HubSpot sends when something happens to a record, signed as it signs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import requests

from ringfence.connectors.hubspot.signatures import SignedRequest, sign_v3
from ringfence.sandbox.server import Sandbox

SECRET, PATH = "a client secret", "/hubspot/webhooks"

_moments = count(1_790_000_000_000)


def event(sandbox: Sandbox, record: str, kind: str = "object.propertyChange", **more: Any) -> dict[str, Any]:
    """Return an event as HubSpot words it today, one that no other is a repeat of."""
    told = {
        "eventId": 1,
        "subscriptionId": 7,
        "portalId": sandbox.hubspot.portal_id,
        "appId": 9,
        "occurredAt": next(_moments),
        "subscriptionType": kind,
        "attemptNumber": 0,
        "objectId": int(record),
        "objectTypeId": "0-1",
        "changeSource": "CRM_UI",
    }
    return told | ({"propertyName": "phone"} if kind.endswith("propertyChange") else {}) | more


def deliver(url: str, events: Any, *, secret: str = SECRET, skew_s: float = 0) -> requests.Response:
    """Deliver events to the service at an address, with a signature v3 that is so many seconds ahead."""
    body = json.dumps(events).encode()
    moment = datetime.now(UTC) + timedelta(seconds=skew_s)
    stamp = str(int(moment.timestamp() * 1000))
    signature = sign_v3(SignedRequest("POST", url + PATH, body), stamp, secret.encode())
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}
    return requests.post(url + PATH, data=body, headers=headers, timeout=30)


def add_contact(sandbox: Sandbox, **values: str) -> str:
    """Let somebody be a contact of the portal, and return its id."""
    portal = sandbox.hubspot
    with portal.lock:
        now = portal.now()
        return str(portal.stores["contacts"].add(portal.new_id(), values, now, now).id)


def read_contact(sandbox: Sandbox, record: str) -> dict[str, str]:
    """Return what the portal holds of a contact."""
    with sandbox.hubspot.lock:
        return dict(sandbox.hubspot.stores["contacts"].rows[int(record)].properties)
