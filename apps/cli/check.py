"""``ringfence check``."""

from __future__ import annotations

from typing import Any

from ringfence.core.errors import RefusedError, RingfenceError, UsageError
from ringfence.core.ports import Crm, Finding, Level

from ..bootstrap import wire
from .options import CrmName, Json, MappingFile
from .output import output

MARKS = {Level.OK: ("ok", "green"), Level.WARNING: ("warning", "yellow"), Level.PROBLEM: ("problem", "red")}


def check(crm: CrmName = None, mapping: MappingFile = None, json: Json = False) -> int:
    """Connect and name every missing field, permission or scope. Changes nothing.

    Takes every configured CRM when none is named. Exit code 3 when something is missing.
    """
    output.json = json
    wiring = wire()
    names = [crm] if crm else wiring.configured_crms()
    if not names:
        raise UsageError("No CRM is configured.", "Set the credentials of one; .env.example lists them.")
    if mapping is not None and len(names) > 1:
        raise UsageError(
            f"--mapping is for one CRM, and several are configured: {', '.join(names)}.", "Name the CRM before it."
        )
    wiring.lookups()
    code, documents = 0, []
    for name in names:
        try:
            found, document = _check_one(wiring.connect(name, mapping).crm)
        except RingfenceError as error:
            if len(names) == 1:
                raise
            found, document = error.exit_code, {"crm": name, "error": error.message, "remedy": error.remedy}
            output.err.print(f"{name}: {error.message} {error.remedy}", style="red", markup=False)
        code = max(code, found)
        documents.append(document)
    output.document({"ready": code == 0, "crms": documents})
    return code


def _check_one(crm: Crm) -> tuple[int, dict[str, Any]]:
    try:
        org = crm.identify()
        findings: list[Finding] = crm.check()
    finally:
        crm.close()
    kind = "PRODUCTION" if org.production else "a sandbox"
    output.say(f"{crm.name}: {org.name}, id {org.id}, {kind}", style="bold")
    for finding in findings:
        mark, style = MARKS[finding.level]
        output.say(f"  {mark:8}{finding.subject}: {finding.message}", style=style)
        if finding.remedy and finding.level is not Level.OK:
            output.say(f"          {finding.remedy}")
    ready = all(finding.level is not Level.PROBLEM for finding in findings)
    output.say("ready" if ready else "not ready: see the problems above", style="bold")
    document = {
        "crm": crm.name,
        "org": {"id": org.id, "name": org.name, "production": org.production},
        "ready": ready,
        "findings": [
            {"level": f.level.value, "subject": f.subject, "message": f.message, "remedy": f.remedy} for f in findings
        ],
        "api_calls": sum(crm.calls.values()),
    }
    return (0 if ready else RefusedError.exit_code), document
