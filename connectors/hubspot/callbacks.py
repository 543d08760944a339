"""Completing executions of workflow actions that were answered with BLOCK: one call for many of them."""

from __future__ import annotations

from collections.abc import Sequence

from ringfence.core.ports.workflows import Completion, Refusal, Refused

from .client import HubSpotClient
from .errors import AnswerError

_GONE = frozenset({404, 409, 410})
"""What HubSpot answers about what is not there, or is over; which of them it uses here it does not document."""


def complete_executions(client: HubSpotClient, completions: Sequence[Completion]) -> Refused | None:
    """Complete executions by one call; None where HubSpot took all of them. Raises what the client raises."""
    inputs = [{"callbackId": each.callback_id, "outputFields": dict(each.outputs)} for each in completions]
    try:
        client.complete_callbacks(inputs)
    except AnswerError as error:
        refusal = Refusal.GONE if error.status in _GONE else Refusal.WRONG
        return Refused(refusal, error.words or error.message)
    return None
