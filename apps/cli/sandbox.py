"""``ringfence sandbox``."""

from __future__ import annotations

import shlex
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from ringfence.core.errors import FileError, UsageError

from .options import Json
from .output import output

PORTS = (8461, 8462, 8463)


def sandbox(
    contacts: Annotated[int, typer.Option("--contacts", min=1, help="How many people the CRMs hold.")] = 3000,
    seed: Annotated[int, typer.Option("--seed", help="Another seed gives other people.")] = 7,
    ports: Annotated[str, typer.Option("--ports", help="Salesforce, HubSpot, Twilio; 0 for a free one.")] = ",".join(
        map(str, PORTS)
    ),
    bare: Annotated[
        bool, typer.Option("--bare", help="Without the companion fields, to try `ringfence setup`.")
    ] = False,
    env_file: Annotated[
        Path | None,
        typer.Option("--env-file", metavar="FILE", help="Also write the settings to a new file."),
    ] = None,
    faults: Annotated[
        Path | None,
        typer.Option("--faults", metavar="FILE", help="A YAML file of what the services do wrong, to try the worst."),
    ] = None,
    json: Json = False,
) -> int:
    """Run stand-ins for Salesforce, HubSpot and Twilio Lookup on this machine, and print the settings for them.

    They answer as the services do, limits and errors included, over invented people. Ctrl-C ends them, and everything
    in them is gone.
    """
    # Imported here because the servers take a third of the start of every other command.
    from ringfence.sandbox.fault_file import read_faults  # noqa: PLC0415
    from ringfence.sandbox.server import Sandbox  # noqa: PLC0415

    output.json = json
    chosen = [int(port) if port.strip().isdecimal() else -1 for port in ports.split(",")]
    if len(chosen) != len(PORTS) or not all(0 <= port <= 65535 for port in chosen):
        raise UsageError(f"{ports!r} is not three ports.", "An example: --ports 8461,8462,8463")
    if env_file is not None and env_file.exists():
        raise FileError(f"{env_file} exists already.", "Name a new file, so that no setting of yours gets lost.")
    wrongs = None if faults is None else read_faults(faults)
    output.note(f"filling the sandbox with {contacts:,} people ...")
    try:
        with Sandbox(contacts=contacts, seed=seed, ports=chosen, bare=bare, faults=wrongs) as running:
            settings = running.settings()
            _tell(settings, env_file)
            Event().wait()
    except OSError as error:
        raise UsageError(
            f"The sandbox cannot listen on {ports}: {error.strerror}.", "Use other --ports, or 0,0,0."
        ) from error
    except KeyboardInterrupt:
        output.note("the sandbox is gone")
    return 0


def _tell(settings: dict[str, str], env_file: Path | None) -> None:
    if env_file is not None:
        env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
        env_file.chmod(0o600)
    output.document(settings)
    output.say("The sandbox is running. In another terminal, in a folder of its own:\n", style="bold")
    for name, value in settings.items():
        output.say(f"export {name}={shlex.quote(value)}", whole=True)
    output.say("\nTo try paid lookups (they cost nothing here):")
    output.say("export RINGFENCE_LOOKUP__PROVIDERS='[\"twilio\"]'", whole=True)
    output.say("\nThen: ringfence check, ringfence sync salesforce --dry-run, ringfence sync salesforce")
    output.say("Ctrl-C ends the sandbox.", style="dim")
