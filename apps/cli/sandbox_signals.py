"""``ringfence sandbox signals``."""

from __future__ import annotations

from typing import Annotated

import typer

from .begin import begin
from .exit_codes import DONE, REFUSED_ROWS
from .options import Json, Verbose
from .output import output
from .sandbox import EnvFile, refuse_existing, show_settings
from .sandbox_workflow import await_service


def signals(
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="How many signals are sent.")] = 100,
    repeat: Annotated[
        float, typer.Option("--repeat", metavar="P", min=0, max=1, help="The share that is sent twice.")
    ] = 0.1,
    forged: Annotated[
        float, typer.Option("--forged", metavar="P", min=0, max=1, help="The share that is forged besides.")
    ] = 0.1,
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="The service that is called, as its public URL says it.")
    ] = "http://127.0.0.1:8080",
    wait: Annotated[
        float, typer.Option("--wait", metavar="S", min=0, help="How long to wait for the service.")
    ] = 120.0,
    env_file: EnvFile = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Play Twilio, Vonage, Telnyx and a dialler against a running `ringfence serve`: STOPs, reports, ends of calls.

    It prints the settings by which `serve` knows them, waits until that answers, sends the signals, repeats some,
    forges others, and tells what came of it. Exit code 1 where an answer is not the documented one. What is blocked are
    numbers that nobody has; still, take a state store of its own for it.
    """
    # Imported here because it would slow every other command down.
    from ringfence.sandbox.signals.run import SignalPlan, run_signals  # noqa: PLC0415
    from ringfence.sandbox.signals.vendors import settings  # noqa: PLC0415

    begin(json=json, verbose=verbose)
    refuse_existing(env_file)

    show_settings(settings(), env_file, document=False)
    output.say("\nThen: ringfence serve")
    await_service(url, wait)
    report = run_signals(url, SignalPlan(count, repeat, forged))

    output.document(report.as_dict())
    output.say(
        f"{report.sent:,} signals and {report.repeated:,} repeats sent, {report.accepted:,} accepted; "
        f"{report.forged_refused:,} of {report.forged:,} forged ones refused.",
        style="bold",
    )
    output.say(f"answer p50 {report.p50 * 1000:.0f} ms, p99 {report.p99 * 1000:.0f} ms; {report.seconds:.0f} s in all")
    for name, times in report.became.items():
        output.say(f"  {name}: {times:,}")
    for each in report.odd[:_SHOWN]:
        output.say(each, style="yellow")
    return DONE if report.is_good else REFUSED_ROWS


_SHOWN = 20
