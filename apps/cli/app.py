"""The commands, and how their errors become messages and exit codes (docs/contract.md, section 4)."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from ringfence.core.errors import Terminated, UsageError

from ..environment import read_log_format
from ..logs import show_events, start_logging
from .conclusion import conclude
from .exit_codes import DONE
from .lazy import MARKUP, group_of
from .options import Verbose
from .output import output
from .streams import make_patient
from .termination import termination

_COMMANDS = {
    "demo": "demo:demo",
    "check": "check:check",
    "setup": "setup:setup",
    "sync": "sync:sync",
    "screen": "screen:screen",
    "lookup": "lookup:lookup",
    "providers": "providers:providers",
    "export": "export:export",
    "duplicates": "duplicates:duplicates",
    "serve": "serve:serve",
    "openapi": "openapi:openapi",
    "schedule": "schedule:schedule",
    "explain": "explain:explain",
    "worker": "worker:worker",
    "sandbox": "sandbox:sandbox",
    "plan": "plan:plan",
    "runs": "runs:runs",
    "jobs": "jobs:jobs",
    "audit": "audit:audit",
    "tokens": "tokens:tokens",
    "state": "state:state",
    "suppress": "suppress:suppress",
    "review": "review:review",
    "history": "history:history",
}

app = typer.Typer(
    name="ringfence",
    cls=group_of(_COMMANDS),
    help="Keeps the phone fields of a CRM true: screens numbers, enforces opt-outs, writes back only the difference.",
    invoke_without_command=True,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=MARKUP,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done · 1 done, some rows refused · 2 usage or settings · 3 the CRM refused us · "
    "4 stopped early, run again · 70 a fault of ringfence · 130 interrupted · 143 terminated",
)


@app.callback()
def _common(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
    verbose: Verbose = False,
) -> None:
    if show_version:
        output.write(f"ringfence {version('ringfence')}")
        raise typer.Exit
    if verbose:
        show_events()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the contract's code."""
    _collect_seldom()
    make_patient()
    termination.listen()
    code = output.finish(run(arguments))
    gc.freeze()  # or else the interpreter looks for cycles among all that is left, for a tenth of a second
    sys.exit(code)


def _collect_seldom() -> None:
    """Let the garbage collector look for cycles seldom: records and changes come by the million and make none.

    At Python's own thresholds it took more than a quarter of a large sync's time.
    """
    gc.freeze()
    gc.set_threshold(1_000_000, 20, 100)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. ``arguments`` are those of the process unless given."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Known before the arguments are parsed, so that a wrong one is answered in JSON as well.
    output.json = "--json" in given
    start_logging(output.log, read_log_format())

    try:
        code = app(args=given, prog_name="ringfence", standalone_mode=False)
    except typer.Exit as stop:
        return stop.exit_code
    except typer.TyperException as error:
        return _refuse(error)
    except (KeyboardInterrupt, typer.Abort):
        return conclude(KeyboardInterrupt())
    except (Exception, Terminated) as error:  # noqa: BLE001 - whatever it is ends in one line, one document and a code
        return conclude(error)
    return code if isinstance(code, int) else DONE


def _refuse(error: typer.TyperException) -> int:
    """Say which argument is wrong. Where there are none at all, the error is empty and the help has been printed."""
    if str(error):
        message = getattr(error, "format_message", error.__str__)()  # only the formatted message names the option
        output.fail(UsageError(f"{message.rstrip('.')}.", "`--help` behind a command explains its words."))
    return UsageError.exit_code
