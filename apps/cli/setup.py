"""``ringfence setup``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ringfence.core.errors import FileError, UsageError
from ringfence.core.ports.crm import Crm

from ..wiring import wire
from .options import Json, MappingFile, Yes
from .output import output
from .sync import ask


def setup(
    crm: Annotated[str, typer.Argument(help="salesforce or hubspot")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be created; change nothing.")] = False,
    emit: Annotated[
        Path | None,
        typer.Option("--emit", metavar="DIR", help="Write it all as a deployable project instead of creating it."),
    ] = None,
    mapping: MappingFile = None,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Create the missing companion fields in the CRM, and make them visible. Can be repeated.

    What is there already is left as it is; a run that broke off is completed by the next one.
    """
    output.json = json
    if dry_run and emit is not None:
        raise UsageError("--emit writes files, and a dry run writes nothing.", "Leave one of the two out.")
    connection = wire().connect(crm, mapping)
    try:
        if emit is not None:
            _emit(connection.crm, emit)
            return 0
        org = connection.crm.identify()
        steps = connection.crm.plan_setup()
        output.say(f"{crm}: {org.name}: {len(steps) or 'nothing'} to create", style="bold")
        if dry_run:
            for step in steps:
                output.say(f"  would create {step.kind} {step.name}")
        else:
            if org.production and steps and not yes:
                ask(f"{org.name} is a production org. Create these {len(steps)}?", f"{org.name} is a production org.")
            for step in connection.crm.apply_setup(steps):
                output.say(f"  created {step.kind} {step.name}")
        output.document(
            {
                "crm": crm,
                "org": org.id,
                "dry_run": dry_run,
                "steps": [{"kind": step.kind, "name": step.name} for step in steps],
                "api_calls": sum(connection.crm.calls.values()),
            }
        )
    finally:
        connection.crm.close()
    return 0


def _emit(crm: Crm, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = crm.emit_setup(folder)
    except OSError as error:
        raise FileError(f"{folder} cannot be written: {error.strerror}.", "Name another folder.") from error
    for file in files:
        output.say(f"  {file}")
    output.say(f"{len(files)} files in {folder}")
    output.document({"crm": crm.name, "folder": str(folder), "files": [str(file) for file in files]})
