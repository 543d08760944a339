"""What one answer says by the maps of a provider's file. It judges a body alone, and knows of no HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ringfence.core.model.axes import Carrier, Evidence, LineState, Outcome, Ported, Risk
from ringfence.core.numbers import LineType, Validity

from ..reading import Reading
from ..words import as_money, quote_raw
from .axis_maps import AxisMap, CarrierMap, RiskMap, word_of
from .file import BodyError, ProviderFile
from .paths import as_finite, find, has_path, is_nothing


def read_answer(file: ProviderFile, body: Any) -> Reading:
    """Return what the body about one number says, or its item in a batch; PARTIAL where a part of it did not come."""
    told: dict[str, str] = {}
    said: dict[str, str] = {}
    evidence: dict[str, Evidence] = {}
    unrecognised: list[tuple[str, str]] = []

    for name, axis, _ in file.answer.axes():
        raw = find(body, axis.path)
        meant = _look_up(axis, raw)
        if meant is None and not is_nothing(raw):
            unrecognised.append((name, quote_raw(raw)))
        value, special = meant or (axis.default, None)
        told[name], said[name] = value, "" if is_nothing(raw) else quote_raw(raw)
        evidence[name] = special or axis.evidence or file.evidence

    line = LineState(told.get("line_state", LineState.UNKNOWN))
    leading = "line_state" if line is not LineState.UNKNOWN or "validity" not in told else "validity"
    answer = file.answer
    return Reading(
        Outcome.PARTIAL if is_partial(file, body) else Outcome.OK,
        said.get(leading) or said.get("validity", ""),
        validity=Validity(told.get("validity", Validity.UNKNOWN)),
        line=line,
        evidence=evidence.get(leading, file.evidence),
        line_type=LineType(told.get("line_type", LineType.UNKNOWN)),
        ported=Ported(told.get("ported", Ported.UNKNOWN)),
        carrier=_read_carrier(answer.carrier, body),
        risk=_read_risk(answer.risk, body),
        cost=as_money(find(body, answer.cost.path)) if answer.cost else None,
        currency=(answer.cost.currency or "") if answer.cost else "",
        unrecognised=tuple(unrecognised),
    )


def is_partial(file: ProviderFile, body: Any) -> bool:
    """Return whether the body says itself that a part of the answer did not come."""
    return file.partial_by is not None and not is_nothing(find(body, file.partial_by))


def tells_anything(file: ProviderFile, body: Any) -> bool:
    """Return whether the body holds a value for an axis."""
    return any(not is_nothing(find(body, axis.path)) for _, axis, _ in file.answer.axes())


def has_an_axis(file: ProviderFile, body: Any) -> bool:
    """Return whether the body has the path of an axis, be its value null or not."""
    return any(has_path(body, axis.path) for _, axis, _ in file.answer.axes())


def find_error(rules: Iterable[BodyError], body: Any) -> tuple[Outcome, str] | None:
    """Return what became of the call by the first rule that applies, and the words that say so; None for a good one."""
    for rule in rules:
        outcome, said = _judge(rule, body)
        if outcome is not None and outcome is not Outcome.OK:
            return outcome, said
    return None


def _look_up(axis: AxisMap, raw: Any) -> tuple[str, Evidence | None] | None:
    """Return what a raw value means; None where the map does not have it."""
    if isinstance(raw, (dict, list)):
        return None
    if (meant := axis.values.get(word_of(raw))) is not None:
        return meant.value, meant.evidence
    number = as_finite(raw)
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

    word, said = word_of(raw), quote_raw(raw)
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
    name, mcc, mnc = ("" if path is None else _text_at(body, path) for path in paths)
    return Carrier(name, mcc, mnc) if name or mcc or mnc else None


def _text_at(body: Any, path: str) -> str:
    """Return the text or the number that stands at a path; empty where nothing does, or a list or an object."""
    raw = find(body, path)
    return "" if is_nothing(raw) or isinstance(raw, (dict, list, bool)) else str(raw)


def _read_risk(where: RiskMap | None, body: Any) -> Risk | None:
    if where is None:
        return None
    score = as_finite(find(body, where.score)) if where.score else None
    if score is not None and not 0 <= score <= 100:
        score = None
    flags = tuple(flag for flag, path in where.flags.items() if find(body, path) is True)
    return Risk(None if score is None else round(score), flags=flags) if score is not None or flags else None
