"""The elements of a flow, in the order in which the Metadata API writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .apex_names import apex_name
from .api_document import Operation

REQUEST, ANSWER, CODE = "request", "answer", "code"
"""The variables of a flow that asks the service: what is sent, what comes back, and its HTTP status."""

Value = Mapping[str, Any]
Element = dict[str, Any]

_BUILDER = {
    "BuilderType": "LightningFlowBuilder",
    "CanvasMode": "AUTO_LAYOUT_CANVAS",
    "OriginBuilderType": "LightningFlowBuilder",
}


def node(name: str, label: str, **rest: Any) -> Element:
    """Return an element of the canvas, which Salesforce lays out itself."""
    placed = {"name": name, "label": label, "locationX": 0, "locationY": 0}
    return {**placed, **{key: rest[key] for key in sorted(rest)}}


def to(name: str) -> Element:
    """Return a connector that leads to an element."""
    return {"targetReference": name}


def reference(name: str) -> Value:
    """Return the value of a variable, a field of the record or a field of a screen."""
    return {"elementReference": name}


def ask(operation: Operation, values: Mapping[str, Value], then: str) -> Element:
    """Return the assignment that fills the body of an operation; what the operation does not take is left out."""
    items = [
        {"assignToReference": f"{REQUEST}.{apex_name(name)}", "operator": "Assign", "value": value}
        for name, value in values.items()
        if name in operation.sends
    ]
    return node("Fill_the_request", "Fill the request", assignmentItems=items, connector=to(then))


def call(operation: Operation, then: str, fault: str | None = None) -> Element:
    """Return the action that asks the service and goes on with its answer."""
    rest: Element = {
        "actionName": operation.action,
        "actionType": "externalService",
        "connector": to(then),
        "flowTransactionModel": "CurrentTransaction",
        "inputParameters": {"name": "body", "value": reference(REQUEST)},
        "nameSegment": operation.action,
        "outputParameters": [
            {"assignToReference": ANSWER, "name": "200"},
            {"assignToReference": CODE, "name": "responseCode"},
        ],
    }
    if fault:
        rest["faultConnector"] = to(fault)
    return node("Ask_ringfence", "Ask ringfence", **rest)


def decide(name: str, label: str, rules: Sequence[Element], otherwise: str | None, words: str) -> Element:
    """Return a decision; ``otherwise`` is where it leads when no rule holds, and ``words`` what that is called."""
    rest: Element = {"defaultConnectorLabel": words, "rules": list(rules)}
    if otherwise:
        rest["defaultConnector"] = to(otherwise)
    return node(name, label, **rest)


def rule(name: str, label: str, conditions: Mapping[str, Value], then: str) -> Element:
    """Return a rule of a decision: each of these holds that value."""
    return {
        "name": name,
        "conditionLogic": "and",
        "conditions": [
            {"leftValueReference": left, "operator": "EqualTo", "rightValue": right}
            for left, right in conditions.items()
        ],
        "connector": to(then),
        "label": label,
    }


def screen(name: str, label: str, fields: Sequence[Element], then: str | None) -> Element:
    """Return a screen with these fields."""
    rest: Element = {
        "allowBack": True,
        "allowFinish": True,
        "allowPause": False,
        "fields": list(fields),
        "showFooter": True,
        "showHeader": True,
    }
    if then:
        rest["connector"] = to(then)
    return node(name, label, **rest)


def input_field(name: str, label: str, *, required: bool) -> Element:
    """Return a field of a screen in which a person types."""
    return {
        "name": name,
        "dataType": "String",
        "fieldText": label,
        "fieldType": "InputField",
        "inputsOnNextNavToAssocScrn": "UseStoredValues",
        "isRequired": required,
    }


def text_field(name: str, text: str, *, where: str | None = None) -> Element:
    """Return a text of a screen, with variables as ``{!name}``; it is shown only while ``where`` holds something."""
    body: Element = {"name": name, "fieldText": f"<p>{text}</p>", "fieldType": "DisplayText"}
    if where:
        filled = {"leftValueReference": where, "operator": "IsNull", "rightValue": {"booleanValue": False}}
        body["visibilityRule"] = {"conditionLogic": "and", "conditions": filled}
    return body


def variables(operation: Operation) -> list[Element]:
    """Return the variables of a flow that asks an operation."""
    ways = {"isCollection": False, "isInput": False, "isOutput": False}
    return [
        {"name": ANSWER, "apexClass": operation.answer, "dataType": "Apex", **ways},
        {"name": CODE, "dataType": "Number", **ways, "scale": 0},
        {"name": REQUEST, "apexClass": operation.request, "dataType": "Apex", **ways},
    ]


def flow(label: str, about: str, kind: str, version: str, start: Element, **elements: Any) -> Element:
    """Return a flow that an administrator has yet to activate."""
    body: Element = {
        "apiVersion": version,
        "description": about,
        "environments": "Default",
        "interviewLabel": f"{label} {{!$Flow.CurrentDateTime}}",
        "label": label,
        "processMetadataValues": [{"name": name, "value": {"stringValue": value}} for name, value in _BUILDER.items()],
        "processType": kind,
        "start": start,
        "status": "Draft",
        **elements,
    }
    return {key: body[key] for key in sorted(body)}
