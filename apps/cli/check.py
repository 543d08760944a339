"""``ringfence check``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from ringfence.core.errors import RefusedError, RingfenceError, UsageError
from ringfence.core.ports.crm import Finding, Level

from ..operations import check_crm
from ..remedies import word
from ..wiring import Wiring
from .exit_codes import DONE
from .options import CrmName, Json, MappingFile, Verbose
from .output import output
from .start import begin_wired

MARKS = {Level.OK: ("ok", "green"), Level.WARNING: ("warning", "yellow"), Level.PROBLEM: ("problem", "red")}


def check(crm: CrmName = None, mapping: MappingFile = None, verbose: Verbose = False, json: Json = False) -> int:
    """Connect and name every missing field, permission or scope. Changes nothing.

    Takes every configured CRM when none is named. Exit code 3 when something is missing.
    """
    wiring = begin_wired(json=json, verbose=verbose)

    names = [crm] if crm else wiring.configured_crms()
    if not names:
        raise UsageError("No CRM is configured.", "Set the credentials of one; .env.example lists them.")
    if mapping is not None and len(names) > 1:
        raise UsageError(
            f"--mapping is for one CRM, and several are configured: {', '.join(names)}.", "Name the CRM before it."
        )
    wiring.lookups()  # a provider without keys is named here, before a sync meets it

    code, documents = DONE, []
    for name in names:
        try:
            found, document = _check_one(wiring, name, mapping)
        except RingfenceError as error:
            if len(names) == 1:
                raise
            message, remedy = word(error)
            found, document = error.exit_code, {"crm": name, "error": message, "remedy": remedy}
            output.fail_one(name, error)
        code = max(code, found)
        documents.append(document)

    output.document({"ready": code == DONE, "crms": documents})
    return code


def _check_one(wiring: Wiring, crm: str, mapping: Path | None) -> tuple[int, dict[str, Any]]:
    """Show the preflight of one CRM; return its exit code and its part of the document."""
    result = check_crm(wiring, crm, mapping)
    org = result.org

    kind = "PRODUCTION" if org.production else "a sandbox"
    output.say(f"{crm}: {org.name}, id {org.id}, {kind}", style="bold")
    for alike in _grouped(result.findings):
        _say_findings(alike)
    output.say("ready" if result.ready else "not ready: see the problems above", style="bold")

    document = {
        "crm": crm,
        "org": {"id": org.id, "name": org.name, "production": org.production},
        "ready": result.ready,
        "findings": [
            {"level": f.level.value, "subject": f.subject, "message": f.message, "remedy": f.remedy}
            for f in result.findings
        ],
        "api_calls": result.api_calls,
    }
    return (DONE if result.ready else RefusedError.exit_code), document


def _grouped(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Yield the findings in their order, those together that say the same of several fields of one object."""
    for _, some in groupby(findings, key=lambda finding: (finding.level, *_kind(finding), finding.remedy)):
        yield list(some)


def _kind(finding: Finding) -> tuple[str, str]:
    """Return the object that a finding is about, and its message without the field's name."""
    owner, _, name = finding.subject.rpartition(".")
    return (owner, finding.message.replace(name, "")) if owner else (finding.subject, finding.message)


def _say_findings(alike: Sequence[Finding]) -> None:
    first = alike[0]
    mark, style = MARKS[first.level]
    output.item(f"{first.subject}: {first.message}", mark=mark, style=style)
    if rest := [finding.subject.rpartition(".")[2] for finding in alike[1:]]:
        output.item(f"The same goes for {len(rest)} more: {', '.join(rest)}.", style=style)
    if first.remedy and first.level is not Level.OK:
        output.item(first.remedy)
