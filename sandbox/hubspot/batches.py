"""The batch endpoints: at most 100 inputs, and status 207 when some of them failed."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from . import instants
from .call import Answer, Call
from .errors import RefusalError, bad_request, conflict, invalid_properties_message, missing_objects
from .objects import (
    accept_values,
    create_record,
    ensure_free,
    find_record,
    history_of,
    names_to_show,
    properties_of,
    render,
    render_written,
)
from .state import PortalState
from .store import ObjectStore, Row
from .values import check_properties

BATCH, BATCH_WITH_HISTORY = 100, 50

Check = tuple[dict[str, str], list[dict[str, Any]]]
"""The values of one input in HubSpot's form, and the problems of those that are invalid."""


def read(portal: PortalState, call: Call) -> Answer:
    """Answer `batch/read`: the records found, and one error that names every missing id (207)."""
    body, started = call.json(), portal.now()
    versioned = body.get("propertiesWithHistory") or []
    inputs = _inputs(body, BATCH_WITH_HISTORY if versioned else BATCH)
    store = portal.stores[call.type_name]
    names = names_to_show(call.type_name, body.get("properties") or [], store)
    archived = call.flag("archived")
    results: dict[int, dict[str, Any]] = {}
    missing = []

    for each in inputs:
        key = _id(each)
        row = find_record(store, key, body.get("idProperty"), archived=archived)
        if row is None:
            missing.append(key)
        elif row.id not in results:
            results[row.id] = render(row, names)
            if versioned:
                results[row.id]["propertiesWithHistory"] = history_of(row, versioned, portal)

    errors = [missing_objects(store.kind, missing)] if missing else []
    return _answer(200, list(results.values()), errors, portal, started)


def update(portal: PortalState, call: Call) -> Answer:
    """Answer `batch/update`, which finds records by id only.

    A missing or archived id gives an error in a 207, with its objectWriteTraceId; an id that was merged away is left
    out silently; a repeated id refuses the batch; an invalid value refuses the batch or its row, as
    `portal.invalid_value` says.
    """
    body, started = call.json(), portal.now()
    inputs = _inputs(body, BATCH)
    store = portal.stores[call.type_name]
    if any(each.get("idProperty") not in {None, "hs_object_id"} for each in inputs):
        raise bad_request("Cannot update by a non-unique property; use the record id")

    _refuse_repeated([_id(each) for each in inputs])
    checks = _check_updates(portal, call.type_name, inputs)
    writes, errors = _sort_updates(store, inputs, checks)

    results = []
    for sent, row, values in writes:
        store.update(row, values, portal.now(), "INTEGRATION", noop_bumps=portal.noop_bumps)
        results.append(_with_trace_id(sent, render_written(row, values, store)))

    return _answer(200, results, errors, portal, started)


def _check_updates(portal: PortalState, type_name: str, inputs: list[dict[str, Any]]) -> list[Check]:
    """Return the values of each input and what is wrong with them; raises RefusalError where that refuses the batch."""
    definitions = portal.definitions[type_name]
    checks = [check_properties(properties_of(each), definitions, portal.portal_id) for each in inputs]
    for each, (values, found) in zip(inputs, checks, strict=True):
        found.extend(portal.problems(_id(each), values))

    problems = [problem for _, found in checks for problem in found]
    if problems and portal.invalid_value == "whole":
        raise bad_request(invalid_properties_message(problems))
    return checks


def _sort_updates(
    store: ObjectStore, inputs: list[dict[str, Any]], checks: list[Check]
) -> tuple[list[tuple[Mapping[str, Any], Row, dict[str, str]]], list[dict[str, Any]]]:
    """Return the inputs that can be written, with their records, and the errors of the others; write nothing yet."""
    writes: list[tuple[Mapping[str, Any], Row, dict[str, str]]] = []
    errors: list[dict[str, Any]] = []

    for each, (values, found) in zip(inputs, checks, strict=True):
        if store.is_merged_away(_id(each)):
            continue

        row = store.find(_id(each))
        if row is None:
            errors.append(missing_objects(store.kind, [_id(each)], each.get("objectWriteTraceId")))
        elif found:
            errors.append(_row_error(each, invalid_properties_message(found)))
        else:
            ensure_free(store, values, owner=row)
            writes.append((each, row, values))

    return writes, errors


def create(portal: PortalState, call: Call) -> Answer:
    """Answer `batch/create`: 201 when all records could be created; otherwise none is."""
    body, started, type_name = call.json(), portal.now(), call.type_name
    inputs = _inputs(body, BATCH)
    rows = [accept_values(portal, type_name, properties_of(each)) for each in inputs]
    emails = Counter(values["email"] for values in rows if values.get("email"))
    if repeated := [email for email, count in emails.items() if count > 1]:
        raise conflict(f"{len(repeated)} email addresses come more than once in the batch")
    for values in rows:
        ensure_free(portal.stores[type_name], values, owner=None)
    results = [
        _with_trace_id(each, create_record(portal, type_name, values))
        for each, values in zip(inputs, rows, strict=True)
    ]
    return _answer(201, results, [], portal, started)


def upsert(portal: PortalState, call: Call) -> Answer:
    """Answer `batch/upsert` by e-mail address, or by the id of an existing record; each result says if it is new."""
    body, started, type_name = call.json(), portal.now(), call.type_name
    inputs = _inputs(body, BATCH)
    store = portal.stores[type_name]
    _refuse_repeated([_id(each).lower() for each in inputs])
    rows = [accept_values(portal, type_name, properties_of(each)) for each in inputs]
    results, errors = [], []

    for each, values in zip(inputs, rows, strict=True):
        id_property = each.get("idProperty")
        row = find_record(store, _id(each), id_property)
        if row is not None:
            store.update(row, values, portal.now(), "INTEGRATION", noop_bumps=portal.noop_bumps)
            results.append(_with_trace_id(each, {**render_written(row, values, store), "new": False}))
        elif id_property == "email":
            fresh = create_record(portal, type_name, {**values, "email": _id(each).lower()})
            results.append(_with_trace_id(each, {**fresh, "new": True}))
        else:
            errors.append(missing_objects(store.kind, [_id(each)], each.get("objectWriteTraceId")))

    return _answer(200, results, errors, portal, started)


def archive(portal: PortalState, call: Call) -> Answer:
    """Answer `batch/archive`: 204, even for records that do not exist any more."""
    store = portal.stores[call.type_name]
    for each in _inputs(call.json(), BATCH):
        row = store.find(_id(each))
        if row is not None:
            store.archive(row, portal.now())
    return Answer(204)


def handle_each(
    inputs: list[dict[str, Any]], handle: Callable[[dict[str, Any]], dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the results of the inputs and the errors of those that were refused; none refuses the whole batch."""
    results, errors = [], []
    for each in inputs:
        try:
            results.append(handle(each))
        except RefusalError as refusal:
            errors.append(refusal.body if isinstance(refusal.body, dict) else {"message": refusal.body})
    return results, errors


def inputs_of(call: Call) -> list[dict[str, Any]]:
    """Return the inputs of a batch body; raises RefusalError(400)."""
    return _inputs(call.json(), BATCH)


def batch_answer(
    status: int, results: list[dict[str, Any]], errors: list[dict[str, Any]], portal: PortalState
) -> Answer:
    """Return the answer to a batch, with the present moment as its start and end."""
    return _answer(status, results, errors, portal, portal.now())


def _inputs(body: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(each, dict) for each in inputs):
        raise bad_request("Invalid input JSON: inputs is required and must be a list of objects")
    if len(inputs) > most:
        raise bad_request(f"The batch has {len(inputs)} inputs; the maximum is {most}.")
    return inputs


def _id(each: Mapping[str, Any]) -> str:
    value = each.get("id")
    if value is None or isinstance(value, (bool, list, dict)):
        raise bad_request("Invalid input JSON: every input needs an id")
    return str(value)


def _refuse_repeated(ids: list[str]) -> None:
    repeated = [each for each, count in Counter(ids).items() if count > 1]
    if repeated:
        raise bad_request(
            f"Duplicate IDs found in batch input: [{', '.join(repeated)}]. IDs must be unique", ids=repeated
        )


def _row_error(each: Mapping[str, Any], message: str) -> dict[str, Any]:
    context = {"ids": [_id(each)]}
    if each.get("objectWriteTraceId") is not None:
        context["objectWriteTraceId"] = [each["objectWriteTraceId"]]
    return {"status": "error", "category": "VALIDATION_ERROR", "message": message, "context": context}


def _with_trace_id(each: Mapping[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    trace_id = each.get("objectWriteTraceId")
    return result if trace_id is None else {**result, "objectWriteTraceId": trace_id}


def _answer(
    status: int, results: list[dict[str, Any]], errors: list[dict[str, Any]], portal: PortalState, started: int
) -> Answer:
    body: dict[str, Any] = {"status": "COMPLETE", "results": results}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    body |= {"startedAt": instants.instant(started), "completedAt": instants.instant(portal.now())}
    return Answer(207 if errors else status, body)
