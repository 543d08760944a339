"""``ringfence check``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ringfence.core.errors import RefusedError, RingfenceError, UsageError

from ..operations.accounts import find_twin
from ..operations.preflight import CheckResult, check_crm
from ..remedies import word
from ..wiring import Wiring
from .diagnosis import group_of, say_findings
from .exit_codes import DONE
from .expectation import say_automation, say_first_sync
from .options import CrmName, Json, MappingFile, Verbose
from .output import output
from .start import begin_wired


def check(crm: CrmName = None, mapping: MappingFile = None, verbose: Verbose = False, json: Json = False) -> int:
    """Connect and name every missing field, permission or scope. Changes nothing.

    Also tells what a first sync would meet and cost, and what cannot be known before it. Takes every configured CRM
    when none is named. Exit code 3 when something is missing.
    """
    wiring = begin_wired(json=json, verbose=verbose)

    names = [crm] if crm else wiring.accounts()
    if not names:
        raise UsageError("No CRM is configured.", "Set the credentials of one; .env.example lists them.")
    if mapping is not None and len(names) > 1:
        raise UsageError(
            f"--mapping is for one CRM, and several are configured: {', '.join(names)}.", "Name the CRM before it."
        )
    if not wiring.settings.account_files:
        wiring.lookups()  # a provider without keys is named here, before a sync meets it; of accounts by each

    code, documents = DONE, []
    seen: dict[str, str] = {}
    for name in names:
        try:
            found, document = _check_one(wiring, name, mapping, seen)
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


def _check_one(wiring: Wiring, crm: str, mapping: Path | None, seen: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Show the preflight of one account; return its exit code and its part of the document.

    ``seen`` holds the names of those that were looked at before it, by their orgs, and gets its own.
    """
    result = check_crm(wiring, crm, mapping)
    org = result.org
    if (twin := seen.setdefault(org.key, crm)) != crm:
        result = replace(result, findings=[*result.findings, find_twin(crm, twin, org)])

    kind = "PRODUCTION" if org.production else "a sandbox"
    output.say(f"{crm}: {org.name}, id {org.id}, {kind}", style="bold")
    say_findings(result.findings)
    say_automation(crm, result.survey)
    say_first_sync(result.first_sync)
    output.say(_conclude(crm, result), style="bold")

    return (DONE if result.ready else RefusedError.exit_code), _document(crm, result)


def _conclude(crm: str, result: CheckResult) -> str:
    if result.ready:
        return f"ready: `ringfence sync {crm} --dry-run` shows what a sync would do"
    preview = f"; a preview goes already: `ringfence sync {crm} --dry-run`" if result.can_preview else ""
    return f"not ready: see the problems above{preview}"


def _document(crm: str, result: CheckResult) -> dict[str, Any]:
    org = result.org
    return {
        "crm": crm,
        "org": {"id": org.id, "name": org.name, "production": org.production},
        "ready": result.ready,
        "can_preview": result.can_preview,
        "findings": [
            {
                # What cannot be known was told as a warning or not at all before there was a group for it.
                "level": "warning" if group_of(each).name == "unknown" else each.level.value,
                "subject": each.subject,
                "message": each.message,
                "remedy": each.remedy,
                "group": group_of(each).name,
            }
            for each in result.findings
        ],
        "automation": [
            {"object": each.object, "names": each.names, "unknown": list(each.unknown)}
            for each in result.survey.automation
        ],
        "first_sync": {
            **result.first_sync.to_json(),
            "objects": {
                each.object: {"records": each.records, "numbers": each.numbers} for each in result.survey.counts
            },
        },
        "api_calls": result.api_calls,
    }
