"""Two flows to start from: one that asks when a phone number changes, one that a person asks by hand.

A callout has to wait for the end of the transaction that saved the record, so that the first one runs on the
asynchronous path (docs/vendors/salesforce.md, section 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.core.model.shapes import ObjectShape

from .apex_names import apex_name
from .api_document import Operation
from .flow_elements import (
    ANSWER,
    CODE,
    ask,
    call,
    decide,
    flow,
    input_field,
    node,
    reference,
    rule,
    screen,
    text_field,
    to,
    variables,
)

CHANGED, BY_HAND = "RF_Check_Changed_Phone", "RF_Check_Phone"
CHECK = "/v1/check"
"""The path that both ask: it answers at once and never buys."""

_PERSONS = ("Contact", "Lead")
"""Objects that a task can be about by its field WhoId."""

_DONE = {"numberValue": 200}


def define_flows(shapes: Mapping[str, ObjectShape], operation: Operation, version: str) -> Iterator[tuple[str, Any]]:
    """Yield (name, body) of each flow; the first one where contacts or leads are mapped."""
    if person := next((shapes[name] for name in _PERSONS if name in shapes), None):
        yield CHANGED, _check_changed(person, operation, version)
    yield BY_HAND, _check_by_hand(operation, version)


def _told(name: str) -> str:
    return f"{ANSWER}.{apex_name(name)}"


def _check_changed(shape: ObjectShape, operation: Operation, version: str) -> Any:
    phone = f"$Record.{shape.slots[0].field}"
    values = {"number": reference(phone), "queue": {"booleanValue": True}}
    if shape.region_field:
        values["region"] = reference(f"$Record.{shape.region_field}")

    silent = rule(
        "May_not_be_called",
        "May not be called",
        {CODE: _DONE, _told("callable"): {"booleanValue": False}},
        "Tell_somebody",
    )
    start = {
        "locationX": 0,
        "locationY": 0,
        "filterFormula": f"AND(NOT(ISBLANK({{!{phone}}})), OR(ISNEW(), ISCHANGED({{!{phone}}})))",
        "object": shape.name,
        "recordTriggerType": "CreateAndUpdate",
        "scheduledPaths": {"connector": to("Fill_the_request"), "pathType": "AsyncAfterCommit"},
        "triggerType": "RecordAfterSave",
    }
    return flow(
        "ringfence: check a changed phone number",
        f"A sample. When {shape.slots[0].field} of a {shape.name} is new or changes, it asks ringfence whether the "
        "number may be called, and makes a task where it may not.",
        "AutoLaunchedFlow",
        version,
        start,
        actionCalls=call(operation, "May_it_be_called"),
        assignments=ask(operation, values, "Ask_ringfence"),
        decisions=decide("May_it_be_called", "May it be called?", [silent], None, "It may"),
        recordCreates=_task(),
        variables=variables(operation),
    )


def _task() -> Any:
    told = {
        "Description": reference(_told("reason")),
        "Status": {"stringValue": "Not Started"},
        "Subject": {"stringValue": "This phone number may not be called"},
        "WhoId": reference("$Record.Id"),
    }
    assignments = [{"field": field, "value": value} for field, value in told.items()]
    return node(
        "Tell_somebody",
        "Tell somebody",
        inputAssignments=assignments,
        object="Task",
        storeOutputAutomatically=True,
    )


def _check_by_hand(operation: Operation, version: str) -> Any:
    values = {"number": reference("Phone_Number"), "region": reference("Country")}
    answered = {CODE: _DONE}
    may = rule("May_be_called", "May be called", {**answered, _told("callable"): {"booleanValue": True}}, "It_may")
    may_not = rule("May_not_be_called", "May not be called", answered, "It_may_not")
    said = "{!%s}: {!%s}" % (_told("status"), _told("reason"))  # noqa: UP031  # braces are Salesforce's own
    typo = "Is it this one? {!%s}" % _told("suggestion")  # noqa: UP031  # likewise
    return flow(
        "ringfence: check a phone number",
        "A sample. A person types a phone number and reads whether it may be called, and why.",
        "Flow",
        version,
        {"locationX": 0, "locationY": 0, "connector": to("Type_the_number")},
        actionCalls=call(operation, "What_does_it_say", "It_could_not_be_asked"),
        assignments=ask(operation, values, "Ask_ringfence"),
        decisions=decide("What_does_it_say", "What does it say?", [may, may_not], "It_could_not_be_asked", "No answer"),
        screens=[
            screen(
                "Type_the_number",
                "Check a phone number",
                [
                    input_field("Phone_Number", "Phone number", required=True),
                    input_field("Country", "Country, where the number names none", required=False),
                ],
                "Fill_the_request",
            ),
            screen("It_may", "It may be called", [text_field("Reason_to_call", said)], None),
            screen(
                "It_may_not",
                "Do not call",
                [text_field("Reason_not_to", said), text_field("Typo", typo, where=_told("suggestion"))],
                None,
            ),
            screen(
                "It_could_not_be_asked",
                "Not checked",
                [text_field("Fault", "ringfence gave no answer. Until it does, do not call. {!$Flow.FaultMessage}")],
                None,
            ),
        ],
        variables=variables(operation),
    )
