"""``ringfence serve``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from .door import open_door
from .exit_codes import DONE, INTERRUPTED
from .options import Json, Verbose
from .output import output
from .start import begin_wired
from .termination import JOBS_GRACE_S, termination


def serve(
    host: Annotated[str | None, typer.Option("--host", metavar="H", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", metavar="P", help="Port to listen on.")] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="URL", help="The state store, an SQLAlchemy URL.")
    ] = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Answer workflows, flows, forms and diallers over HTTP, until SIGTERM or Ctrl-C."""
    # Imported here because the server takes a third of the start of every other command.
    from ..web.serving import serve_until_ended  # noqa: PLC0415

    wiring = begin_wired(json=json, verbose=verbose)
    if state is not None:
        wiring = replace(wiring, settings=replace(wiring.settings, state_url=state))
    settings = wiring.settings.serve

    with termination.after_the_batch(JOBS_GRACE_S, after_interrupt=True):
        listen, on = host or settings.host, settings.port if port is None else port
        output.note(f"Serving http://{listen}:{on}; SIGTERM or Ctrl-C ends it.")
        serve_until_ended(wiring, open_door(), listen, on)
    return INTERRUPTED if termination.interrupted else DONE
