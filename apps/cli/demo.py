"""``ringfence demo``."""

from __future__ import annotations

import json as json_text
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from ringfence.core.errors import UnreachableError
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions
from ringfence.core.state.store import Store
from ringfence.sandbox.plugin import installed_plugins
from ringfence.sandbox.wording import count_of, listed

from ..operations.preflight import require_ready
from ..operations.runs import Account, run_sync_job
from ..wiring import Wiring, wire
from .begin import begin
from .door import open_door
from .exit_codes import exit_code, worst
from .options import Json, Verbose
from .output import output
from .render import show_summary

_SERVICES = installed_plugins()
_CRMS = [service.name for service in _SERVICES if service.role == "crm"]
_PROVIDERS = [service.name for service in _SERVICES if service.role == "lookup"]

DEMO_HELP = f"""
Clean {count_of(len(_CRMS), "CRM")} on this machine, through the real client libraries, and show what changed.

Starts stand-ins for {listed([service.product for service in _SERVICES])}, syncs each CRM twice, and leaves nothing
behind. Needs no account and no network. The second pass shows that running again changes nothing.
"""

EXTRA_CALLS = "(Fewest: each record read and written once; the others carry opt-outs further.)"


def demo(
    contacts: Annotated[int, typer.Option("--contacts", min=1, help="How many people the CRMs hold.")] = 1500,
    seed: Annotated[int, typer.Option("--seed", help="Another seed gives other people.")] = 7,
    verbose: Verbose = False,
    json: Json = False,
) -> int:
    begin(json=json, verbose=verbose)
    crms = count_of(len(_CRMS), "CRM")
    output.say(f"A whole sync of {crms}, over HTTP on this machine. Nothing leaves it, nothing is kept.\n")
    output.note(f"filling the sandbox with {contacts:,} people ...")

    with tempfile.TemporaryDirectory(prefix="ringfence-demo-") as folder, _sandbox(contacts, seed) as settings:
        environment = {
            **settings,
            "RINGFENCE_STATE_URL": f"sqlite:///{Path(folder) / 'demo.db'}",
            "RINGFENCE_LOOKUP__PROVIDERS": json_text.dumps(_PROVIDERS),
        }

        with _environment(environment, Path(folder)):
            passes = list(chain.from_iterable(map(_sync_twice, _CRMS)))

    output.document({"passes": [summary.to_json() for summary in passes]})
    return worst(*map(exit_code, passes))


demo.__doc__ = DEMO_HELP  # which a literal could not be: it names the services that are installed


def _sync_twice(crm: str) -> Iterator[Summary]:
    """Sync a CRM twice, as two runs of the command would, and print and yield the summary of each."""
    wiring = wire()
    store = wiring.open_state()

    try:
        yield _first_pass(wiring, crm, store)
        yield _second_pass(wiring, crm, store)
    finally:
        store.close()


def _first_pass(wiring: Wiring, crm: str, store: Store) -> Summary:
    connection = wiring.connect(crm)

    try:
        org = connection.crm.identify()
        require_ready(connection.crm.check(), crm)
        output.rule(f"{crm}: first pass")
        summary = run_sync_job(Account(wiring, connection, org, store), SyncOptions(confirm_cost=True), open_door())
    finally:
        connection.crm.close()

    show_summary(output, summary)
    if _calls(summary) > summary.fewest_api_calls:
        output.say(EXTRA_CALLS, style="dim")
    return summary


def _second_pass(wiring: Wiring, crm: str, store: Store) -> Summary:
    connection = wiring.connect(crm)

    try:
        output.rule(f"{crm}: second pass", above=True)
        account = Account(wiring, connection, connection.crm.identify(), store)
        summary = run_sync_job(account, SyncOptions(confirm_cost=True), open_door())
    finally:
        connection.crm.close()

    written, read, fresh = (summary.total(name) for name in ("written", "read", "skipped_recent"))
    outcome = f"{written:,} records changed." if written else "Nothing to change."
    output.say(f"{outcome} {read:,} records read again, {fresh:,} skipped as fresh, {summary.api_calls} API calls.\n")
    return summary


def _calls(summary: Summary) -> int:
    return sum(summary.api_calls_by_purpose.get(purpose, 0) for purpose in ("read", "write"))


@contextmanager
def _sandbox(contacts: int, seed: int) -> Iterator[dict[str, str]]:
    """Run the sandbox as a process of its own, so that client and servers do not share an interpreter."""
    command = [sys.executable, "-m", "ringfence.sandbox", "--contacts", str(contacts), "--seed", str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own module
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                raise UnreachableError("The sandbox did not start.", "Its own words are above; try again.")
            settings: dict[str, Any] = json_text.loads(line)
            yield settings
        finally:
            process.terminate()


@contextmanager
def _environment(values: dict[str, str], folder: Path) -> Iterator[None]:
    """Let only the demo's settings count: not the user's variables, not the user's .env."""
    kept, here = dict(os.environ), Path.cwd()

    for name in [name for name in os.environ if name.upper().startswith("RINGFENCE_")]:
        del os.environ[name]

    os.environ.update(values)
    os.chdir(folder)

    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(kept)
