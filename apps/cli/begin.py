"""How every command begins: what is shown, and where."""

from __future__ import annotations

from ..logs import show_events
from .output import output


def begin(*, json: bool, verbose: bool) -> None:
    """Set what the options of a command say about its output."""
    output.json = json
    if verbose:
        show_events()
