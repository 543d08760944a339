"""``ringfence setup``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ringfence.core.errors import UsageError

from ..operations import emit_setup, plan_setup
from ..wiring import Wiring
from .door import open_door
from .options import Json, MappingFile, Verbose, Yes
from .output import output
from .start import begin_wired


def setup(
    crm: Annotated[str, typer.Argument(help="salesforce or hubspot")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be created; change nothing.")] = False,
    emit: Annotated[
        Path | None,
        typer.Option("--emit", metavar="DIR", help="Write it all as a deployable project instead of creating it."),
    ] = None,
    mapping: MappingFile = None,
    yes: Yes = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Create the missing companion fields in the CRM, and make them visible. Can be repeated.

    What is there already is left as it is; a run that broke off is completed by the next one.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    if dry_run and emit is not None:
        raise UsageError("--emit writes files, and a dry run writes nothing.", "Leave one of the two out.")

    if emit is not None:
        _emit(wiring, crm, emit, mapping)
    else:
        _create(wiring, crm, mapping, dry_run=dry_run, yes=yes)
    return 0


def _emit(wiring: Wiring, crm: str, folder: Path, mapping: Path | None) -> None:
    files = emit_setup(wiring, crm, folder, mapping)

    for file in files:
        output.say(f"  {file}")
    output.say(f"{len(files)} files in {folder}")
    output.document({"crm": crm, "folder": str(folder), "files": [str(file) for file in files]})


def _create(wiring: Wiring, crm: str, mapping: Path | None, *, dry_run: bool, yes: bool) -> None:
    with plan_setup(wiring, crm, mapping) as planned:
        output.say(f"{crm}: {planned.org.name}: {len(planned.steps) or 'nothing'} to create", style="bold")

        verb, steps = ("would create", planned.steps) if dry_run else ("created", planned.create(open_door(yes=yes)))
        for step in steps:
            output.say(f"  {verb} {step.kind} {step.name}")

        output.document(
            {
                "crm": crm,
                "org": planned.org.id,
                "dry_run": dry_run,
                "steps": [{"kind": step.kind, "name": step.name} for step in planned.steps],
                "api_calls": planned.api_calls,
            }
        )
