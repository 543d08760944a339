"""Whether an account is ready for a sync, and what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ringfence.core.errors import ErrorCode, RefusedError, SchemaError
from ringfence.core.ports.crm import Depth, Finding, Level, Org
from ringfence.core.ports.survey import Survey

from ..wiring import Wiring
from .first_sync import FirstSync, estimate_first_sync

NAMED_PROBLEMS = 3
"""How many problems of a preflight an error names; a bare org has dozens, and the check lists them."""

NAMED_IN_PREVIEW = 2
"""How many fields a warning of a dry run names; the check lists them."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a preflight found in an account, what a first sync would meet, and how many API calls it took to know."""

    org: Org
    findings: Sequence[Finding]
    survey: Survey
    first_sync: FirstSync
    api_calls: int

    @property
    def ready(self) -> bool:
        """Return whether a sync could run."""
        return all(finding.level is not Level.PROBLEM for finding in self.findings)

    @property
    def can_preview(self) -> bool:
        """Return whether a dry run could go."""
        return all(finding.level is not Level.PROBLEM or finding.in_preview for finding in self.findings)


def check_crm(wiring: Wiring, crm: str, mapping: Path | None = None) -> CheckResult:
    """Connect, read the schema and return what is missing and what a first sync would meet; change nothing.

    ``mapping`` replaces the configured mapping. Raises the errors of the wiring, RefusedError and UnreachableError.
    """
    wiring = wiring.of(crm)
    with closing(wiring.connect(crm, mapping).crm) as connected:
        org = connected.identify()
        findings = connected.check(Depth.DOCTOR)
        survey = connected.survey()
        findings += _tell_of_unseen(survey)
        first_sync = estimate_first_sync(wiring, connected, survey)
    return CheckResult(org, findings, survey, first_sync, sum(connected.calls.values()))


def _tell_of_unseen(survey: Survey) -> list[Finding]:
    """Return a warning for each object of which the credentials do not see all records."""
    return [
        Finding(
            Level.WARNING,
            count.object,
            f"the user sees {count.records:,} of about {count.records + count.unseen:,} records: the others are "
            "neither screened nor heard when they opt out.",
            f"{survey.sight}.",
        )
        for count in survey.counts
        if count.unseen and count.records is not None
    ]


def warn_of_preview(findings: Sequence[Finding]) -> list[str]:
    """Return what a dry run has to say of the problems that it goes on without: a sentence for each kind of them."""
    subjects: dict[str, list[str]] = {}
    for finding in findings:
        if finding.level is Level.PROBLEM and finding.in_preview:
            subjects.setdefault(finding.in_preview, []).append(finding.subject)
    if not subjects:
        return []

    warnings = []
    for what, names in subjects.items():
        more = f" and {len(names) - NAMED_IN_PREVIEW} more" if len(names) > NAMED_IN_PREVIEW else ""
        warnings.append(f"{', '.join(names[:NAMED_IN_PREVIEW])}{more}: {what}.")
    return [*warnings, "This is a preview: a sync that writes needs all of it."]


def require_ready(findings: Sequence[Finding], crm: str) -> None:
    """Raise what the first problem of a preflight calls for, naming the first few and how many more there are."""
    problems = [finding for finding in findings if finding.level is Level.PROBLEM]
    if not problems:
        return

    listed = "; ".join(f"{finding.subject}: {finding.message.rstrip('.')}" for finding in problems[:NAMED_PROBLEMS])
    if (more := len(problems) - NAMED_PROBLEMS) > 0:
        listed += f"; and {more} more"
    remedies = " ".join(dict.fromkeys(finding.remedy for finding in problems if finding.remedy))

    kind = problems[0].error
    raised = kind if kind is not None and issubclass(kind, RefusedError) else SchemaError
    raise raised(f"{crm} is not ready: {listed}.", remedies, code=ErrorCode.NOT_READY, details={"crm": crm})
