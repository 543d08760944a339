"""The dry run of a number or of a file, as text and as a document."""

from __future__ import annotations

from ..operations.lookup_rehearsal import LookupRehearsal
from ..remedies import explain
from .forecast_text import say_forecast
from .output import output


def show_rehearsal(found: LookupRehearsal) -> None:
    """Print what would be bought and what that takes, and which cap would end it."""
    output.say("DRY RUN: nothing was bought, and nothing kept.", style="bold yellow")
    say_forecast(output, found.planned, found.currency, found.cache_hits, found.duplicates)
    if found.stopped is not None:
        output.say(f"A cap would end the buying: {explain(found.stopped)}", style="yellow")
    output.document({**found.to_json(), "stopped": explain(found.stopped) if found.stopped else None})
