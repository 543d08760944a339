"""Findings that the preflights of several CRMs have in common. Each CRM brings its own words for its own things."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from ringfence.core.config.spelling import did_you_mean
from ringfence.core.errors import SchemaError
from ringfence.core.model.shapes import ObjectShape, OptOutFlag
from ringfence.core.model.values import Value
from ringfence.core.model.verdicts import Status
from ringfence.core.ports.crm import Finding, Level

NOT_THERE_YET = "not there yet, and so taken as empty"
"""What a dry run says of a field that a set-up creates."""

_MOMENTS = frozenset({"date", "datetime", "string"})
"""Types of a field from which a day or a moment can be read; texts may hold one as ISO 8601 writes it."""

ONLY_READ = "may only be read by these credentials"
"""What a dry run says of what it could not write to."""


def problem(
    subject: str, message: str, remedy: str, error: type[Exception] = SchemaError, *, in_preview: str = ""
) -> Finding:
    """Return a finding that keeps a sync from running; ``error`` is what the sync raises for it.

    ``in_preview`` is what a dry run says of it, which goes on all the same; empty where it does not.
    """
    return Finding(Level.PROBLEM, subject, message, remedy, error, in_preview)


def has_problem(findings: Iterable[Finding]) -> bool:
    """Return whether any of the findings keeps a sync from running."""
    return any(finding.level is Level.PROBLEM for finding in findings)


def warn_of_no_opt_out(shape: ObjectShape, noun: str) -> Finding:
    """Return the warning for an object without an opt-out; ``noun`` is what the CRM calls a field."""
    return Finding(
        Level.WARNING,
        shape.name,
        f"no opt-out {noun} is mapped, so nobody's wish not to be called is read or spread.",
        "Add `opt_out` to the mapping.",
    )


def warn_of_unfit_consent(
    shape: ObjectShape, can_hold: Collection[Value] | None, at_type: str | None
) -> Iterator[Finding]:
    """Yield warnings where the field of consent can never hold what the mapping takes for consent or its withdrawal.

    ``can_hold`` are the values that the field can hold, None where it takes any text; ``at_type`` is the type of the
    field with the moment, None where there is none.
    """
    consent = shape.consent
    if consent is None:
        return
    for value in (*consent.given, *consent.withdrawn) if can_hold is not None else ():
        told = replace(consent, given=(), withdrawn=(value,))
        if not any(told.is_withdrawn({consent.field: each}) for each in can_hold or ()):
            shown = ", ".join(map(str, can_hold or ())) or "nothing"
            yield Finding(
                Level.WARNING,
                f"{shape.name}.{consent.field}",
                f"{consent.field} never holds {value!r}, which the mapping names for consent; it can hold: {shown}.",
                "Correct `given` and `withdrawn` in the mapping, or map another field.",
            )
    if at_type is not None and at_type not in _MOMENTS:
        yield Finding(
            Level.WARNING,
            f"{shape.name}.{consent.at}",
            f"{consent.at} is of the type {at_type}: nobody can tell from it since when consent counts.",
            "Map a field with a date, or a date and time, as `at`.",
        )


def missing_statuses(options: Collection[str]) -> str:
    """Return the statuses that a list of options lacks, separated by commas; empty where all are there."""
    return ", ".join(status.value for status in Status if status.value not in options)


@dataclass(frozen=True, slots=True)
class FlagField:
    """The field that an opt-out flag is mapped to, as the CRM shows it.

    ``options`` are the values that it can hold, None where it takes any text. The sentences say what is wrong, for the
    reader: with values of a yes/no field, with values of a text field, and with ``{value}`` that is no option.
    """

    is_boolean: bool
    options: Collection[str] | None
    wrong_boolean: str
    wrong_text: str
    wrong_option: str


def wrong_true_values(flag: OptOutFlag, field: FlagField) -> tuple[str, str] | None:
    """Return (message, remedy) where the mapping's ``true_values`` do not fit the field, else None."""
    values = flag.true_values
    if field.is_boolean:
        fits = all(value is True for value in values)
        return None if fits else (field.wrong_boolean, "Write `true_values: [true]`.")

    texts = [value for value in values if isinstance(value, str)]
    if len(texts) < len(values):
        return field.wrong_text, "Name its values as text in `true_values`."

    options = field.options
    strange = next((text for text in texts if options is not None and text not in options), None)
    if strange is None:
        return None

    message = f"{field.wrong_option.format(value=strange)}{did_you_mean(strange, options or ())}."
    return message, "Correct `true_values` in the mapping."
