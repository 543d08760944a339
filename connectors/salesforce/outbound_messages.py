"""Outbound messages: what Salesforce tells of records by SOAP when a flow or a workflow rule says so.

A message holds up to 100 notifications, each with an id that its repeats keep, and the record as it was then. Of a
record only its id is read: messages come in no order and may be old. The session id that a message may hold is read by
nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from .record_ids import full_id

MOST_NOTIFICATIONS = 100
"""Notifications that one message holds at most."""

MEDIA_TYPE = "text/xml"

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"

ACKNOWLEDGED = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<soapenv:Envelope xmlns:soapenv="{_SOAP}"><soapenv:Body>'
    f'<notificationsResponse xmlns="{_OUTBOUND}"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)
"""The answer by which Salesforce forgets a message: everything in it has been received."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What a message tells of one record; ``object`` is the name under which the API reads it."""

    id: str
    object: str
    record_id: str


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message, from the org with this id of 18 characters. ``unreadable`` counts notifications without an id."""

    organization_id: str
    notifications: tuple[Notification, ...]
    unreadable: int


def read_message(body: bytes) -> OutboundMessage | None:
    """Return the message in a request's body; None where it is none.

    No entity is resolved and nothing is fetched; a text that declares any of its own is no message.
    """
    # One parser a call: it is not safe with threads.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root.getroottree().docinfo.internalDTD is not None or root.tag != f"{{{_SOAP}}}Envelope":
        return None

    message = root.find(f"{{{_SOAP}}}Body/{{{_OUTBOUND}}}notifications")
    if message is None:
        return None
    organization_id = full_id(message.findtext(f"{{{_OUTBOUND}}}OrganizationId") or "")
    told = message.findall(f"{{{_OUTBOUND}}}Notification")
    if organization_id is None or not 0 < len(told) <= MOST_NOTIFICATIONS:
        return None
    read = tuple(_read(told))
    return OutboundMessage(organization_id, read, len(told) - len(read))


def _read(notifications: list[etree._Element]) -> Iterator[Notification]:
    for each in notifications:
        notification_id = (each.findtext(f"{{{_OUTBOUND}}}Id") or "").strip()
        record = each.find(f"{{{_OUTBOUND}}}sObject")
        if record is None or not notification_id:
            continue
        record_id = full_id(record.findtext("{*}Id") or "")
        name = record.get(_TYPE, "").rpartition(":")[2].strip()
        if record_id is not None and name:
            yield Notification(notification_id, name, record_id)
