"""The endpoints that complete executions of workflow actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .call import Answer, Call
from .errors import bad_request, not_found
from .state import PortalState

BATCH = 100
"""Completions of one call. HubSpot documents no number: this is the one of its other batches."""

OUTPUTS = frozenset(
    {
        "hs_execution_state",
        "rf_status",
        "rf_callable",
        "rf_reason",
        "rf_e164",
        "rf_line_type",
        "rf_last_screened",
        "rf_checked_by",
    }
)
"""The outputs that the action of the portal has."""

_STATES = frozenset({"SUCCESS", "FAIL_CONTINUE"})


def complete_batch(portal: PortalState, call: Call) -> Answer:
    """Answer `callbacks/complete`: all of the executions are completed, or, where one cannot be, none."""
    inputs = call.json().get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise bad_request("Invalid input JSON: inputs is missing or empty")
    if len(inputs) > BATCH:
        raise bad_request(f"The request has {len(inputs)} inputs; at most {BATCH} are allowed")
    wanted = [_read(each) for each in inputs]
    _complete(portal, wanted)
    return Answer(204)


def complete_one(portal: PortalState, call: Call) -> Answer:
    """Answer `callbacks/{callbackId}/complete`."""
    _complete(portal, [_read({**call.json(), "callbackId": call.params["callbackId"]})])
    return Answer(204)


def _read(each: Any) -> tuple[str, Mapping[str, str]]:
    if not isinstance(each, dict) or not isinstance(each.get("callbackId"), str):
        raise bad_request("Invalid input JSON: callbackId is missing")
    outputs = each.get("outputFields")
    if not isinstance(outputs, dict) or not all(isinstance(value, str) for value in outputs.values()):
        raise bad_request("Invalid input JSON: outputFields is missing, or holds something else than texts")
    if unknown := sorted(set(outputs) - OUTPUTS):
        raise bad_request(f"The action has no output {unknown[0]}")
    if outputs.get("hs_execution_state") not in _STATES:
        raise bad_request("hs_execution_state is no state that ends an execution")
    return each["callbackId"], outputs


def _complete(portal: PortalState, wanted: list[tuple[str, Mapping[str, str]]]) -> None:
    now, refusal = portal.clock.now(), None
    for callback_id, outputs in wanted:
        known = portal.workflows.waiting.get(callback_id)
        if known is None or now > known.expires_at:
            refusal = refusal or not_found(f"No execution waits for the callback {callback_id}")
        elif known.completions:
            known.completions.append((now, outputs))
            refusal = refusal or bad_request(f"The callback {callback_id} was completed before")
    if refusal is not None:
        raise refusal
    for callback_id, outputs in wanted:
        portal.workflows.waiting[callback_id].completions.append((now, outputs))
