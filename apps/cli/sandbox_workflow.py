"""``ringfence sandbox workflow``."""

from __future__ import annotations

import json as json_text
import time
from typing import Annotated
from urllib.error import URLError
from urllib.request import urlopen

import typer

from ringfence.core.errors import UnreachableError, UsageError

from .begin import begin
from .exit_codes import DONE, REFUSED_ROWS
from .options import Json, Verbose
from .output import output
from .sandbox import PORTS, SERVICES, EnvFile, read_ports, refuse_existing, show_settings

SPARE = 1.4
"""People for each contact that is asked for: some have no phone number, and a workflow asks about none of them."""

_LOOK_S = 0.2


def workflow(
    contacts: Annotated[
        int, typer.Option("--contacts", metavar="N", min=1, help="How many contacts go through.")
    ] = 100,
    rate: Annotated[float, typer.Option("--rate", metavar="R", min=0.1, help="Executions a second.")] = 50.0,
    repeat: Annotated[
        float, typer.Option("--repeat", metavar="P", min=0, max=1, help="The share that is sent twice.")
    ] = 0.0,
    wrong_signatures: Annotated[
        float, typer.Option("--wrong-signatures", metavar="P", min=0, max=1, help="The share that is forged besides.")
    ] = 0.0,
    clock_skew: Annotated[
        float, typer.Option("--clock-skew", metavar="S", help="How many seconds HubSpot's clock is ahead.")
    ] = 0.0,
    write_back: Annotated[
        bool, typer.Option("--write-back", help="Let the verdicts be written to the contacts too.")
    ] = False,
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="The service that is called.")
    ] = "http://127.0.0.1:8080",
    wait: Annotated[
        float, typer.Option("--wait", metavar="S", min=0, help="How long to wait for the service, and for the last.")
    ] = 120.0,
    seed: Annotated[int, typer.Option("--seed", help="Another seed gives other people.")] = 7,
    ports: Annotated[str, typer.Option("--ports", help="As of `ringfence sandbox`.")] = PORTS,
    env_file: EnvFile = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Play a HubSpot workflow against a running `ringfence serve`: signed executions, and the callbacks taken.

    It prints the settings that `serve` needs for it, waits until that answers, sends an execution for each contact and
    tells how many were completed, how fast, and whether any was completed twice. Exit code 1 where one is missing.
    """
    # Imported here because the servers take a third of the start of every other command.
    from ringfence.sandbox.hubspot.workflow_run import WorkflowPlan, run_workflow  # noqa: PLC0415
    from ringfence.sandbox.server import Sandbox  # noqa: PLC0415

    begin(json=json, verbose=verbose)
    chosen = read_ports(ports)
    refuse_existing(env_file)
    plan = WorkflowPlan(contacts, rate, repeat, wrong_signatures, clock_skew, write_back, wait)

    people = int(contacts * SPARE) + 20
    output.note(f"filling the sandbox with {people:,} people ...")
    try:
        with Sandbox(contacts=people, seed=seed, ports=chosen) as running:
            show_settings({**running.settings(), **_lookups()}, env_file, document=False)
            output.say("\nThen: ringfence serve")
            await_service(url, wait)
            report = run_workflow(running.hubspot, url, plan)
    except OSError as error:
        raise UsageError(
            f"The sandbox cannot listen on {ports}: {error.strerror}.", "Use other --ports, with 0 for a free one."
        ) from error

    output.document(report.as_dict())
    output.say(
        f"{report.completed:,} of {report.sent:,} executions completed: {report.at_once:,} at once, "
        f"{report.by_callback:,} by {report.calls:,} callbacks; {report.failed:,} went on as failed.",
        style="bold",
    )
    output.say(
        f"answer p50 {report.answer_p50 * 1000:.0f} ms, p99 {report.answer_p99 * 1000:.0f} ms; "
        f"completed p50 {report.told_p50:.2f} s, p99 {report.told_p99:.2f} s; {report.seconds:.0f} s in all"
    )
    if report.repeated or report.sent_again:
        output.say(f"{report.repeated:,} were sent twice on purpose, {report.sent_again:,} calls because of a fault")
    if report.forged:
        output.say(f"{report.forged:,} forged requests, {report.forged_accepted:,} of them accepted")
    for count, what in (
        (report.refused, "were refused"),
        (report.twice, "were completed twice"),
        (report.missing, "are missing"),
    ):
        if count:
            output.say(f"{count:,} {what}", style="yellow")
    return DONE if report.is_good else REFUSED_ROWS


def _lookups() -> dict[str, str]:
    """Return the settings by which the service looks numbers up in the sandbox, where that costs nothing."""
    providers = [service.name for service in SERVICES if service.role == "lookup"]
    return {"RINGFENCE_LOOKUP__PROVIDERS": json_text.dumps(providers), "RINGFENCE_LOOKUP__MAX_PER_DAY": "1000000"}


def await_service(url: str, seconds: float) -> None:
    """Return once the service answers. Raises UnreachableError where it does not in time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urlopen(f"{url.rstrip('/')}/healthz", timeout=5):  # noqa: S310 - the address is the user's own word
                return
        except (URLError, OSError) as error:
            if time.monotonic() >= deadline:
                raise UnreachableError(
                    f"Nobody answers at {url}.", "Start `ringfence serve` with the settings above, or name its --url."
                ) from error
            time.sleep(_LOOK_S)
