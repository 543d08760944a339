"""A sandbox account and the command line on it: in this process, or in one of its own that can be killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ringfence.apps.cli.app import run
from ringfence.apps.registry import crm_plugins
from ringfence.connectors.hubspot import limits
from ringfence.core.clock import SystemClock
from ringfence.core.model.record_view import screened_value
from ringfence.sandbox.fault_file import parse_faults
from ringfence.sandbox.salesforce.writes import new_row
from ringfence.sandbox.server import Sandbox

COMMAND = [sys.executable, "-c", "from ringfence.apps.cli import main; main()"]
PEOPLE = 300
# Creation too: two sandboxes are filled moments apart, and a fraction of a second shows in it.
STAMPS = ("modified", "modstamp", "createdate", "createddate", "updatedate", "last_screened", "updated_at")
NAMES = {
    "salesforce": {
        "object": "Contact",
        "phone": "Phone",
        "mobile": "MobilePhone",
        "flag": "DoNotCall",
        "country": "MailingCountry",
    },
    "hubspot": {
        "object": "contacts",
        "phone": "phone",
        "mobile": "mobilephone",
        "flag": "rf_do_not_call",
        "country": "country",
    },
}

Rows = dict[tuple[str, str], dict[str, Any]]


@dataclass
class Result:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)

    def total(self, name: str) -> int:
        """A count of a sync over all objects."""
        return sum(counts[name] for counts in self.document["objects"].values())


class Watched(Counter[str]):
    """The request counter of a service that also tells a test of each request, before it is answered."""

    tell: Callable[[str], None] | None = None

    def __setitem__(self, name: str, count: int) -> None:
        super().__setitem__(name, count)
        if self.tell is not None:
            self.tell(name)


@dataclass
class Account:
    """One CRM with lookups to buy, and a folder with the state of its own."""

    crm: str
    sandbox: Sandbox
    folder: Path
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        self.sandbox.salesforce.page_size = 40
        self.sandbox.hubspot.searches.limit = self.sandbox.hubspot.calls.limit = 10_000
        self.sandbox.twilio.window.limit = 100_000
        self.requests, self.asked = Watched(), Watched()
        setattr(getattr(self.sandbox, self.crm), "requests", self.requests)  # noqa: B010 - the service goes by its name
        self.sandbox.twilio.requests = self.asked

    @property
    def names(self) -> Mapping[str, str]:
        """This CRM's names of the phone fields and the flag, and of its first object."""
        return NAMES[self.crm]

    @property
    def probes(self) -> int:
        """How many of the writes that a sync begins with only ask whether it may write."""
        return 1 if self.crm == "hubspot" else 0

    def environment(self) -> dict[str, str]:
        """Settings of this account and nobody else's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")}
        return {**kept, **self.sandbox.settings(), "RINGFENCE_LOOKUP__PROVIDERS": '["twilio"]', **self.extra}

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """Start the command in a process of its own."""
        return subprocess.Popen(
            [*COMMAND, *words],
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

    def rows(self) -> Rows:
        """Everything that the CRM holds about people."""
        if self.crm == "hubspot":
            return {("contacts", id_): dict(row) for id_, row in self.sandbox.hubspot.contacts.items()}
        salesforce = self.sandbox.salesforce
        return {
            (name, id_): {key: row[key] for key in row}
            for name in ("Contact", "Lead")
            for id_, row in salesforce.rows(name).items()
        }

    def everything(self) -> Rows:
        """All that the CRM holds, of every object, deleted records too."""
        if self.crm == "salesforce":
            tables = self.sandbox.salesforce.tables
            return {(name, id_): dict(row) for name, table in tables.items() for id_, row in table.rows.items()}
        stores = self.sandbox.hubspot.stores
        return {
            (name, str(id_)): dict(row.properties) for name, store in stores.items() for id_, row in store.rows.items()
        }

    def watch_writes(self, see: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Show every row of every write to a test: record id and the values to be set."""

        def look(*row: Any) -> None:
            see(str(row[-2]["Id"]) if self.crm == "salesforce" else row[0], row[-1])

        self.refuse(look)

    def map(self, **normalize: bool) -> str:
        """Write a mapping of the first object that normalises these slots; return the file's name."""
        names = self.names
        slots = ", ".join(f"{names[role]}: {{normalize: {value}}}" for role, value in normalize.items())
        lines = [
            f"crm: {self.crm}",
            f"objects: {{{names['object']}: {{phones: {{{slots}}},",
            f"  opt_out: {{field: {names['flag']}}}, region: {{field: {names['country']}}}}}}}",
        ]
        (self.folder / "mapping.yaml").write_text("\n".join(lines), encoding="utf-8")
        return "mapping.yaml"

    def lasting(self) -> Rows:
        """The rows without the stamps, which tell when and not what."""
        return {
            key: {name: value for name, value in row.items() if not any(stamp in name.lower() for stamp in STAMPS)}
            for key, row in self.rows().items()
        }

    def verdicts(self) -> dict[tuple[tuple[str, str], str], tuple[Any, ...]]:
        """What each slot of each record says, and whether the record is flagged; the words of the reason aside."""
        kinds = ("status", "e164", "line_type", "screened_value")
        return {
            (key, role): (self.is_flagged(row), *(row.get(self.companion(kind, role)) for kind in kinds))
            for key, row in self.live().items()
            for role in ("phone", "mobile")
        }

    def edit(self, key: tuple[str, str], **values: Any) -> None:
        """Edit a record as a person does; the values go by role: phone, mobile, flag."""
        self.set(key, **{self.names[role]: value for role, value in values.items()})

    def set(self, key: tuple[str, str], **named: Any) -> None:
        """Edit a record as a person does; the values go by field."""
        if self.crm == "hubspot":
            shown = {name: str(value).lower() if isinstance(value, bool) else value for name, value in named.items()}
            self.sandbox.hubspot.update_as_user(key[1], **shown)
        else:
            self.sandbox.salesforce.update_as_user(key[0], key[1], **named)

    def refuse(self, rule: Callable[..., tuple[str, str] | None] | None) -> None:
        """Give the CRM a validation rule."""
        getattr(self.sandbox, self.crm).refuse_row = rule

    def add(self, count: int, **values: Any) -> list[tuple[str, str]]:
        """Let that many people be there all at once, as an import brings them; the values go by role."""
        named = {self.names[role]: value for role, value in values.items()}
        if self.crm == "hubspot":
            portal = self.sandbox.hubspot
            with portal.lock:
                now = portal.now()
                rows = [portal.stores["contacts"].add(portal.new_id(), named, now, now) for _ in range(count)]
            return [("contacts", str(row.id)) for row in rows]

        org = self.sandbox.salesforce

        with org.lock:
            table, values = org.table("Contact"), {"LastName": "Doe", **named}
            return [
                ("Contact", table.insert(new_row(org, table, values, org.human_id, org.stamp()))) for _ in range(count)
            ]

    def age(self, **units: float) -> None:
        """Let every verdict be that old."""
        when = self.sandbox.clock.now() - timedelta(**units)
        value = str(int(when.timestamp() * 1000)) if self.crm == "hubspot" else when
        for key, row in self.live().items():
            stamps = [self.companion("last_screened", role) for role in ("phone", "mobile")]
            self.set(key, **{name: value for name in stamps if row.get(name)})

    def merge(self, winner: tuple[str, str], loser: tuple[str, str]) -> tuple[str, str]:
        """Merge a record into another and return the one that is left."""
        if self.crm == "hubspot":
            return "contacts", self.sandbox.hubspot.merge(winner[1], loser[1])
        self.sandbox.salesforce.merge(winner[1], [loser[1]])
        return winner

    def stamp(self, keys: Iterable[tuple[str, str]], seconds_ago: float = 0) -> None:
        """Give records of one object one modification time."""
        when, keys = self.sandbox.clock.now() - timedelta(seconds=seconds_ago), list(keys)
        ids = [id_ for _, id_ in keys]
        if self.crm == "hubspot":
            self.sandbox.hubspot.set_modified(ids, when)
        else:
            self.sandbox.salesforce.set_modified(keys[0][0], ids, when)

    def pass_time(self, **units: float) -> None:
        """Let time pass in the CRM."""
        self.sandbox.clock.advance(timedelta(**units).total_seconds())

    def fail(self, *rules: str, settings: str = "") -> None:
        """Let the services go wrong from now on: rules of a faults file, each after its service; none ends it all."""
        text = "\n".join([settings, "rules:", *(f"  - {{{rule}}}" for rule in rules)]) if rules or settings else ""
        self.sandbox.faults = parse_faults(text if rules else settings, "test") if text else None

    def live(self) -> Rows:
        """The records that people still work with: not deleted, merged away or converted."""
        return {key: row for key, row in self.rows().items() if not row.get("IsDeleted") and not row.get("IsConverted")}

    def unscreened(self) -> list[tuple[tuple[str, str], str]]:
        """The filled slots whose verdict is missing or about another content, and empty ones that still have one."""
        found = []
        for key, row in self.live().items():
            for role in ("phone", "mobile"):
                content, about = row.get(self.names[role]), row.get(self.companion("screened_value", role))
                if (about or None) != (screened_value(content) if (content or "").strip() else None):
                    found.append((key, role))
        return found

    def companion(self, name: str, role: str = "phone") -> str:
        """The field of a companion: status, e164, screened_value."""
        field_name = self.names[role]
        if self.crm == "hubspot":
            return f"rf_{field_name}_{name}"
        shown = {"e164": "E164"}.get(name) or "_".join(word.capitalize() for word in name.split("_"))
        return f"RF_{field_name}_{shown}__c"

    def is_ours(self, field_name: str) -> bool:
        """Tell whether the field is a companion or the flag."""
        return field_name == self.names["flag"] or bool(re.match(r"(?i)rf_\w*phone_", field_name))

    def is_flagged(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a person or ringfence has raised the row's flag."""
        return row.get(self.names["flag"]) in (True, "true")


@pytest.fixture(params=sorted(crm_plugins()))
def crm(request: pytest.FixtureRequest) -> str:
    """Give each registered CRM in turn."""
    return str(request.param)


@pytest.fixture
def people() -> int:
    """How many people the sandbox holds."""
    return PEOPLE


@pytest.fixture
def open_account(crm: str, people: int, tmp_path: Path) -> Iterator[Callable[[str], Account]]:
    """Open accounts that are alike to the last byte, each on its own servers."""
    now, running = datetime.now(UTC), []

    def open_one(name: str) -> Account:
        sandbox = Sandbox(contacts=people, now=now)
        sandbox.start()
        running.append(sandbox)
        return Account(crm, sandbox, tmp_path / name)

    yield open_one
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def account(open_account: Callable[[str], Account]) -> Account:
    """Give one account."""
    return open_account("here")


@pytest.fixture
def command(account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command of the account in this process, which is quicker, and does not wait for the search limit."""
    monkeypatch.chdir(account.folder)
    monkeypatch.setattr(limits, "SEARCHES_PER_SECOND", 1_000)

    def call(*words: str) -> Result:
        for name, value in account.environment().items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = run(list(words))
        told = capsys.readouterr()
        return Result(code, told.out, told.err)

    return call


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pauses before further tries pass at once; how long they are is tested elsewhere."""
    monkeypatch.setattr(SystemClock, "sleep", lambda _clock, _seconds: None)
