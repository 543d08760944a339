"""How a command begins: what is shown, and where."""

from __future__ import annotations

from ..logs import hide_secrets, show_events
from ..wiring import Wiring, wire
from .output import output
from .termination import termination


def begin(*, json: bool, verbose: bool) -> None:
    """Set what the options of a command say about its output."""
    output.json = json
    if verbose:
        show_events()


def begin_wired(*, json: bool, verbose: bool) -> Wiring:
    """Begin, load the settings and return the wiring. Raises SettingsError."""
    begin(json=json, verbose=verbose)

    wiring = wire(termination.patience)
    hide_secrets(wiring.secrets())
    return wiring
