"""Why a number has its verdict: what is known on each axis, who said it, which rule decided, and what would change it.

The CRM's reason stays one short sentence; this is for whoever wants to know more. Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ..model.answers import Answer, AnswerKind
from ..model.axes import Evidence, LineState, Outcome, Ported, Reassigned, RiskLevel
from ..model.verdicts import STATUS_IF_LIKELY, Facts, Status, derive_status
from ..numbers import Number, Validity
from .merging import complete

PLAN = "numbering plan"
OWED = "the lookup is owed"


class Said(NamedTuple):
    """One source's word: who, what, when (UTC), and how strong its evidence is."""

    source: str
    said: str
    observed_at: datetime
    strength: str


class Explanation(NamedTuple):
    """What ``lookup --explain`` tells (docs/contract.md, section 4); ``cost`` is in the currency of the settings."""

    axes: dict[str, Any]
    evidence: Sequence[Said]
    rule: str
    would_change: Sequence[str]
    cost: float

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        told = [each._replace(observed_at=each.observed_at.isoformat())._asdict() for each in self.evidence]  # type: ignore[arg-type]
        return {**self._asdict(), "evidence": told, "would_change": list(self.would_change)}


def explain(
    number: Number,
    facts: Facts | None,
    answers: Sequence[tuple[str, Answer]],
    blocks: Iterable[Said],
    now: datetime,
    cost: float,
) -> Explanation:
    """Return why the facts amount to what they do; ``facts`` is None while a lookup is owed.

    ``answers`` are those on record, each with who gave it, ``blocks`` what keeps the number silent.
    """
    deciding = _deciding(facts, answers)
    offline = f"{number.validity.value}: {str(number.reason).replace('_', ' ')}"
    evidence = [
        Said(PLAN, offline, now, Evidence.NUMBERING_PLAN.value),
        *(as_said(source, answer) for source, answer in answers),
        *blocks,
    ]
    return Explanation(
        _axes(number, facts, deciding),
        sorted(evidence, key=lambda each: each.observed_at),
        _rule(number, facts),
        _would_change(facts),
        round(cost, 6),
    )


def _deciding(facts: Facts | None, answers: Sequence[tuple[str, Answer]]) -> tuple[str, Answer] | None:
    """Return the answer that the facts rest on, with what others tell besides; None where they rest on none."""
    if facts is None:
        return None
    ours = [each for each in answers if each[1].observed_at == facts.observed_at and _tells(each[1])]
    same = [each for each in ours if each[0] == facts.source.partition(" ")[0]]
    if not (same or ours):
        return None
    source, answer = (same or ours)[0]
    known = [each for _, each in answers if each.kind is AnswerKind.KNOWN and each is not answer]
    return source, complete(answer, known)


def _tells(answer: Answer) -> bool:
    return answer.kind in (AnswerKind.KNOWN, AnswerKind.INCONCLUSIVE)


def _axes(number: Number, facts: Facts | None, deciding: tuple[str, Answer] | None) -> dict[str, Any]:
    source, answer = deciding or (PLAN, None)
    line = facts.line if facts is not None else LineState.UNKNOWN
    gone = facts.reassigned if facts is not None else None
    carrier, risk = (answer.carrier, answer.risk) if answer else (None, None)
    by_answer = answer.evidence if answer else Evidence.NUMBERING_PLAN
    return {
        "outcome": (answer.outcome if answer else Outcome.OK).value if facts is not None else OWED,
        "validity": (facts.validity if facts is not None else number.validity).value,
        "line_state": line.value,
        "evidence": by_answer.value if by_answer else None,
        "line_type": (facts.line_type if facts is not None else number.line_type).value,
        "carrier": {name: value for name, value in carrier._asdict().items() if value} if carrier else None,
        "ported": (answer.ported if answer else Ported.UNKNOWN).value,
        "reassigned": {
            "answer": gone.answer.value if gone else Reassigned.NOT_CHECKED.value,
            "since": gone.since.isoformat() if gone else None,
        },
        "risk": {
            "score": risk.score if risk else None,
            "level": (risk.level if risk else RiskLevel.UNKNOWN).value,
            "flags": list(risk.flags) if risk else [],
        },
        "provenance": {
            "source": source,
            "product": answer.product if answer else "",
            "checked_at": answer.observed_at.isoformat() if answer else None,
            "code": answer.code if answer else "",
            "unrecognised": [f"{axis}={raw}" for axis, raw in answer.unrecognised] if answer else [],
        },
    }


def as_said(source: str, answer: Answer) -> Said:
    """Return what an answer says in words, with who gave it."""
    if answer.kind is AnswerKind.LOST:
        return Said(source, "was asked, and its answer was lost; perhaps it was billed", answer.observed_at, "none")
    if answer.kind is AnswerKind.FAILED:
        return Said(source, f"could not answer for now ({answer.code})", answer.observed_at, "none")

    words = [] if answer.validity is Validity.UNKNOWN else [answer.validity.value]
    words += [f"line {answer.line.replace('_', ' ')}"] if answer.line else ["state of the line not told"]
    words += [answer.line_type.replace("_", " ")] if answer.line_type else []
    if answer.reassigned is not None:
        words.append(f"reassigned since {answer.reassigned.since:%Y-%m-%d}: {answer.reassigned.answer.value}")
    words += [f"{axis} {raw!r}, which nobody knows" for axis, raw in answer.unrecognised]
    if answer.outcome is not Outcome.OK:
        words.append(str(answer.outcome).replace("_", " "))
    strength = answer.evidence.value if answer.evidence else "on record without its evidence"
    return Said(source, ", ".join(words), answer.observed_at, strength)


def _rule(number: Number, facts: Facts | None) -> str:
    """Return the rule that decided, in one sentence."""
    if facts is None:
        return "A lookup that failed, was cut off or is still to come says nothing about a number: it stays due."
    status = derive_status(facts)
    if status is Status.VALID and facts.line in STATUS_IF_LIKELY:
        return f"A likely state of the line counts where its evidence is at least {facts.likely.value}."
    if status is Status.UNKNOWN and number.e164 is None:
        return "What cannot be read as one certain number is unknown: invalid means that no such number can exist."
    return _RULES.get(status, "Nothing of more weight is known.")


_RULES = {
    Status.DO_NOT_CONTACT: "An opt-out comes before everything else: no lookup changes it, and none is bought.",
    Status.WRONG_PERSON: "Whose number it is comes before the state of its line.",
    Status.INVALID: "A number that cannot exist has no line: this comes before the state of the line.",
    Status.DISCONNECTED: "The strongest evidence about the line decides, and among equals the newest.",
    Status.SUSPENDED: "The strongest evidence about the line decides, and among equals the newest.",
    Status.UNREACHABLE: "The strongest evidence about the line decides, and among equals the newest.",
    Status.SUSPECT: "Calls and messages say that it is probably dead, and no lookup has come after them.",
    Status.ACTIVE: "The strongest evidence about the line decides, and among equals the newest.",
    Status.VALID: "The numbering plan knows the number, and nobody has told the state of its line.",
    Status.UNKNOWN: "Neither the numbering plan nor a provider could establish anything.",
}


def _would_change(facts: Facts | None) -> Sequence[str]:
    """Return what would change the verdict, each in one sentence."""
    if facts is None:
        return ["An answer of a provider: ask again later, or raise the cap that ended the buying."]
    return _CHANGES.get(derive_status(facts), _BY_A_LOOKUP)


_BY_A_LOOKUP = ("A newer lookup that tells another state of the line, of evidence as strong or stronger.",)
_CHANGES = {
    Status.DO_NOT_CONTACT: (
        "Clearing the flag where it was set.",
        "ringfence suppress lift, with a reason; a listing in a register ends with a newer list alone.",
    ),
    Status.WRONG_PERSON: ("Another number on the record.", "A later check that says it was not reassigned."),
    Status.INVALID: ("Another number in the field.", "A provider of live evidence that reaches the line."),
    Status.SUSPECT: ("A lookup that tells the state of the line.", "A call that is answered.", "A person's decision."),
    Status.VALID: ("A lookup at a provider that tells the state of the line.", "An opt-out."),
    Status.UNKNOWN: ("A number with its plus and calling code, or a country on the record.",),
    Status.ACTIVE: (*_BY_A_LOOKUP, "An opt-out."),
}
