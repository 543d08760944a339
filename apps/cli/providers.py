"""``ringfence providers``: lookup providers, what each can tell, and files for those without an API."""

from __future__ import annotations

from typing import Annotated

import typer

from ..operations.providers import NO_PHONE_SERVICE, ProviderState, exit_code_of, list_providers
from .exit_codes import DONE
from .lazy import group_of
from .options import Json, Verbose
from .output import output
from .start import begin_wired

HELP = """
Show the lookup providers: what each can and cannot tell, where, what a number costs, how many go into one call.

`valid` is not `alive`: only a provider that tells the `line_state` says whether anybody can be reached. The order in
RINGFENCE_LOOKUP__PROVIDERS is that in which they are asked.

Try: `ringfence providers --check`.
"""

NOT_KNOWN = "not known"
"""What stands for the price of a provider that nobody has said."""

_COMMANDS = {"export": "providers_files:export", "import": "providers_files:import_"}

providers = typer.Typer(cls=group_of(_COMMANDS), help=HELP, invoke_without_command=True)


@providers.callback()
def show(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Try the credentials of those that are set up; nothing is bought.")
    ] = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Show the providers; the user reads HELP."""
    if context.invoked_subcommand is not None:
        return DONE

    wiring = begin_wired(json=json, verbose=verbose)
    states = list_providers(wiring, check=check)
    output.document({"providers": [state.to_json() for state in states], "no_phone_service": NO_PHONE_SERVICE})
    _show(states, wiring.settings.lookup.currency, checked=check)
    return exit_code_of(states)


def _show(states: list[ProviderState], currency: str, *, checked: bool) -> None:
    ordered = sorted(states, key=lambda state: (state.place or len(states), state.plugin.name))
    rows = [_row(state) for state in ordered]
    output.table("", ["provider", "in use", "tells", "where", currency, "a call"], rows, right=(4, 5), whole=0)

    for state in ordered:
        profile = state.plugin.profile
        if state.place or state.configured:
            output.say(f"{state.plugin.name}: {profile.note}")
        if state.check is not None:
            style = None if state.check == "ok" else "red" if state.exit_code else "yellow"
            output.say(f"{state.plugin.name}: {'the credentials work' if state.check == 'ok' else state.check}", style)
    for name, sentence in NO_PHONE_SERVICE.items():
        output.say(f"{name}: {sentence}", style="dim")
    if not checked and any(state.configured for state in states):
        output.say("--check tries the credentials of those that are set up, and buys nothing.", style="dim")


def _row(state: ProviderState) -> list[str]:
    told = state.to_json()
    used = f"{state.place}." if state.place else "set up" if state.configured else ""
    price = NOT_KNOWN if told["price"] is None else f"{told['price']:g}"
    words = ", ".join(word.replace("_", " ") for word in told["tells"])
    return [state.plugin.name, used, words, ", ".join(told["countries"]), price, f"{told['batch']:,}"]
