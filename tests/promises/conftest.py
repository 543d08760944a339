"""A sandbox account and the command line on it: in this process, or in one of its own that can be killed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringfence.apps.cli.app import run
from ringfence.apps.registry import crm_plugins
from ringfence.connectors.sandbox.server import Sandbox

COMMAND = [sys.executable, "-c", "from ringfence.apps.cli import main; main()"]
PEOPLE = 300
# Creation too: two sandboxes are filled moments apart, and a fraction of a second shows in it.
STAMPS = ("modified", "modstamp", "createdate", "createddate", "updatedate", "last_screened", "updated_at")
NAMES = {
    "salesforce": {"object": "Contact", "phone": "Phone", "mobile": "MobilePhone", "flag": "DoNotCall"},
    "hubspot": {"object": "contacts", "phone": "phone", "mobile": "mobilephone", "flag": "rf_do_not_call"},
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


def is_write(request: str) -> bool:
    """Tell whether a request, as the sandbox counts it, changes records."""
    return request.endswith("/batch/update") or request.startswith("PATCH") or request == "POST composite"


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

    def environment(self) -> dict[str, str]:
        """Settings of this account and nobody else's."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGFENCE_")}
        return {**kept, **self.sandbox.settings(), "RINGFENCE_LOOKUP__PROVIDERS": '["twilio"]', **self.extra}

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the command in a process of its own."""
        return subprocess.Popen(
            [*COMMAND, *words],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process: subprocess.Popen[str]) -> Result:
        """Wait for the command."""
        out, err = process.communicate(timeout=90)
        return Result(process.returncode, out, err)

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

    def lasting(self) -> Rows:
        """The rows without the stamps, which tell when and not what."""
        return {
            key: {name: value for name, value in row.items() if not any(stamp in name.lower() for stamp in STAMPS)}
            for key, row in self.rows().items()
        }

    def edit(self, key: tuple[str, str], **values: Any) -> None:
        """Edit a record as a person does; the values go by role: phone, mobile, flag."""
        named = {self.names[role]: value for role, value in values.items()}
        if self.crm == "hubspot":
            shown = {name: str(value).lower() if isinstance(value, bool) else value for name, value in named.items()}
            self.sandbox.hubspot.update_as_user(key[1], **shown)
        else:
            self.sandbox.salesforce.update_as_user(key[0], key[1], **named)

    def refuse(self, rule: Callable[..., tuple[str, str] | None] | None) -> None:
        """Give the CRM a validation rule."""
        getattr(self.sandbox, self.crm).refuse_row = rule

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
    """Run a command of the account in this process, which is quicker."""
    monkeypatch.chdir(account.folder)

    def call(*words: str) -> Result:
        for name, value in account.environment().items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = run(list(words))
        told = capsys.readouterr()
        return Result(code, told.out, told.err)

    return call
