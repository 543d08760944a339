"""Many small accounts, each synced twice by a few workers: never one account by two at once."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from crew import Command, Crew, environment
from loopback import Loopback, Tally
from state_stores import new_store

PORTAL_WORKERS = 4
QUEUE = Path(__file__).with_name("queue_syncs.py")


def show_portals(given: argparse.Namespace) -> list[str]:
    """Print what became of the syncs, and return what did not hold."""
    print(f"### {given.portals} HubSpot accounts of {given.portal_records} contacts, {PORTAL_WORKERS} workers\n")
    options = ["--accounts", str(given.portals), "--limits"]
    with (
        Loopback("hubspot", given.portal_records, given.call_ms, options) as sandbox,
        new_store("postgresql") as store,
        tempfile.TemporaryDirectory() as name,
    ):
        folder = Path(name)
        settings = {**store, "RINGFENCE_ACCOUNTS": str(_write_accounts(folder / "accounts", sandbox))}
        Command(["runs", "list"], settings, folder).result()  # which makes the tables
        with Crew(settings, folder, PORTAL_WORKERS) as crew:
            done = subprocess.run(
                [sys.executable, str(QUEUE), "--times", "2"],
                cwd=folder, env=environment(settings), capture_output=True, text=True, check=False,
            )  # fmt: skip
            crew.check()
        if done.returncode:
            raise SystemExit(f"queue_syncs.py ended with {done.returncode}:\n{done.stderr[-2000:]}")
        _, history = Command(["runs", "list", "--limit", str(10 * given.portals)], settings, folder).result()
        return _judge_portals(json.loads(done.stdout), history["runs"], sandbox.tally(), given.portals)


def _write_accounts(folder: Path, sandbox: Loopback) -> Path:
    folder.mkdir()
    for name, settings in sandbox.accounts.items():
        file = folder / f"{name}.env"
        file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        file.chmod(0o600)
    return folder


def _judge_portals(
    found: Mapping[str, Any], history: Sequence[Mapping[str, Any]], tally: Tally, portals: int
) -> list[str]:
    """Print what became of the syncs and return what did not hold."""
    runs: dict[str, list[tuple[str, str]]] = {}
    for run in history:
        runs.setdefault(run["org"], []).append((run["started_at"], run["ended_at"]))
    at_once = sum(later[0] < earlier[1] for one in runs.values() for earlier, later in pairwise(sorted(one)))
    print(
        f"{found['done']} of {found['jobs']} syncs in {found['seconds']:.1f} s; of one account at once: {at_once}; "
        f"most calls of one account: {tally.busiest_second} in a second, {tally.busiest_ten} in ten; "
        f"refused as too many: {tally.refused}.\n",
        flush=True,
    )
    missed = [f"{at_once} syncs ran beside another one of their account"] if at_once else []
    if found["done"] < found["jobs"] or len(runs) < portals:
        missed.append(f"{found['done']} of {found['jobs']} syncs are done ({' '.join(found['errors'][:3])})")
    return [*missed, *([f"{tally.refused} calls were too many"] if tally.refused else [])]
