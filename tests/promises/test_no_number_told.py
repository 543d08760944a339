"""No full number in a log, a trace or an error message; numbers at rest are encrypted."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from ringfence.core.errors import RingfenceError
from testkit.account import Account
from testkit.commands import Cli

LOUD = (
    "",
    "urllib3.connectionpool",
    "sqlalchemy.engine",
    "sqlalchemy.pool",
    "hubspot",
    "requests",
    "simple_salesforce",
)
DIGITS = 8  # shorter runs of digits are no number, but parts of ids and stamps
WORDS = "The number {number} of this record is frozen"


class Everything(logging.Handler):
    """Keeps every line that anybody logs, at the finest level, as a user with a log file would."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def log() -> Iterator[Everything]:
    handler = Everything()
    logging.getLogger().addHandler(handler)
    loggers = [logging.getLogger(name) for name in LOUD]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield handler
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[RingfenceError]:
    """Every error of ours that comes about, also those that a run gets over."""
    kept: list[RingfenceError] = []
    init = RingfenceError.__init__

    def keep(self: RingfenceError, *words: Any, **more: Any) -> None:
        kept.append(self)
        init(self, *words, **more)

    monkeypatch.setattr(RingfenceError, "__init__", keep)
    return kept


def numbers(account: Account) -> set[str]:
    """Every number of the CRM in its spellings: as a person typed it, as E.164, and its digits alone."""
    found: set[str] = set()
    for row in account.rows().values():
        for role in ("phone", "mobile"):
            for cell in (row.get(account.names[role]), row.get(account.companion("e164", role))):
                digits = re.sub(r"\D", "", cell or "")
                if len(digits) >= DIGITS and cell:
                    found |= {cell.strip(), digits}

    return found


def leaks(account: Account, text: str) -> list[str]:
    known = numbers(account)
    assert len(known) > 200
    return [number for number in known if number in text]


def test_no_full_number_is_told_or_kept(account: Account, command: Cli, log: Everything) -> None:
    results = [command("sync", account.crm, "--dry-run", "--out", "plan.json")]
    results += [command("sync", account.crm, *words) for words in ((), ("--json",), ("--full",))]
    run_id = command("runs", "list", "--json").document["runs"][-2]["run_id"]
    for words in (("list",), ("show", run_id), ("show", run_id, "--json"), ("undo", run_id, "--dry-run")):
        results.append(command("runs", *words))
    results += [command("check", account.crm), command("runs", "undo", run_id, "--json")]

    assert [result.code for result in results] == [0] * len(results)

    told = "\n".join([*(result.out + result.err for result in results), *log.lines])
    assert len(log.lines) > 100
    assert leaks(account, told) == []

    kept = account.kept().decode("latin-1")
    assert len(kept) > 50_000
    assert leaks(account, kept) == []

    # The search itself finds what is there.
    revealed = command("runs", "show", run_id, "--reveal", "--json")
    assert len(leaks(account, revealed.out)) > 100


@pytest.mark.slow
@pytest.mark.usefixtures("_no_waiting")
def test_no_full_number_is_told_when_things_go_wrong(
    account: Account, command: Cli, log: Everything, errors: list[RingfenceError]
) -> None:
    quoted = f"'{WORDS.format(number=sorted(numbers(account))[0])}'"
    service = f"service: {account.crm}"
    writing = f"{service}, when: {{purpose: write, after: {account.probes}}}"
    troubles = [
        f"service: twilio, fault: {{kind: refuse, status: 401, message: {quoted}}}",
        "service: twilio, fault: {kind: reset}",
        f"{writing}, fault: {{kind: refuse, status: 400, message: {quoted}}}",
        "service: twilio, when: {every: 2}, fault: {kind: truncate, kept: 0.9}",
        f"{service}, when: {{after: 9}}, fault: {{kind: reset}}",
        f"{service}, when: {{after: 7}}, fault: {{kind: truncate, kept: 0.5}}",
        f"{service}, when: {{after: 8}}, fault: {{kind: html, status: 200}}",
        f"{service}, fault: {{kind: refuse_rows, message: {quoted}}}",
    ]
    results = []

    for trouble in troubles:
        account.age(days=40)
        account.fail(trouble)
        results.append(command("sync", account.crm, "--full", "--json"))
        results.append(command("runs", "show", command("runs", "list", "--json").document["runs"][0]["run_id"]))
        account.fail()

    assert {result.code for result in results} >= {0, 1, 3, 4}
    assert len(errors) > 20

    # A trace shows the errors that ours came from as well.
    traces = ["".join(traceback.format_exception(error)) for error in errors]
    told = "\n".join([*(result.out + result.err for result in results), *log.lines, *traces])

    assert leaks(account, told) == []
    assert leaks(account, account.kept().decode("latin-1")) == []
