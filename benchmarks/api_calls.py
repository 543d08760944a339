"""How many API calls it takes to read and write changed contacts, against the fewest possible.

Run: ``.venv/bin/python benchmarks/api_calls.py [--contacts 10000]``. Counts requests, measures no time. The
contacts are edited by a "user" of the sandbox after a first sync, so the measured run is an ordinary incremental one.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from ringfence.apps.registry import crm_plugins
from ringfence.core.config.mapping import parse_mapping, resolve
from ringfence.core.model.policy import Policy
from ringfence.core.ports.services import Services
from ringfence.core.runs.run import SyncJob
from ringfence.core.runs.summary import Summary
from ringfence.core.runs.sync import SyncOptions, run_sync
from ringfence.core.state.store import Store, open_store
from ringfence.sandbox.server import Sandbox

LEADS_SHARE = 0.25
ALLOWED = 1.2


def main() -> None:
    """Print a line for each CRM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=10_000, help="how many contacts change")
    count = parser.parse_args().contacts
    people = int(count / (1 - LEADS_SHARE) * 1.1) + 100
    print(f"{count:,} contacts changed and written\n")
    print("crm         read  write  fewest  ratio  besides")

    with Sandbox(contacts=people) as sandbox, tempfile.TemporaryDirectory() as folder:
        # Requests are counted, so the sandbox's own pace is let go.
        sandbox.hubspot.searches.limit = sandbox.hubspot.calls.limit = 10**9
        store = open_store(f"sqlite:///{Path(folder) / 'state.db'}")
        for crm, edit in (("salesforce", _edit_salesforce), ("hubspot", _edit_hubspot)):
            _sync(sandbox, store, crm)
            for _ in range(2):  # the run after a writing one reads its own echo; the next one is quiet
                sandbox.clock.advance(7200)
                _sync(sandbox, store, crm)
            edit(sandbox, count)
            sandbox.clock.advance(120)
            _report(crm, _sync(sandbox, store, crm))
        store.close()


def _sync(sandbox: Sandbox, store: Store, crm: str) -> Summary:
    plugin = crm_plugins()[crm]
    prefix = f"RINGFENCE_{crm.upper()}__"
    values = {
        name.removeprefix(prefix).lower(): value
        for name, value in sandbox.settings().items()
        if name.startswith(prefix)
    }
    text = (Path(__file__).parents[1] / "mappings" / f"{crm}.yaml").read_text(encoding="utf-8")
    shapes = resolve(parse_mapping(text, crm), plugin.companion_name)
    connected = plugin.connect(plugin.settings(**values), shapes, Services(_SandboxTime(sandbox)))

    try:
        org = connected.identify()
        connected.check()
        return run_sync(SyncJob(connected, org, shapes, store, Policy(), _SandboxTime(sandbox)), SyncOptions())
    finally:
        connected.close()


class _SandboxTime:
    """The sandbox's clock for the client as well, so that both can be moved."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.now: Callable[[], object] = sandbox.clock.now
        self._sandbox = sandbox

    def monotonic(self) -> float:
        return self._sandbox.clock.now().timestamp()

    def sleep(self, seconds: float) -> None:
        self._sandbox.clock.advance(seconds)


def _edit_salesforce(sandbox: Sandbox, count: int) -> None:
    live = [id_ for id_, row in sandbox.salesforce.rows("Contact").items() if not row["DoNotCall"]]
    for index, id_ in enumerate(live[:count]):
        sandbox.salesforce.update_as_user("Contact", id_, Phone=_number(index))


def _edit_hubspot(sandbox: Sandbox, count: int) -> None:
    live = [id_ for id_, row in sandbox.hubspot.contacts.items() if row.get("rf_do_not_call") != "true"]
    for index, id_ in enumerate(live[:count]):
        sandbox.hubspot.update_as_user(id_, phone=_number(index))


def _number(index: int) -> str:
    return f"+1 212 {200 + index // 10_000 % 800:03} {index % 10_000:04}"


def _report(crm: str, summary: Summary) -> None:
    calls = summary.api_calls_by_purpose
    moved = calls["read"] + calls["write"]
    besides = ", ".join(f"{n} {name}" for name, n in calls.items() if name not in ("read", "write"))
    written = summary.total("written")
    print(
        f"{crm:10}{calls['read']:6}{calls['write']:7}{summary.fewest_api_calls:8}"
        f"{moved / summary.fewest_api_calls:7.2f}  {besides}; {summary.total('read'):,} read, {written:,} written"
    )
    if moved > summary.fewest_api_calls * ALLOWED:
        raise SystemExit(f"{crm}: more than {ALLOWED - 1:.0%} over the fewest possible")


if __name__ == "__main__":
    main()
