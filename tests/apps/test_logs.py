"""Log lines: which are shown, how they look, and that none holds a number or a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ringfence.apps.cli.output import Output
from ringfence.apps.cli.progress import RunProgress
from ringfence.apps.environment import read_log_format
from ringfence.apps.log_format import LogFormat
from ringfence.apps.logs import LogHandler, hide_secrets, show_events, start_logging
from ringfence.apps.settings import load_settings
from ringfence.connectors.salesforce import paging
from ringfence.core.errors import SettingsError
from ringfence.core.runs import sync as runs_sync

from .conftest import Cli

NUMBER = "+14155550132"
SPELLINGS = [
    NUMBER,
    "(415) 555-0132",
    "415.555.0132 x12",
    "020 7946 0018",
    "00442079460018",
    "415\N{NON-BREAKING HYPHEN}555\N{NON-BREAKING HYPHEN}0132",
    "1-800-FLOWERS",
    "%2B14155550132",
]
LIBRARIES = ["urllib3.connectionpool", "hubspot", "simple_salesforce.api", "sqlalchemy.engine", "alembic.runtime"]

connector = logging.getLogger("ringfence.connectors.somewhere")


class Lines:
    """The log lines that were shown."""

    def __init__(self) -> None:
        self.all: list[str] = []

    def write(self, line: str, _level: int) -> None:
        self.all.append(line)

    @property
    def last(self) -> str:
        return self.all[-1]

    @property
    def document(self) -> dict[str, Any]:
        """The last line, as JSON."""
        found: dict[str, Any] = json.loads(self.last)
        return found


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    root.handlers = before
    logging.getLogger("ringfence").setLevel(logging.NOTSET)


@pytest.fixture
def text() -> Lines:
    lines = Lines()
    start_logging(lines.write, LogFormat.TEXT)
    return lines


@pytest.fixture
def json_lines() -> Lines:
    lines = Lines()
    start_logging(lines.write, LogFormat.JSON)
    return lines


@pytest.mark.parametrize("log_format", LogFormat)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_full_number_is_shown_in_either_format(log_format: LogFormat, spelling: str) -> None:
    lines = Lines()
    start_logging(lines.write, log_format)

    connector.warning(f"the row of {spelling} is frozen")
    connector.warning("the row of %s is frozen", spelling)
    connector.warning("the row of %(number)s is frozen", {"number": spelling})
    connector.warning("the row is frozen", extra={"content": spelling, "rows": [{"phone": spelling}]})
    connector.warning("the row is frozen", extra={"record_id": NUMBER})
    try:
        raise ValueError(f"{spelling} is frozen")  # noqa: TRY301 - the error is what is tested
    except ValueError:
        connector.exception("the row is frozen")

    assert len(lines.all) == 6
    assert not [line for line in lines.all if spelling in line or "5550132" in line]


@pytest.mark.parametrize(
    "readable",
    [
        "2026-11-30T03:51:14Z",
        "2026-11-30 03:51:14",
        "20261102-090000-aa11",
        "7505e00000ABCDEAAQ",
        "0bb7c8a2-1234-4abc-8def-446655440000",
        "127.0.0.1:8461",
        "HTTP 503",
    ],
)
def test_ids_and_moments_stay_readable(text: Lines, readable: str) -> None:
    connector.warning("this is %s, you see", readable)

    assert text.last == f"Warning: this is {readable}, you see"


def test_counts_and_fields_named_as_ids_stay_readable(json_lines: Lines) -> None:
    at = datetime(2026, 11, 30, 3, 51, 14, tzinfo=UTC)

    connector.warning(
        "%d of %d rows", 1_234_567, 7_654_321, extra={"record_id": "12345678901", "rows": 12345678, "since": at}
    )

    assert json_lines.document["message"] == "1234567 of 7654321 rows"
    assert json_lines.document["record_id"] == "12345678901"
    assert json_lines.document["rows"] == 12345678
    assert json_lines.document["since"] == "2026-11-30T03:51:14+00:00"


def test_secrets_of_the_settings_are_hidden(json_lines: Lines) -> None:
    hide_secrets(["token-abc", "token-abc-longer", "", "x"])

    connector.warning("sent token-abc and %s", "token-abc-longer", extra={"header": "Bearer token-abc"})

    assert json_lines.document["message"] == "sent *** and ***"
    assert json_lines.document["header"] == "Bearer ***"


def test_the_settings_know_their_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGFENCE_HUBSPOT__ACCESS_TOKEN", "token-of-hubspot")
    monkeypatch.setenv("RINGFENCE_TWILIO__AUTH_TOKEN", "token-of-twilio")
    monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY", "the-key")
    monkeypatch.setenv("RINGFENCE_STATE_URL", "postgresql://user:password@host/name")

    assert set(load_settings().secrets()) == {"token-of-hubspot", "token-of-twilio", "the-key", "password"}


def test_a_json_line_has_moment_level_logger_message_and_fields(json_lines: Lines) -> None:
    connector.warning("a batch was\nsent", extra={"batch": 3, "message_of_vendor": "so"})

    found = json_lines.document

    assert (
        abs((datetime.now(UTC) - datetime.fromisoformat(found.pop("at").replace("Z", "+00:00"))).total_seconds()) < 60
    )
    assert found == {
        "level": "warning",
        "logger": "ringfence.connectors.somewhere",
        "message": "a batch was\nsent",
        "batch": 3,
        "message_of_vendor": "so",
    }
    assert "\n" not in json_lines.last
    assert json.loads(json_lines.last)["at"].endswith("Z")


def test_a_warning_in_text_is_one_line_without_a_trace(text: Lines) -> None:
    try:
        raise ValueError("first\nsecond")  # noqa: TRY301 - the error is what is tested
    except ValueError:
        connector.warning("it failed\nhere", exc_info=True)

    assert text.all == ["Warning: it failed here (error=ValueError: first second)"]


def test_events_are_shown_on_demand_and_debug_never(text: Lines) -> None:
    connector.info("before")
    show_events()
    connector.info("a phase ended", extra={"phase": "due records", "records": 12})
    connector.debug("never")

    (line,) = text.all

    assert line[2] == line[5] == ":"
    assert line[9:] == "a phase ended (phase=due records, records=12)"


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_shows_warnings_and_no_more(text: Lines, library: str) -> None:
    show_events()
    logger = logging.getLogger(library)
    logger.setLevel(logging.DEBUG)

    logger.debug("a query")
    logger.info("an answer")
    logger.warning("a broken connection")
    logger.setLevel(logging.NOTSET)

    assert text.all == ["Warning: a broken connection"]


def test_other_handlers_see_the_record_as_it_was(text: Lines, caplog: pytest.LogCaptureFixture) -> None:
    connector.warning("the row of %s", NUMBER)

    assert caplog.records[-1].args == (NUMBER,)
    assert NUMBER not in text.last


def test_started_again_it_shows_every_line_once(text: Lines) -> None:
    show_events()
    again = Lines()
    start_logging(again.write, LogFormat.TEXT)

    connector.info("an event")
    connector.warning("a warning")

    assert text.all == []
    assert again.all == ["Warning: a warning"]
    assert len([handler for handler in logging.getLogger().handlers if isinstance(handler, LogHandler)]) == 1


def test_a_line_does_not_tear_the_bar() -> None:
    screen = io.StringIO()
    output = Output()
    output.err = Console(file=screen, force_terminal=True, width=100, highlight=False, emoji=False)
    start_logging(output.log, LogFormat.TEXT)

    with RunProgress(output.err, "sync hubspot") as progress:
        progress.phase("all records", 100)
        progress.advance(50)
        connector.warning("the row is frozen")

    above, line, below = screen.getvalue().partition("Warning: the row is frozen")
    assert line
    assert above.endswith("\x1b[2K\x1b[33m")  # the bar was erased before the line was printed
    assert "all records" in below
    assert "\x1b[33mall records" not in below  # and the colour of the line is not the bar's


@pytest.mark.parametrize(("value", "found"), [("json", LogFormat.JSON), ("text", LogFormat.TEXT), ("", LogFormat.TEXT)])
def test_the_format_is_a_setting(value: str, found: LogFormat, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGFENCE_LOG", value)

    assert read_log_format() is load_settings().log is found


def test_a_format_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGFENCE_LOG", "xml")

    assert read_log_format() is LogFormat.TEXT
    with pytest.raises(SettingsError, match="RINGFENCE_LOG: Input should be 'text' or 'json'"):
        load_settings()


@pytest.fixture
def noisy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every sync log a warning and an event of a connector, both with a full number in them."""
    run_sync = runs_sync.run_sync

    def log_and_run(*words: Any) -> Any:
        logger = logging.getLogger(paging.__name__)
        logger.warning("the row of %s is frozen", NUMBER)
        logger.info("the row of %s is read", NUMBER, extra={"rows": 1})
        return run_sync(*words)

    monkeypatch.setattr("ringfence.apps.operations.runs.run_sync", log_and_run)


@pytest.mark.usefixtures("settings", "noisy")
@pytest.mark.parametrize(
    ("words", "events"),
    [
        (["sync", "hubspot", "--dry-run"], 0),
        (["sync", "hubspot", "--dry-run", "--verbose"], 1),
        (["--verbose", "sync", "hubspot", "--dry-run"], 1),
    ],
)
def test_verbose_shows_events_before_and_behind_the_command(cli: Cli, words: list[str], events: int) -> None:
    shown = cli(*words)

    assert shown.code == 0
    assert shown.err.count("Warning: the row of +1415***0132 is frozen\n") == 1
    assert shown.err.count("the row of +1415***0132 is read (rows=1)\n") == events
    assert "5550132" not in shown.out + shown.err
    assert "is frozen" not in shown.out


@pytest.mark.usefixtures("settings", "noisy")
def test_json_lines_stand_on_standard_error_beside_the_one_document(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_LOG", "json")

    shown = cli("sync", "hubspot", "--dry-run", "--json", "--verbose")

    assert shown.document["dry_run"] is True

    lines = [json.loads(line) for line in shown.err.splitlines() if "the row of" in line]
    assert [(line["level"], line["message"]) for line in lines] == [
        ("warning", "the row of +1415***0132 is frozen"),
        ("info", "the row of +1415***0132 is read"),
    ]
    assert lines[1]["rows"] == 1
