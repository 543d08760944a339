"""Outbound messages of Salesforce: acknowledged once they are on record, and acted upon by jobs."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from ringfence.connectors.salesforce.outbound_messages import (
    ACKNOWLEDGED,
    MEDIA_TYPE,
    MOST_NOTIFICATIONS,
    read_message,
)

from ..operations.outbound_messages import MessageIntake
from .bodies import read_body
from .metrics import count
from .problems import ProblemError
from .service import Served

router = APIRouter()

logger = logging.getLogger(__name__)


async def find_intake(request: Request, service: Served) -> MessageIntake:
    """Return what takes messages in, kept with the application."""
    state = request.app.state
    if not hasattr(state, "message_intake"):
        state.message_intake = MessageIntake(service.wiring, service.store, service.jobs)
    intake: MessageIntake = state.message_intake
    return intake


@router.post("/salesforce/outbound-messages", summary="What Salesforce tells of its records", include_in_schema=False)
def take_message(
    intake: Annotated[MessageIntake, Depends(find_intake)],
    body: Annotated[bytes, Depends(read_body)],
    secret: Annotated[str, Query()] = "",
) -> Response:
    """Take in a message and acknowledge it.

    The secret is looked at before the body is: nobody else's XML is read.
    """
    if not (senders := intake.find_senders(secret)):
        raise _refusal("the secret in its address is missing or wrong, or organization id and secret are not set")
    if (message := read_message(body)) is None:
        raise ProblemError(
            422, f"The body is no outbound message of 1 to {MOST_NOTIFICATIONS} notifications.", code="not_a_message"
        )
    sender = next((each for each in senders if each.organization_id == message.organization_id), None)
    if sender is None:
        raise _refusal("it comes from another org than RINGFENCE_SALESFORCE__ORGANIZATION_ID names")

    for what, notifications in intake.take_in(sender, message).items():
        count("salesforce_notifications", notifications, outcome=what)
    return Response(ACKNOWLEDGED, media_type=MEDIA_TYPE)


def _refusal(why: str) -> ProblemError:
    """Count and tell a message that is not the org's, and return its answer, which says nothing of the reason."""
    count("salesforce_notifications", outcome="refused")
    logger.warning("An outbound message is refused: %s.", why)
    return ProblemError(401, "Nothing shows that this message comes from the org.", code="sender")
