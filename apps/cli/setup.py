"""``ringfence setup``."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from ringfence.core.errors import RefusedError, UsageError
from ringfence.core.ports.service_address import ServiceAddress
from ringfence.core.ports.setup_steps import Removal

from ..operations.setup import emit_setup, plan_removal, plan_setup
from ..wiring import Wiring
from .door import open_door
from .exit_codes import DONE
from .options import Json, MappingFile, Verbose, Yes
from .output import output
from .setup_steps import count_steps, show_steps, step_document, tell_steps
from .start import begin_wired


def setup(
    crm: Annotated[
        str, typer.Argument(help="salesforce or hubspot; the account's name where RINGFENCE_ACCOUNTS is set.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be created, or taken away; change nothing.")
    ] = False,
    emit: Annotated[
        Path | None,
        typer.Option(
            "--emit",
            metavar="DIR",
            help="Write it all as a deployable project instead of creating it; needs no credentials.",
        ),
    ] = None,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take away what set-up has made, with what the records hold in it.")
    ] = False,
    with_opt_outs: Annotated[
        bool,
        typer.Option("--with-opt-outs", help="With --remove: also the field that set-up made for people's opt-outs."),
    ] = False,
    mapping: MappingFile = None,
    yes: Yes = False,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    """Create the missing companion fields in the CRM, and make them visible. Can be repeated.

    What is there already is left as it is; a run that broke off is completed by the next one. Exit code 3 when the CRM
    refused some of it.
    """
    wiring = begin_wired(json=json, verbose=verbose)
    _check(dry_run=dry_run, emit=emit, remove=remove, with_opt_outs=with_opt_outs)

    if emit is not None:
        return _emit(wiring, crm, emit, mapping)
    if remove:
        return _remove(wiring, crm, mapping, dry_run=dry_run, yes=yes, opt_outs=with_opt_outs)
    return _create(wiring, crm, mapping, dry_run=dry_run, yes=yes)


def _check(*, dry_run: bool, emit: Path | None, remove: bool, with_opt_outs: bool) -> None:
    if dry_run and emit is not None:
        raise UsageError("--emit writes files, and a dry run writes nothing.", "Leave one of the two out.")
    if remove and emit is not None:
        raise UsageError(
            "--emit writes the way back into the same project, and --remove goes it.", "Leave one of the two out."
        )
    if with_opt_outs and not remove:
        raise UsageError("--with-opt-outs says what --remove takes away.", "Add --remove, or leave it out.")


def _emit(wiring: Wiring, crm: str, folder: Path, mapping: Path | None) -> int:
    files = emit_setup(wiring, crm, folder, mapping, api=_describe_api(wiring))

    for file in files:
        output.say(f"  {file}")
    output.say(f"{len(files)} files in {folder}; {folder / 'README.md'} says how to deploy them.")
    output.document({"crm": crm, "folder": str(folder), "files": [str(file) for file in files]})
    return DONE


def _describe_api(wiring: Wiring) -> str:
    # Imported here because the server takes a third of the start of every other command.
    from ..web.app import describe  # noqa: PLC0415
    from ..web.description import OpenApiVersion  # noqa: PLC0415

    service = ServiceAddress(wiring.settings.serve.public_url or "")
    return dumps(describe(OpenApiVersion.V3_0, service.at()))


def _create(wiring: Wiring, crm: str, mapping: Path | None, *, dry_run: bool, yes: bool) -> int:
    with plan_setup(wiring, crm, mapping) as planned:
        output.say(f"{crm}: {planned.org.name}: {count_steps(planned.steps)} to create", style="bold")
        show_steps(planned.steps)
        for remark in planned.remarks:
            output.say(remark)

        done = planned.steps if dry_run else list(tell_steps("created", planned.create(open_door(yes=yes))))
        refused = [step for step in done if step.refused]
        output.document(
            {
                "crm": crm,
                "org": planned.org.id,
                "dry_run": dry_run,
                "steps": [step_document(step) for step in done],
                "refused": len(refused),
                "remarks": list(planned.remarks),
                "api_calls": planned.api_calls,
            }
        )
    return _end(len(refused), len(done), "created", "What is there now stays; mend it and run setup again.")


def _remove(wiring: Wiring, crm: str, mapping: Path | None, *, dry_run: bool, yes: bool, opt_outs: bool) -> int:
    with plan_removal(wiring, crm, mapping, opt_outs=opt_outs) as planned:
        removal = planned.removal
        output.say(f"{crm}: {planned.org.name}: {count_steps(removal.steps)} to take away", style="bold")
        show_steps(removal.steps)
        _show_loss(removal)

        done = removal.steps if dry_run else list(tell_steps("removed", planned.remove(open_door(yes=yes))))
        refused = [step for step in done if step.refused]
        output.document(
            {
                "crm": crm,
                "org": planned.org.id,
                "dry_run": dry_run,
                "removed": not dry_run,
                "steps": [step_document(step) for step in done],
                "refused": len(refused),
                "records": dict(removal.records),
                "opt_outs": dict(removal.opt_outs),
                "kept": [{"name": one.name, "why": one.why} for one in removal.kept],
                "api_calls": planned.api_calls,
            }
        )
    return _end(len(refused), len(done), "removed", "Take it out of what uses it, and run `setup --remove` again.")


def _show_loss(removal: Removal) -> None:
    for name, count in removal.records.items():
        held = "it is not known how many records hold" if count is None else f"{count:,} records hold"
        output.say(f"{name}: {held} something in these fields, which goes with them.")
    for name, count in removal.opt_outs.items():
        held = "an unknown number of opt-outs is" if count is None else f"{count:,} opt-outs are"
        output.say(f"{name}: {held} lost: the next sync takes them for lifted.", style="bold red")
    for one in removal.kept:
        output.item(f"{one.name}: {one.why}", mark="stays")


def _end(refused: int, total: int, verb: str, remedy: str) -> int:
    if not refused:
        return DONE
    output.complain(f"{refused} of {total} were not {verb}: the CRM refused them, in the words above.", remedy)
    return RefusedError.exit_code
