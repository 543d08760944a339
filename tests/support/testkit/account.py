"""A sandbox account with the command line on it, in processes of their own that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence.core.state.store import Store, open_store
from ringfence.sandbox.fault_file import parse_faults

from .account_people import AccountPeople
from .commands import Result
from .stores import all_that_is_kept

BUYING = {"RINGFENCE_LOOKUP__PROVIDERS": '["twilio"]', "RINGFENCE_LOOKUP__MAX_LOOKUPS": "1000000"}
"""A provider, and a cap that nothing meets: without one a run would ask before it buys."""

NewState = Callable[[], dict[str, str]]
"""Returns the settings of a state that is new; none for one in the account's folder."""

COMMAND = [sys.executable, "-c", "from ringfence.apps.cli import main; main()"]

SMALL_PARTS = [
    sys.executable,
    "-c",
    "from dataclasses import replace\n"
    "from ringfence.connectors.hubspot.connector import HubSpotCrm\n"
    "from ringfence.connectors.salesforce.connector import SalesforceCrm\n"
    "for crm in (HubSpotCrm, SalesforceCrm):\n"
    "    crm.capabilities = replace(crm.capabilities, worth_a_part=1)\n"
    "from ringfence.apps.cli import main; main()",
]
"""The command where few records are worth a part of a sync already."""


class Watched(Counter[str]):
    """The request counter of a service that also tells a test of each request, before it is answered."""

    tell: Callable[[str], None] | None = None

    def __setitem__(self, name: str, count: int) -> None:
        super().__setitem__(name, count)
        if self.tell is not None:
            self.tell(name)


@dataclass
class Account(AccountPeople):
    """One CRM with lookups to buy, and a folder with the state of its own."""

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)
    new_state: NewState = dict

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.extra |= self.new_state()
        self.sandbox.salesforce.page_size = 40
        self.sandbox.hubspot.searches.limit = self.sandbox.hubspot.calls.limit = 10_000
        self.sandbox.twilio.window.limit = 100_000
        self.requests, self.asked = Watched(), Watched()
        setattr(getattr(self.sandbox, self.crm), "requests", self.requests)  # noqa: B010 - the service goes by its name
        self.sandbox.twilio.requests = self.asked

    @property
    def probes(self) -> int:
        """How many of the writes that a sync begins with only ask whether it may write."""
        return 1 if self.crm == "hubspot" else 0

    def environment(self) -> dict[str, str]:
        """Settings of this account and nobody else's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")}
        return {**kept, **self.sandbox.settings(), **BUYING, **self.extra}

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """Start the command in a process of its own."""
        return subprocess.Popen(
            [*(SMALL_PARTS if "--partitions" in words else COMMAND), *words],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def finish(self, process: subprocess.Popen[str]) -> Result:
        """Wait for the command."""
        out, err = process.communicate(timeout=90)
        return Result(process.returncode, out, err)

    def killed(self, watched: Watched, is_time: Callable[[str], bool], *words: str) -> bool:
        """Run a command and kill it as a request comes in, which the service still carries out; False when it ended."""
        processes: list[subprocess.Popen[str]] = []

        def tell(name: str) -> None:
            if is_time(name):
                processes[0].send_signal(signal.SIGKILL)

        watched.tell = None
        processes.append(self.start(*words))
        watched.tell = tell
        result = self.finish(processes[0])
        watched.tell = None
        assert result.code in (0, -signal.SIGKILL), result.err
        return bool(result.code)

    def lose_state(self) -> None:
        """Let the state be gone, its key as well."""
        for path in self.folder.glob("ringfence.*"):
            path.unlink()
        self.extra |= self.new_state()

    def open_state(self) -> Store:
        """Return the account's state store, which is there; the caller closes it."""
        url = self.extra.get("RINGFENCE_STATE_URL", f"sqlite:///{self.folder / 'ringfence.db'}")
        return open_store(url, self.extra.get("RINGFENCE_ENCRYPTION_KEY"))

    def kept(self) -> bytes:
        """Return every byte that commands have left: their files, and the state on a server."""
        files = b"\n".join(path.read_bytes() for path in sorted(self.folder.iterdir()) if path.is_file())
        if "RINGFENCE_STATE_URL" not in self.extra:
            return files
        with closing(self.open_state()) as store:
            return files + all_that_is_kept(store, self.folder)

    def refuse(self, rule: Callable[..., tuple[str, str] | None] | None) -> None:
        """Give the CRM a validation rule."""
        getattr(self.sandbox, self.crm).refuse_row = rule

    def watch_writes(self, see: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Show every row of every write to a test: record id and the values to be set."""

        def look(*row: Any) -> None:
            see(str(row[-2]["Id"]) if self.crm == "salesforce" else row[0], row[-1])

        self.refuse(look)

    def fail(self, *rules: str, settings: str = "") -> None:
        """Let the services go wrong from now on: rules of a faults file, each after its service; none ends it all."""
        text = "\n".join([settings, "rules:", *(f"  - {{{rule}}}" for rule in rules)]) if rules or settings else ""
        self.sandbox.faults = parse_faults(text if rules else settings, "test") if text else None
