"""The workflow actions of HubSpot: ``screen``, which may have to wait, and ``check-opt-out``, which never does."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from ..operations.workflow_actions import Asked, OverloadError, Reply, WorkflowActions
from .hubspot_requests import FromHubSpot, Signed
from .metrics import count
from .problems import ProblemError
from .service import Served

router = APIRouter(prefix="/hubspot/workflow-actions", tags=["hubspot"])

OVERLOAD_MS = 30_000
"""After how many milliseconds HubSpot is asked to call again where too many executions wait."""

_ID = re.compile(r"[!-~]{1,200}")
_NUMBER = re.compile(r"\d{1,19}", re.ASCII)


_TEXT = {"type": "string"}
_BODY = {
    "type": "object",
    "required": ["callbackId", "origin", "inputFields"],
    "properties": {
        "callbackId": {**_TEXT, "description": "HubSpot's id of the execution, by which repeats are known"},
        "origin": {"type": "object", "required": ["portalId"], "properties": {"portalId": {"type": "integer"}}},
        "object": {"type": "object", "properties": {"objectId": {"type": "integer"}, "objectType": _TEXT}},
        "inputFields": {
            "type": "object",
            "required": ["phone"],
            "properties": {
                "phone": {**_TEXT, "description": "The number"},
                "country": {**_TEXT, "description": "Country of a national number, by its code or its name"},
                "purpose": {**_TEXT, "description": "What it is to be called for, where consent depends on it"},
                "write_back": {**_TEXT, "description": "true: the record's companions are written too"},
            },
        },
    },
}
_SAID: dict[str, Any] = {
    "openapi_extra": {"requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}}},
    "responses": {403: {"description": "No account of the service is that portal"}},
}
"""What is said of both actions in the description of the API: their bodies are read by hand, for they are signed."""


class ActionOutputs(BaseModel):
    """What the workflow goes on with, by the names of the action's outputs."""

    model_config = ConfigDict(json_schema_extra={"example": {"outputFields": {"hs_execution_state": "SUCCESS"}}})

    outputFields: dict[str, str] = Field(description="The outputs by their names.")  # noqa: N815 - HubSpot's name


async def find_actions(request: Request, service: Served) -> WorkflowActions:
    """Return who answers executions, kept with the application."""
    state = request.app.state
    if not hasattr(state, "workflow_actions"):
        state.workflow_actions = WorkflowActions(service.store, service.jobs)
    actions: WorkflowActions = state.workflow_actions
    return actions


Actions = Annotated[WorkflowActions, Depends(find_actions)]


@router.post("/screen", summary="Screen a number for a HubSpot workflow", **_SAID)
def screen_for_workflow(signed: FromHubSpot, actions: Actions) -> ActionOutputs:
    """Answer at once from fresh facts and the ledger, else with BLOCK: a callback then completes the execution."""
    asked = read_asked(signed.document)
    try:
        reply = actions.screen(signed.find_portal(_portal_of(signed)), asked)
    except OverloadError:
        headers = {"Retry-After": str(OVERLOAD_MS)}
        raise ProblemError(429, "Too many executions wait. Call again.", code="overload", headers=headers) from None
    return _tell("screen", reply)


@router.post("/check-opt-out", summary="Check a number for an opt-out, for a HubSpot workflow", **_SAID)
def check_opt_out_for_workflow(signed: FromHubSpot, actions: Actions) -> ActionOutputs:
    """Answer at once from what is known; nothing is bought."""
    reply = actions.check_opt_out(signed.find_portal(_portal_of(signed)), read_asked(signed.document))
    return _tell("check-opt-out", reply)


def _tell(action: str, reply: Reply) -> ActionOutputs:
    count("workflow_executions", action=action, result=reply.result)
    return ActionOutputs(outputFields=dict(reply.outputs))


def read_asked(document: Any) -> Asked:
    """Return the execution of a body that HubSpot has signed. Raises ProblemError (422) for what is no execution.

    An input that is empty is none; what cannot be a phone number is answered as a number is, and no error.
    """
    body = _object(document, "the body")
    inputs = _object(body.get("inputFields") or {}, "inputFields")
    record = _object(body.get("object") or {}, "object")
    properties = _object(record.get("properties") or {}, "object.properties")
    callback_id = body.get("callbackId")
    if not isinstance(callback_id, str) or not _ID.fullmatch(callback_id):
        raise _no_execution("callbackId is missing, or no id")

    object_id = _text(record.get("objectId"))
    return Asked(
        callback_id=callback_id,
        object_type=_text(record.get("objectType")),
        object_id=object_id if _NUMBER.fullmatch(object_id) else "",
        phone=_text(inputs.get("phone")),
        country=_text(inputs.get("country")) or None,
        purpose=_text(inputs.get("purpose")) or None,
        write_back=_text(inputs.get("write_back")).lower() in ("true", "yes", "1"),
        properties={str(name): _text(value) for name, value in properties.items()},
    )


def _portal_of(signed: Signed) -> str:
    origin = _object(_object(signed.document, "the body").get("origin") or {}, "origin")
    portal_id = _text(origin.get("portalId"))
    if not _NUMBER.fullmatch(portal_id):
        raise _no_execution("origin.portalId is missing, or no number")
    return portal_id


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _no_execution(f"{name} is no object")
    return value


def _text(value: Any) -> str:
    """Return an input as text: HubSpot sends numbers and yes or no as themselves, too."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _no_execution(what: str) -> ProblemError:
    return ProblemError(422, f"The body is no execution of a workflow action: {what}.", code="no_execution")
