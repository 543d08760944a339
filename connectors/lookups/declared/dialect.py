"""Requests and readings by a provider's file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from phonenumbers import national_significant_number, parse, region_code_for_number

from ringfence.core.model.axes import Carrier, Evidence, LineState, Outcome, Ported, Risk
from ringfence.core.numbers import LineType, Validity, mask_numbers

from ..exchange import Reply, Request
from ..http_lookup import Refusal, refusal_by_status
from ..reading import Reading
from .file import AxisMap, BodyError, CarrierMap, ProviderFile, RiskMap, fill, word_of

_NOTHING = (None, "", "n/a", "N/A")
"""What stands for a value that the provider does not have."""

_LONGEST_RAW = 60
_BILLED_PERHAPS = frozenset({Outcome.PROVIDER_ERROR, Outcome.TIMEOUT, Outcome.PENDING})


class DeclaredDialect:
    """See :class:`ringfence.connectors.lookups.http_lookup.Dialect`. ``secrets`` are the credentials by name."""

    def __init__(self, declared: ProviderFile, secrets: Mapping[str, str]) -> None:
        self._file = declared
        self._secrets = secrets
        self._path = urlsplit(declared.request.url).path

    def ask(self, numbers: Sequence[str]) -> Request:
        """Return the request about the one number."""
        request, places = self._file.request, {**_places(numbers[0]), **self._secrets}
        quoted = {name: quote(value, safe="") for name, value in places.items()}
        return Request(
            request.method,
            fill(self._path, quoted),
            params={name: fill(text, places) for name, text in request.query.items()},
            json=_fill_all(request.json_body, places),
            headers={name: fill(text, places) for name, text in request.headers.items()},
        )

    def read(self, numbers: Sequence[str], reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return what the answer says; the body is looked at before the status."""
        number = numbers[0]
        refusal = self._find_body_error(reply.mapping) if reply.mapping else None
        # A body that says no more than that something failed is worth less than what the status means.
        if refusal is not None and (refusal.outcome is not Outcome.PROVIDER_ERROR or reply.status == 200):
            return refusal

        answer = self._file.status_answers.get(reply.status)
        if answer is not None and find(reply.body, answer.has) is not None:
            code = f"HTTP {reply.status}"
            reading = Reading(Outcome.OK, code, validity=answer.validity, evidence=answer.evidence, paid=False)
            return {number: reading}
        if reply.is_html and reply.status != 429:
            return None
        if reply.status in self._file.errors:
            outcome = self._file.errors[reply.status]
            return Refusal(outcome, f"HTTP {reply.status}", paid=outcome in _BILLED_PERHAPS)
        if reply.status != 200:
            return refusal_by_status(reply) or refusal
        return {number: self._read(reply.body)} if self._is_recognised(reply.body) else None

    def _is_recognised(self, body: Any) -> bool:
        """Return whether a body of a 200 is the provider's: it has the path that is promised, or any that is read."""
        if self._file.recognised_by is not None:
            return _has(body, self._file.recognised_by)
        return any(_has(body, axis.path) for _, axis, _ in self._file.answer.axes())

    def _find_body_error(self, body: Mapping[str, Any]) -> Refusal | None:
        for rule in self._file.body_errors:
            outcome, said = _judge(rule, body)
            if outcome is not None and outcome is not Outcome.OK:
                return Refusal(outcome, said[:_LONGEST_RAW], paid=outcome in _BILLED_PERHAPS)
        return None

    def _read(self, body: Any) -> Reading:
        told: dict[str, str] = {}
        said: dict[str, str] = {}
        evidence: dict[str, Evidence] = {}
        unrecognised: list[tuple[str, str]] = []

        for name, axis, _ in self._file.answer.axes():
            raw = find(body, axis.path)
            meant = _look_up(axis, raw)
            if meant is None and not _is_nothing(raw):
                unrecognised.append((name, mask_numbers(str(raw))[:_LONGEST_RAW]))
            value, special = meant or (axis.default, None)
            told[name], said[name] = value, "" if _is_nothing(raw) else str(raw)[:_LONGEST_RAW]
            evidence[name] = special or axis.evidence or self._file.evidence

        line = LineState(told.get("line_state", LineState.UNKNOWN))
        leading = "line_state" if line is not LineState.UNKNOWN or "validity" not in told else "validity"
        answer = self._file.answer
        return Reading(
            Outcome.OK,
            mask_numbers(said.get(leading) or said.get("validity", "")),
            validity=Validity(told.get("validity", Validity.UNKNOWN)),
            line=line,
            evidence=evidence.get(leading, self._file.evidence),
            line_type=LineType(told.get("line_type", LineType.UNKNOWN)),
            ported=Ported(told.get("ported", Ported.UNKNOWN)),
            carrier=_read_carrier(answer.carrier, body),
            risk=_read_risk(answer.risk, body),
            cost=_as_number(find(body, answer.cost.path)) if answer.cost else None,
            unrecognised=tuple(unrecognised),
        )


def find(body: Any, path: str) -> Any:
    """Return what stands at a path of names and places, joined by points; None where nothing does."""
    for part in path.split("."):
        if isinstance(body, dict):
            body = body.get(part)
        elif isinstance(body, list) and part.isdigit() and int(part) < len(body):
            body = body[int(part)]
        else:
            return None
    return body


def _has(body: Any, path: str) -> bool:
    """Return whether a path is there, be its value null or not."""
    parent, _, last = path.rpartition(".")
    holder = find(body, parent) if parent else body
    return last in holder if isinstance(holder, dict) else find(body, path) is not None


def _is_nothing(raw: Any) -> bool:
    return raw is None or (isinstance(raw, str) and raw.strip() in _NOTHING)


def _look_up(axis: AxisMap, raw: Any) -> tuple[str, Evidence | None] | None:
    """Return what a raw value means; None where the map does not have it."""
    if isinstance(raw, (dict, list)):
        return None
    if (meant := axis.values.get(word_of(raw))) is not None:
        return meant.value, meant.evidence
    number = _as_number(raw)
    if number is not None:
        for span in axis.ranges:
            if span.least <= number <= span.most:
                return span.value, None
    return None


def _judge(rule: BodyError, body: Mapping[str, Any]) -> tuple[Outcome | None, str]:
    """Return what became of the call by one rule, and the words that say so; None where the rule does not apply."""
    if any(word_of(find(body, path)) != word_of(value) for path, value in rule.where.items()):
        return None, ""
    raw = find(body, rule.path)
    if raw is None:
        return (rule.default if rule.where else None), ""

    word = word_of(raw)
    said = mask_numbers(str(raw))
    if word in rule.values:
        return rule.values[word], said
    for part, outcome in rule.contains.items():
        if part in word:
            return outcome, said
    return rule.default, said


def _read_carrier(where: CarrierMap | None, body: Any) -> Carrier | None:
    if where is None:
        return None
    paths = (where.name or where.path, where.mcc, where.mnc)
    name, mcc, mnc = ("" if path is None or _is_nothing(raw := find(body, path)) else str(raw) for path in paths)
    return Carrier(name, mcc, mnc) if name or mcc or mnc else None


def _read_risk(where: RiskMap | None, body: Any) -> Risk | None:
    if where is None:
        return None
    score = _as_number(find(body, where.score)) if where.score else None
    flags = tuple(flag for flag, path in where.flags.items() if find(body, path) is True)
    return Risk(None if score is None else round(score), flags=flags) if score is not None or flags else None


def _as_number(raw: Any) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        return None
    try:
        return float(raw)
    except ValueError:
        return None


def _places(e164: str) -> dict[str, str]:
    number = parse(e164)
    national, region = national_significant_number(number), region_code_for_number(number) or ""
    return {"e164": e164, "digits": e164.lstrip("+"), "national": national, "region": region}


def _fill_all(value: Any, places: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return fill(value, places)
    if isinstance(value, dict):
        return {name: _fill_all(each, places) for name, each in value.items()}
    if isinstance(value, list):
        return [_fill_all(each, places) for each in value]
    return value
