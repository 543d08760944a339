"""Records in JSON, read in constant memory: a list of objects, an object that holds the list, or an object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from ringfence.core.errors import FileError

MAX_RECORD = 4 * 1024 * 1024
"""Characters of one record; what is longer is none."""

_CHUNK = 256 * 1024
_BLANK = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()


class _TooLongError(Exception):
    """A value has more characters than a record may have."""


@dataclass
class JsonText:
    """A text of JSON, read piece by piece. ``path`` names it in errors; ``records`` counts those that were read."""

    path: Path
    stream: TextIO
    records: int = 0
    _text: str = field(default="", init=False)
    _at: int = field(default=0, init=False)
    _is_whole: bool = field(default=False, init=False)

    def peek(self) -> str:
        """Return the next character that is neither blank nor a comma, without taking it; empty at the end."""
        while True:
            match = _BLANK.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text) or not self._read_on():
                return self._text[self._at : self._at + 1]

    def take(self, sign: str) -> None:
        """Take the next character, which must be this one. Raises FileError."""
        if self.peek() != sign:
            raise self.broken()
        self._at += 1

    def value(self) -> Any:
        """Take the next value. Raises FileError where there is none, and :class:`_TooLongError`."""
        if not self.peek():
            raise self.broken()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise self.broken() from None
            except ValueError:
                if len(self._text) - self._at > MAX_RECORD:
                    raise _TooLongError from None
                if not self._read_on():
                    raise self.broken() from None
                continue
            # A figure at the end of what was read may go on behind it.
            if end < len(self._text) or isinstance(found, dict | list | str) or not self._read_on():
                self._at = end
                return found

    def broken(self) -> FileError:
        """Return the error for a text that is no JSON from here on."""
        where = f"after {self.records:,} records" if self.records else "at its beginning"
        return FileError(f"{self.path} is no JSON {where}.", "Export it again; it may have been cut off.")

    def _read_on(self) -> bool:
        if self._is_whole:
            return False
        piece = self.stream.read(_CHUNK)
        self._is_whole = not piece
        self._text, self._at = self._text[self._at :] + piece, 0
        return bool(piece)


@dataclass(frozen=True)
class JsonRecords:
    """How the records of a file of JSON are found.

    ``lists`` are names under which an object may hold the records; an object with any of the ``columns`` is a record
    itself.
    """

    lists: tuple[str, ...]
    columns: frozenset[str]

    def read(self, text: JsonText) -> Iterator[Any]:
        """Yield the records, which may be of any type. Raises FileError for what is no JSON."""
        try:
            yield from self._read_list(text) if text.peek() == "[" else self._read_objects(text)
        except _TooLongError:
            raise FileError(
                f"{text.path} has a value of more than {MAX_RECORD:,} characters after {text.records:,} records.",
                "It is no list of calls or messages.",
            ) from None

    def _read_list(self, text: JsonText) -> Iterator[Any]:
        text.take("[")
        while text.peek() != "]":
            value = text.value()
            text.records += 1
            yield value
        text.take("]")

    def _read_objects(self, text: JsonText) -> Iterator[Any]:
        """Yield the records of one object after the other; the first may be too long to be taken as a whole."""
        try:
            first = text.value()
        except _TooLongError:
            yield from self._read_within(text)
            return
        yield from self._records_of(first, text)
        while text.peek():
            yield from self._records_of(text.value(), text)

    def _records_of(self, value: Any, text: JsonText) -> Iterator[Any]:
        found = self._find_records(value)
        text.records += len(found)
        yield from found

    def _find_records(self, value: Any) -> list[Any]:
        """Return the records in an object: those in its list, else itself."""
        if not isinstance(value, dict):
            return [value]
        for name in self.lists:
            if isinstance(held := value.get(name), list):
                return held
            if isinstance(held, dict):
                return [held]
        if not self.columns.isdisjoint(name.casefold() for name in value):
            return [value]
        lists = [held for held in value.values() if isinstance(held, list) and any(isinstance(x, dict) for x in held)]
        return lists[0] if len(lists) == 1 else [value]

    def _read_within(self, text: JsonText) -> Iterator[Any]:
        """Yield the records of the first list in an object that is longer than a record."""
        text.take("{")
        while text.peek() == '"':
            name = text.value()
            if text.peek() != ":":
                raise text.broken()
            text.take(":")
            if text.peek() == "[" and (not self.lists or name in self.lists):
                yield from self._read_list(text)
                return
            text.value()
        raise _TooLongError
