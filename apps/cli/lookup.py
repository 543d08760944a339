"""``ringfence lookup``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ringfence.core.decisions.explaining import Explanation
from ringfence.core.decisions.exports import LeftOut
from ringfence.core.errors import UsageError
from ringfence.core.model.verdicts import CALLABLE
from ringfence.core.numbers import ReasonCode, metadata_version

from ..operations.lookup_rehearsal import rehearse_number
from ..operations.regions import home_region
from ..operations.screening import ScreenedNumber, screen_number
from .door import open_door
from .exit_codes import DONE, STOPPED
from .options import Json, LookupDryRun, SandboxLedger, Verbose
from .output import output
from .rehearsal_text import show_rehearsal
from .start import begin_wired

WITHOUT_REGION = (
    "It is a national number, and nobody knows of which country. Name one, as in --region US, or one for all, as in "
    "RINGFENCE_DEFAULT_REGION=US; or write the number with its plus and calling code."
)
FAILED_FOR_NOW = "the lookup failed for now; nothing is known beyond the numbering plan"
NO_CONSENT = "no record that holds it is known to consent to this purpose"
ABOUT_CONSENT = (
    "Left out: nothing was looked up. Syncs read consent where the mapping names its field under `consent`; "
    "`ringfence sync` reads what has changed since."
)


def lookup(
    number: Annotated[str, typer.Argument(help="The number as it stands in the CRM, in quotes.")],
    region: Annotated[
        str | None,
        typer.Option("--region", metavar="R", help="Country of a national number: code or English name."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no provider, also where one is configured.")] = False,
    sandbox: SandboxLedger = False,
    purpose: Annotated[
        str | None,
        typer.Option("--purpose", metavar="P", help="Leave the number out unless consent on record covers this."),
    ] = None,
    why: Annotated[
        bool, typer.Option("--explain", help="Show who said what, when and how it is known, and which rule decided.")
    ] = False,
    dry_run: LookupDryRun = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Screen one number and explain the verdict.

    A number that opted out in a synced account is `do_not_contact` and never bought. For others it asks the configured
    providers, unless an answer is still fresh, within the caps of RINGFENCE_LOOKUP__MAX_*. Exit code 4 when that fails.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    home = home_region(wiring, region)
    if dry_run:
        if purpose is not None or why:
            raise UsageError("--dry-run tells what a lookup costs, and nothing of the number.", "Leave the rest out.")
        show_rehearsal(rehearse_number(wiring, number, region=home, offline=offline, sandbox=sandbox))
        return DONE
    found = screen_number(
        wiring, number, open_door(), region=home, offline=offline, sandbox=sandbox, purpose=purpose, explained=why
    )

    answer = _answer(found)
    told = {"explanation": found.explanation.to_json()} if found.explanation else {}
    output.document({**answer, **told})
    for name, value in answer.items():
        if value not in (None, [], ""):
            output.say(f"{name.replace('_', ' '):14}{_spell(value)}")
    if found.number.reason is ReasonCode.NO_REGION:
        output.say(WITHOUT_REGION, style="yellow")
    if found.explanation is not None:
        _show_explanation(found.explanation, wiring.settings.lookup.currency)
    if found.left_out:
        output.say(ABOUT_CONSENT, style="yellow")
    return DONE if found.verdict or found.left_out else STOPPED


def _show_explanation(told: Explanation, currency: str) -> None:
    output.say(f"\nWhy: {told.rule}", style="bold")
    rows = [
        [each.source, each.said, f"{each.observed_at:%Y-%m-%d %H:%M} UTC", each.strength.replace("_", " ")]
        for each in told.evidence
    ]
    output.table("who said what", ["source", "said", "when", "how it is known"], rows)

    source = told.axes["provenance"]["source"]
    known = (("line state", told.axes["line_state"]), ("carrier", (told.axes["carrier"] or {}).get("name")))
    words = [f"{name} {value}" for name, value in (*known, ("ported", told.axes["ported"])) if value]
    output.say(f"What counts now, by {source}: {', '.join(words)}.".replace("_", " "))
    output.say("It would change by:")
    for each in told.would_change:
        output.say(f"- {each}")
    if told.cost:
        output.say(f"This lookup cost {told.cost:,.4f} {currency}.")


def _spell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "; ".join(value) if isinstance(value, list) else str(value)


def _answer(found: ScreenedNumber) -> dict[str, Any]:
    number, verdict = found.number, found.verdict
    unknown, unknown_callable = (NO_CONSENT, False) if found.left_out else (FAILED_FOR_NOW, None)
    last_screened = verdict.last_screened.isoformat() if verdict else None

    return {
        "status": verdict.status.value if verdict else None,
        "callable": verdict.status in CALLABLE if verdict else unknown_callable,
        "reason": verdict.reason if verdict else unknown,
        "left_out": LeftOut.NO_CONSENT.value if found.left_out else None,
        "e164": number.e164,
        "region": number.region,
        "line_type": verdict.line_type if verdict else number.line_type.value,
        "extension": number.extension,
        "repairs": list(number.repairs),
        "other_numbers": len(number.others),
        "last_screened": last_screened,
        "lookups": found.lookups,
        "metadata": f"phonenumbers {metadata_version()}",
    }
