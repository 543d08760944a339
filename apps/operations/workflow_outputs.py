"""What a workflow is told: the outputs of its action (docs/contract.md, section 5). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringfence.core.model.verdicts import Status
from ringfence.core.numbers import LineType

STATE = "hs_execution_state"
"""The output by which HubSpot goes on, waits, or goes on and shows that the action failed."""

EXPIRATION = "hs_expiration_duration"
WAITS = "P3D"
"""For how long HubSpot waits for what is not known yet (ISO 8601): a cap of the day begins anew twice in that time."""

NO_NUMBER = "not_a_number: the record holds no phone number"
NO_ANSWER = "inconclusive: the number could not be screened in time"

LATE = "late"
"""The mark of an answer that did not wait for a screening."""

LEDGER, LOOKUP, RULES = "opt-out ledger", "lookup", "numbering plan"
"""Who has spoken: somebody's opt-out, an answer on record, or the numbering plan alone."""


def succeed(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the outputs for an answer, as :meth:`NumberAnswer.as_json` gives it."""
    return {STATE: "SUCCESS", **_tell(answer)}


def fail(reason: str, answer: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return the outputs of an execution that can never work or was not done in time: the workflow goes on.

    Nothing is callable then. ``answer`` is what is known all the same.
    """
    told = _tell(answer) if answer is not None else _tell({"status": Status.UNKNOWN.value})
    return {STATE: "FAIL_CONTINUE", **told, "rf_callable": "false", "rf_reason": reason}


def word(answer: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the outputs for an answer on record; None stands for a number that was erased meanwhile.

    One that is marked as late is what was known when there was no time left to screen the number.
    """
    if answer is None or "status" not in answer:
        return fail(NO_ANSWER)
    return fail(NO_ANSWER, answer) if answer.get(LATE) else succeed(answer)


def block() -> dict[str, str]:
    """Return the outputs of an execution that is completed later."""
    return {STATE: "BLOCK", EXPIRATION: WAITS}


def _tell(answer: Mapping[str, Any]) -> dict[str, str]:
    return {
        "rf_status": str(answer["status"]),
        "rf_callable": "true" if answer.get("callable") else "false",
        "rf_reason": str(answer.get("reason") or ""),
        "rf_e164": str(answer.get("number") or ""),
        "rf_line_type": str(answer.get("line_type") or LineType.UNKNOWN.value),
        "rf_last_screened": str(answer.get("last_screened") or ""),
        "rf_checked_by": _name_source(answer),
    }


def _name_source(answer: Mapping[str, Any]) -> str:
    if answer["status"] == Status.DO_NOT_CONTACT.value:
        return LEDGER
    return LOOKUP if answer.get("last_screened") else RULES
