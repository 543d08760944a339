"""How a command begins that needs the settings."""

from __future__ import annotations

from ..logs import hide_secrets
from ..wiring import Wiring, wire
from .begin import begin
from .termination import termination


def begin_wired(*, json: bool, verbose: bool) -> Wiring:
    """Begin, load the settings and return the wiring. Raises SettingsError."""
    begin(json=json, verbose=verbose)

    wiring = wire(termination.patience)
    hide_secrets(wiring.secrets())
    return wiring
