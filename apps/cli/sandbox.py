"""``ringfence sandbox``."""

from __future__ import annotations

import shlex
from json import dumps
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from ringfence.core.errors import FileError, UsageError
from ringfence.sandbox.plugin import installed_plugins
from ringfence.sandbox.wording import count_of, listed

from .begin import begin
from .exit_codes import DONE
from .lazy import group_of
from .options import Json, Verbose
from .output import output

SERVICES = installed_plugins()
_VENDORS = ", ".join(service.vendor for service in SERVICES)
PORTS = ",".join(str(service.port) for service in SERVICES)

SANDBOX_HELP = f"""
Run stand-ins for {listed([service.product for service in SERVICES])} on this machine, and print the settings for them.

They answer as the services do, limits and errors included, over invented people. Ctrl-C ends them, and everything
in them is gone.
"""


EnvFile = Annotated[
    Path | None, typer.Option("--env-file", metavar="FILE", help="Also write the settings to a new file.")
]
"""The option of a file for the settings, the same in every command of the sandbox."""

_COMMANDS = {"workflow": "sandbox_workflow:workflow", "signals": "sandbox_signals:signals"}

sandbox = typer.Typer(cls=group_of(_COMMANDS), help=SANDBOX_HELP, invoke_without_command=True)


@sandbox.callback()
def run_stand_ins(
    context: typer.Context,
    contacts: Annotated[int, typer.Option("--contacts", min=1, help="How many people the CRMs hold.")] = 3000,
    seed: Annotated[int, typer.Option("--seed", help="Another seed gives other people.")] = 7,
    ports: Annotated[str, typer.Option("--ports", help=f"{_VENDORS}; 0 for a free one.")] = PORTS,
    bare: Annotated[
        bool, typer.Option("--bare", help="Without the companion fields, to try `ringfence setup`.")
    ] = False,
    lookups: Annotated[
        bool, typer.Option("--lookups", help="Also serve further lookup providers, at one more port.")
    ] = False,
    env_file: EnvFile = None,
    faults: Annotated[
        Path | None,
        typer.Option("--faults", metavar="FILE", help="A YAML file of what the services do wrong, to try the worst."),
    ] = None,
    org: Annotated[
        Path | None,
        typer.Option("--org", metavar="FILE", help="A YAML file of what the accounts are like, to try one like yours."),
    ] = None,
    job_seconds: Annotated[
        float | None,
        typer.Option("--job-seconds", metavar="S", min=0, max=86_400, help="How long each bulk job takes."),
    ] = None,
    call_ms: Annotated[
        int | None,
        typer.Option("--call-ms", metavar="MS", min=0, max=600_000, help="How long every answer takes, besides."),
    ] = None,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Run the sandbox until Ctrl-C; the user reads SANDBOX_HELP, which names the services that are installed."""
    if context.invoked_subcommand is not None:
        return DONE

    # Imported here because the servers take a third of the start of every other command.
    from ringfence.sandbox.fault_file import read_faults  # noqa: PLC0415
    from ringfence.sandbox.org_file import read_org  # noqa: PLC0415
    from ringfence.sandbox.pace import with_time  # noqa: PLC0415
    from ringfence.sandbox.server import Sandbox  # noqa: PLC0415

    begin(json=json, verbose=verbose)
    chosen = with_lookups(read_ports(ports)) if lookups else read_ports(ports)
    refuse_existing(env_file)

    wrongs = with_time(None if faults is None else read_faults(faults), job_seconds=job_seconds, call_ms=call_ms)
    account = None if org is None else read_org(org)

    output.note(f"filling the sandbox with {contacts:,} people ...")

    try:
        with Sandbox(
            contacts=contacts, seed=seed, ports=chosen, bare=bare, faults=wrongs, org=account, lookups=lookups
        ) as running:
            show_settings(running.settings(), env_file)
            _show_what_to_try()
            Event().wait()
    except OSError as error:
        free = ",".join("0" for _ in SERVICES)
        raise UsageError(
            f"The sandbox cannot listen on {ports}: {error.strerror}.", f"Use other --ports, or {free}."
        ) from error
    except KeyboardInterrupt:
        output.note("the sandbox is gone")

    return DONE


def refuse_existing(env_file: Path | None) -> None:
    """Raise FileError where the file for the settings is there already."""
    if env_file is not None and env_file.exists():
        raise FileError(f"{env_file} exists already.", "Name a new file, so that no setting of yours gets lost.")


def read_ports(text: str) -> list[int]:
    """Return a port for each service, in their order. Raises UsageError that shows an example."""
    ports = [int(port) if port.strip().isdecimal() else -1 for port in text.split(",")]

    if len(ports) != len(SERVICES) or not all(0 <= port <= 65535 for port in ports):
        raise UsageError(f"{text!r} is not {count_of(len(SERVICES), 'port')}.", f"An example: --ports {PORTS}")
    return ports


def with_lookups(ports: list[int]) -> list[int]:
    """Return the ports with one more, for the lookup providers: a free one where the others are."""
    (usual,) = (each.port for each in installed_plugins(lookups=True) if each.role == "lookups")
    return [*ports, usual if any(ports) else 0]


def show_settings(settings: dict[str, str], env_file: Path | None, *, document: bool = True) -> None:
    """Print the settings as commands for a shell; write them to the file where one is given.

    With ``document`` they are also what is printed in JSON.
    """
    if env_file is not None:
        env_file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
        env_file.chmod(0o600)

    if document:
        output.document(settings)
    output.say("The sandbox is running. In another terminal, in a folder of its own:\n", style="bold")

    for name, value in settings.items():
        output.say(f"export {name}={shlex.quote(value)}", whole=True)


def _show_what_to_try() -> None:
    providers = dumps([service.name for service in SERVICES if service.role == "lookup"])
    output.say("\nTo try paid lookups (they cost nothing here):")
    output.say(f"export RINGFENCE_LOOKUP__PROVIDERS='{providers}'", whole=True)

    crm = next(service.name for service in SERVICES if service.role == "crm")
    output.say(f"\nThen: ringfence check, ringfence sync {crm} --dry-run, ringfence sync {crm}")
    output.say("Ctrl-C ends the sandbox.", style="dim")
