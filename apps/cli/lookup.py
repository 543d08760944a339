"""``ringfence lookup``."""

from __future__ import annotations

from typing import Annotated

import typer

from ringfence.core.errors import UsageError
from ringfence.core.model.verdicts import judge
from ringfence.core.numbers import metadata_version, read_number
from ringfence.core.numbers.regions import read_region
from ringfence.core.screening.screening import Question, Screening
from ringfence.core.state.journal import new_run_id
from ringfence.core.state.lookup_cache import LookupCache

from ..wiring import wire
from .options import Json
from .output import output


def lookup(
    number: Annotated[str, typer.Argument(help="The number as it stands in the CRM, in quotes.")],
    region: Annotated[
        str | None,
        typer.Option("--region", metavar="R", help="Country of a national number: code or English name."),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no provider, also where one is configured.")] = False,
    json: Json = False,
) -> int:
    """Screen one number and explain the verdict.

    Asks the configured providers, unless an answer is still fresh, within RINGFENCE_LOOKUP__MAX_LOOKUPS.
    """
    output.json = json
    wiring = wire()
    home = read_region(region) if region else wiring.settings.default_region
    if region and home is None:
        raise UsageError(f"{region!r} is no country.", "Use a code such as US, or an English name.")
    providers = [] if offline else wiring.lookups()
    store = wiring.open_state() if providers else None
    try:
        screening = Screening(
            policy=wiring.policy(),
            clock=wiring.clock,
            facts=LookupCache(store, new_run_id(wiring.clock.now())) if store else None,
            lookups=providers,
            max_lookups=wiring.settings.lookup.max_lookups,
        )
        parsed = read_number(number, home)
        facts = screening.screen([Question(parsed)])[parsed]
    finally:
        for provider in providers:
            provider.close()
        if store:
            store.close()
    verdict = judge(facts) if facts else None
    answer = {
        "status": verdict.status.value if verdict else None,
        "reason": verdict.reason
        if verdict
        else "the lookup failed for now; nothing is known beyond the numbering plan",
        "e164": parsed.e164,
        "region": parsed.region,
        "line_type": verdict.line_type if verdict else parsed.line_type.value,
        "extension": parsed.extension,
        "repairs": list(parsed.repairs),
        "other_numbers": len(parsed.others),
        "last_screened": verdict.last_screened.isoformat() if verdict else None,
        "lookups": screening.tally.lookups,
        "metadata": f"phonenumbers {metadata_version()}",
    }
    output.document(answer)
    for name, value in answer.items():
        if value not in (None, [], ""):
            shown = "; ".join(value) if isinstance(value, list) else str(value)
            output.say(f"{name.replace('_', ' '):14}{shown}")
    return 0
