"""Answers of providers as what a sealed payload holds, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from ..model.answers import Answer, AnswerKind
from ..model.axes import Carrier, Evidence, Outcome, Ported, Reassigned, Reassignment, Risk, RiskLevel
from ..numbers import Validity

_OF_TRUTH = {True: Validity.VALID, False: Validity.INVALID}
"""How the validity was kept before it was an axis with four values."""


def encode_answer(answer: Answer) -> list[Any]:
    """Return what is kept of an answer, beside its kind and moment, as JSON values."""
    validity = None if answer.validity is Validity.UNKNOWN else answer.validity.value
    return [answer.e164, validity, answer.line, answer.line_type, answer.code, dict(_more(answer))]


def decode_answer(number: str, kind: AnswerKind, observed_at: datetime, content: Sequence[Any]) -> Answer:
    """Return the answer about an E.164 number that :func:`encode_answer` was given, of this or an earlier version.

    What is on record costs nothing any more.
    """
    _, validity, line, line_type, code, *more = content
    return Answer(
        e164=number,
        kind=kind,
        observed_at=observed_at,
        validity=Validity.UNKNOWN if validity is None else _OF_TRUTH.get(validity) or Validity(validity),
        line=line,
        line_type=line_type,
        code=code or "",
        paid=False,
        **(_read_more(more[0]) if more else {}),
    )


def _more(answer: Answer) -> Mapping[str, Any]:
    """Return the axes that are told, by name."""
    told: dict[str, Any] = {}
    if answer.outcome is not Outcome.OK:
        told["outcome"] = answer.outcome.value
    if answer.evidence is not None:
        told["evidence"] = answer.evidence.value
    if answer.carrier is not None:
        told["carrier"] = list(answer.carrier)
    if answer.ported is not Ported.UNKNOWN:
        told["ported"] = answer.ported.value
    if answer.reassigned is not None:
        told["reassigned"] = [answer.reassigned.answer.value, answer.reassigned.since.isoformat()]
    if answer.risk is not None:
        told["risk"] = [answer.risk.score, answer.risk.level.value, list(answer.risk.flags)]
    if answer.product:
        told["product"] = answer.product
    if answer.cost is not None:
        told["cost"] = answer.cost
    if answer.currency:
        told["currency"] = answer.currency
    if answer.unrecognised:
        told["unrecognised"] = [list(each) for each in answer.unrecognised]
    return told


def _read_more(told: Mapping[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = {name: told[name] for name in ("product", "cost", "currency") if name in told}
    if "outcome" in told:
        read["outcome"] = Outcome(told["outcome"])
    if "evidence" in told:
        read["evidence"] = Evidence(told["evidence"])
    if "carrier" in told:
        read["carrier"] = Carrier(*told["carrier"])
    if "ported" in told:
        read["ported"] = Ported(told["ported"])
    if "reassigned" in told:
        answer, since = told["reassigned"]
        read["reassigned"] = Reassignment(Reassigned(answer), date.fromisoformat(since))
    if "risk" in told:
        score, level, flags = told["risk"]
        read["risk"] = Risk(score, RiskLevel(level), tuple(flags))
    if "unrecognised" in told:
        read["unrecognised"] = tuple((axis, value) for axis, value in told["unrecognised"])
    return read
