"""No full number is left behind, in any spelling, whatever they do and however they end."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import phonenumbers
import pytest

from ringfence.core.numbers import read_number
from ringfence.core.numbers.regions import read_region
from testkit.account import COMMAND, Account
from testkit.commands import Cli, Result

PEOPLE, FEWEST_DIGITS = 60, 8
SUPPRESSED, LIFTED, LISTED, SCREENED = "+14155550132", "+442079460018", "+14155550177", "+14155550188"

CRASHING = """
import logging
from ringfence.core.runs import examiner

def break_down(self, views, **_more):
    numbers = [number for view in views for number in view.all_e164s()]
    logging.getLogger("urllib3.connectionpool").warning("what a library says of %s", numbers)
    raise RuntimeError(f"cannot bear {numbers} of {views[0].record}")

examiner.Examiner.examine = break_down
from ringfence.apps.cli import main
main()
"""
"""The command, in which something breaks that quotes numbers."""


def spellings(e164: str) -> Iterator[bytes]:
    """Yield a number as people, programs and databases write it."""
    number = phonenumbers.parse(e164, None)
    formats = phonenumbers.PhoneNumberFormat
    texts = {phonenumbers.format_number(number, each) for each in (formats.NATIONAL, formats.INTERNATIONAL)}
    digits, national = e164[1:], str(number.national_number)
    texts |= {text.translate(str.maketrans(" -()", "....")) for text in texts} | {
        text.replace(" ", "-") for text in texts
    }
    texts |= {digits, *([national] if len(national) >= FEWEST_DIGITS else [])}

    for text in texts:
        yield text.encode()
        yield text.encode("utf-16-le")
    yield digits.encode().hex().encode()
    yield int(digits).to_bytes(6, "big")
    for shift in range(3):  # three ways to stand within a longer text
        coded = base64.b64encode(b"\0" * shift + digits.encode())
        yield coded[4 if shift else 0 : -4]


@dataclass
class Remains:
    """Everything that commands have left: files in their folders and what they printed."""

    folders: list[Path]
    needles: dict[bytes, str] = field(default_factory=dict)
    told: list[tuple[str, bytes]] = field(default_factory=list)

    def look_for(self, e164: str) -> None:
        self.needles |= dict.fromkeys(spellings(e164), e164)

    def leaks_in(self, path: Path) -> list[bytes]:
        content = path.read_bytes()
        return [needle for needle in self.needles if needle in content]

    def leaks(self) -> list[tuple[str, bytes]]:
        files = [path for folder in self.folders for path in folder.rglob("*") if path.is_file()]
        places = [*self.told, *((path.name, path.read_bytes()) for path in files if path.suffix != ".key")]
        assert sum(len(content) for _, content in places) > 100_000
        return [(place, needle) for place, content in places for needle in self.needles if needle in content]


@pytest.fixture
def people() -> int:
    return PEOPLE


@pytest.fixture
def remains(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remains:
    """Give what is left of the account, with folders of its own for what is temporary and for the home."""
    folders = {name: tmp_path / name for name in ("temp", "home")}
    for folder in folders.values():
        folder.mkdir()
    account.extra |= {"TMPDIR": str(folders["temp"]), "HOME": str(folders["home"])}
    monkeypatch.setattr(tempfile, "tempdir", str(folders["temp"]))

    found = Remains([account.folder, *folders.values()])
    for row in account.rows().values():
        for role in ("phone", "mobile"):
            cell = (row.get(account.names[role]) or "").strip()
            for e164 in read_number(cell, read_region(row.get(account.names["country"]) or "US")).covers:
                if e164.startswith("+"):
                    found.look_for(e164)
            if sum(letter.isdigit() for letter in cell) >= FEWEST_DIGITS:
                found.needles[cell.encode()] = cell
    for number in (SUPPRESSED, LIFTED, LISTED, SCREENED):
        found.look_for(number)
    assert len(found.needles) > 10 * PEOPLE
    return found


Call = Callable[..., Result]


@pytest.fixture
def call(account: Account, remains: Remains, command: Cli) -> Call:
    """Run a command and keep what it says: in this process, which is quicker, or in one that can break down."""

    def run(*words: str, log: str = "text", process: bool = False) -> Result:
        account.extra["RINGFENCE_LOG"] = log
        result = account.finish(account.start(*words)) if process else command(*words)
        remains.told += [(f"{words}: output", result.out.encode()), (f"{words}: errors", result.err.encode())]
        return result

    return run


@pytest.fixture
def crm() -> str:
    """Name the CRM that goes wrong; both are synced."""
    return "salesforce"


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.mark.slow
@pytest.mark.usefixtures("_no_waiting")
def test_no_number_is_left_behind_in_any_spelling(
    account: Account, remains: Remains, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = account.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "people.csv").write_text(f"name,phone\nAnn,{SCREENED}\n", encoding="utf-8")

    (elsewhere / "register.txt").write_text(f"{LISTED[2:]}\n{LISTED[2:]} or {LIFTED}\n", encoding="utf-8")

    about = ("--list", "own", "--jurisdiction", "US", "--as-of", f"{datetime.now(UTC):%Y-%m-%d}", "--verbose")
    assert call("suppress", "import", str(elsewhere / "register.txt"), *about).code == 0
    assert call("suppress", "check", LISTED, "--json").code == 1
    call("suppress", "import", str(elsewhere / "people.csv"), *about, "--list", "odd", "--format", "uk-tps")
    why = ("--reason", f"the owner of {SUPPRESSED} asked")
    codes = [call("suppress", "add", SUPPRESSED, *why, *words).code for words in ((), ("--json",))]
    codes += [call("suppress", "list", *words).code for words in ((), ("--json",))]
    assert call("suppress", "check", SUPPRESSED, "--verbose").code == 1
    codes += [call("suppress", "add", LIFTED, *why).code, call("suppress", "lift", LIFTED, *why, "--yes").code]
    codes += [call("sync", "--all", "--verbose").code, call("sync", "--all", "--full", "--verbose", log="json").code]
    codes += [call("sync", account.crm, "--rescreen", "--dry-run", "--out", "plan.json").code]
    codes += [call("plan", "show", "plan.json").code]
    codes += [call("screen", str(elsewhere / "people.csv"), "-o", str(elsewhere / "screened.csv")).code]
    codes += [call("export", "callable", "-o", str(elsewhere / name)).code for name in ("list.csv", "list.xlsx")]
    codes += [call("runs", *words).code for words in (("list", "--json"),)]
    codes += [call("state", "erase", SCREENED, *why, "--yes", "--verbose").code]
    codes += [call("state", "backup", "state.backup", "--verbose").code]
    codes += [call("audit", "list", "--json").code, call("check", "--json", "--verbose").code]
    assert set(codes) == {0}

    failures = set()
    for trouble in troubles(account.crm, next(iter(remains.needles.values()))):
        account.age(days=40)
        account.fail(trouble)
        failures.add(call("sync", account.crm, "--full", "--verbose", log="json").code)
        account.fail()
    assert failures >= {1, 3, 4}
    assert call("runs", "show", call("runs", "list", "--json").document["runs"][0]["run_id"], "--refused").code == 0
    account.age(days=40)
    assert account.killed(
        account.requests, lambda name: name.startswith(("POST", "PATCH")), "sync", account.crm, "--full"
    )

    monkeypatch.setattr("testkit.account.COMMAND", [*COMMAND[:-1], CRASHING])
    for log in ("text", "json"):
        assert call("sync", account.crm, "--full", "--verbose", log=log, process=True).code == 70

    assert remains.leaks() == []
    assert remains.leaks_in(elsewhere / "list.csv")


def troubles(crm: str, number: str) -> list[str]:
    """Return faults that quote a number in every place where a service may."""
    quoted = f"'The number {number} of this record is frozen'"
    return [
        f"service: twilio, fault: {{kind: refuse, status: 401, message: {quoted}}}",
        f"service: twilio, when: {{every: 2}}, fault: {{kind: refuse, status: 400, message: {quoted}}}",
        f"service: {crm}, fault: {{kind: refuse_rows, message: {quoted}}}",
        f"service: {crm}, when: {{purpose: write}}, fault: {{kind: refuse, status: 400, message: {quoted}}}",
        f"service: {crm}, when: {{after: 5}}, fault: {{kind: truncate, kept: 0.5}}",
    ]
