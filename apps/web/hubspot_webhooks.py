"""Webhooks of HubSpot: on record within milliseconds, and acted upon by jobs."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from ringfence.connectors.hubspot.webhook_events import MOST_EVENTS, WebhookEvent, read_event

from ..operations.mapped import MappedObjects
from ..operations.portals import Portal
from ..operations.webhooks import EventIntake
from .hubspot_requests import FromHubSpot
from .metrics import count
from .problems import ProblemError
from .service import Served

router = APIRouter()


async def find_intake(request: Request, service: Served) -> EventIntake:
    """Return what takes events in, kept with the application."""
    state = request.app.state
    if not hasattr(state, "event_intake"):
        state.event_intake = EventIntake(service.store, service.jobs, MappedObjects())
    intake: EventIntake = state.event_intake
    return intake


@router.post("/hubspot/webhooks", summary="What HubSpot tells of its records", include_in_schema=False)
def take_webhooks(signed: FromHubSpot, intake: Annotated[EventIntake, Depends(find_intake)]) -> dict[str, int]:
    """Take in the events of a delivery, and return how many did what.

    Events of a portal that no account is are counted and left: HubSpot's repeats would not help them.
    """
    document = signed.document
    if not isinstance(document, list) or len(document) > MOST_EVENTS:
        raise ProblemError(422, f"The body is no list of up to {MOST_EVENTS} events.", code="not_events")

    told: Counter[str] = Counter()
    by_portal: defaultdict[str, list[WebhookEvent]] = defaultdict(list)
    for each in document:
        if (event := read_event(each)) is None:
            told["unreadable"] += 1
        else:
            by_portal[event.portal_id].append(event)

    known = {portal_id: signed.portals.find(portal_id) for portal_id in by_portal}
    portals: list[Portal] = [signed.find_portal(portal_id) for portal_id, portal in known.items() if portal is not None]
    told["unknown_portal"] = sum(len(by_portal[each]) for each, portal in known.items() if portal is None)
    for portal in portals:
        told += intake.take_in(portal, by_portal[portal.id])

    for what, events in told.items():
        if events:
            count("hubspot_events", events, outcome=what)
    return dict(+told)
