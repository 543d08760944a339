"""``ringfence serve``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from ringfence.core.errors import UsageError

from ..logs import show_events
from .exit_codes import DONE, INTERRUPTED
from .options import Json, Verbose
from .output import output
from .start import begin_wired
from .termination import JOBS_GRACE_S, termination

JOBS_AT_ONCE = 8
"""Many of them wait for a CRM, and a long sync must not keep short work waiting."""


def serve(
    host: Annotated[str | None, typer.Option("--host", metavar="H", help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", metavar="P", help="Port to listen on; 0 for a free one.")
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="URL", help="The state store, an SQLAlchemy URL.")
    ] = None,
    concurrency: Annotated[
        int, typer.Option("--concurrency", metavar="N", help="How many jobs it carries out at once.")
    ] = JOBS_AT_ONCE,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Answer workflows, flows, forms and diallers over HTTP, until SIGTERM or Ctrl-C.

    It listens on this machine alone unless --host says otherwise, which needs a token: see `ringfence tokens add`. It
    also carries out jobs, with or without workers. Asked to end, it answers what it has accepted and hands its jobs
    back, within 30 seconds.
    """
    # Imported here because the server takes a third of the start of every other command.
    from ..web.serving import Serving, serve_until_ended  # noqa: PLC0415

    wiring = begin_wired(json=json, verbose=verbose)
    if concurrency < 1:
        raise UsageError(f"--concurrency {concurrency} would do nothing.", "Give 1 or more.")
    if state is not None:
        wiring = replace(wiring, settings=replace(wiring.settings, state_url=state))
    show_events()  # the line of each request is one
    settings = wiring.settings.serve

    with termination.after_the_batch(JOBS_GRACE_S, after_interrupt=True):
        served = serve_until_ended(
            wiring,
            Serving(
                host=host or settings.host,
                port=settings.port if port is None else port,
                concurrency=concurrency,
                must_end=lambda: termination.asked,
                forward=output.pass_on,
                began=lambda on: output.note(
                    f"Serving http://{host or settings.host}:{on}; SIGTERM or Ctrl-C ends it."
                ),
            ),
        )
    output.document(served.as_dict())
    output.say(f"{served.requests:,} requests answered")
    return INTERRUPTED if termination.interrupted else DONE
