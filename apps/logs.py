"""Log events on standard error: which are shown, as text or as JSON lines, numbers masked and secrets hidden.

Core and connectors log by :mod:`logging` and know nothing of this; a door starts it once. Warnings are always shown,
the events of ringfence (INFO) when ``show_events`` was called, DEBUG never; libraries show no more than warnings.
"""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from numbers import Number
from typing import Any

from ringfence.core.numbers import mask_numbers

from .log_format import LogFormat
from .printable import printable, to_json

OURS = "ringfence"
"""Root of the names of our loggers."""

SHORTEST_SECRET = 4
"""Characters below which a value is no secret: to hide it everywhere would garble the lines."""

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that this thread or task works on, which its lines then have; empty: none."""

Write = Callable[[str, int], None]
"""Shows one line of the given level, such as ``logging.WARNING``."""

_ID_NAME = re.compile(r"(?:^|_)ids?$")
_ID = re.compile(r"[\w-]+")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; whatever else it has are the fields of the event."""


def start_logging(write: Write, log_format: LogFormat) -> None:
    """Show warnings from now on, each as one line through ``write``. Called again, it starts anew."""
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, LogHandler)]:
        root.removeHandler(handler)

    logging.getLogger(OURS).setLevel(logging.NOTSET)
    root.addHandler(LogHandler(write, log_format))


def show_events() -> None:
    """Show the events of ringfence as well, as ``--verbose`` asks."""
    logging.getLogger(OURS).setLevel(logging.INFO)
    for handler in _started():
        handler.show_events = True


def hide_secrets(secrets: Collection[str]) -> None:
    """Replace these values by stars wherever a line would show one."""
    for handler in _started():
        handler.redaction.secrets = sorted(
            (secret for secret in secrets if len(secret) >= SHORTEST_SECRET), key=len, reverse=True
        )


def _started() -> Iterator[LogHandler]:
    return (handler for handler in logging.getLogger().handlers if isinstance(handler, LogHandler))


class LogHandler(logging.Handler):
    """Hands what is to be shown to ``write``, a line at a time."""

    def __init__(self, write: Write, log_format: LogFormat) -> None:
        super().__init__()
        self.show_events = False
        self.redaction = Redaction()
        self._write = write
        self.addFilter(self._is_shown)
        self.addFilter(self.redaction)
        self.setFormatter(JsonLines() if log_format is LogFormat.JSON else TextLines())

    def handle(self, record: logging.LogRecord) -> bool:
        """Work on a copy: what is masked here stays as it is for other handlers."""
        own = copy.copy(record)
        if asked_by := request_id.get():
            own.request_id = asked_by
        return bool(super().handle(own))

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; a line that cannot be written stops nobody."""
        try:
            line = self.format(record)
        except Exception as error:  # noqa: BLE001 - as the handlers of logging do: a log line must not end a run
            # Their way of telling it prints the arguments as they are, numbers and secrets included.
            line = f"Warning: an event of {record.name} could not be worded ({type(error).__name__})"
        self._write(line, record.levelno)

    def _is_shown(self, record: logging.LogRecord) -> bool:
        ours = record.name == OURS or record.name.startswith(f"{OURS}.")
        least = logging.INFO if self.show_events and ours else logging.WARNING
        return record.levelno >= least


class Redaction(logging.Filter):
    """The last door: masks whatever could be a phone number, and hides the secrets of the settings."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the message, its arguments, its error and its fields in place; lets every record pass.

        Figures stay, because a number that is given as such is a count and no text of a phone field; so do fields that
        are named as ids (``run_id``), and moments.
        """
        record.msg = self._redact(str(record.msg))
        if isinstance(record.args, Mapping):
            record.args = {name: self._clean(name, value) for name, value in record.args.items()}
        elif record.args:
            record.args = tuple(self._clean("", value) for value in record.args)

        for name, value in fields_of(record).items():
            setattr(record, name, self._clean(name, value))
        if record.exc_info and (error := record.exc_info[1]) is not None:
            record.error = f"{type(error).__name__}: {self._redact(str(error))}"
        return True

    def _clean(self, name: str, value: Any) -> Any:
        if value is None or isinstance(value, Number):
            return value
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, Mapping):
            return {key: self._clean(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(name, item) for item in value]

        text = str(value)
        return text if _ID_NAME.search(name) and _ID.fullmatch(text) else self._redact(text)

    def _redact(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return mask_numbers(text)


class TextLines(logging.Formatter):
    """``Warning: message (field=value)`` for a person; events begin with the time of day in UTC instead."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        if record.levelno >= logging.WARNING:
            head = f"{record.levelname.capitalize()}:"
        else:
            head = f"{datetime.fromtimestamp(record.created, UTC):%H:%M:%S}"

        fields = ", ".join(f"{name}={value}" for name, value in fields_of(record).items())
        line = f"{head} {record.getMessage()}" + (f" ({fields})" if fields else "")
        return printable(line)


class JsonLines(logging.Formatter):
    """One JSON object a line: ``at`` (UTC, ISO 8601), ``level``, ``logger``, ``message`` and the event's fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "at": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        more = {name: value for name, value in fields_of(record).items() if name not in line}
        return to_json({**line, **more}, ascii_only=True)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what the caller gave beside the message, by ``extra``."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
