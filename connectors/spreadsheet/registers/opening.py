"""Opening a register's file: which format it is, and what it looks like."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from ringfence.core.errors import FileError, UsageError
from ringfence.core.model.blocks import Channel
from ringfence.core.numbers import mask_text
from ringfence.core.suppression.list_rows import ListRows

from ..detection import open_table
from ..encoding import Encoding, detect_encoding, read_head
from .lines import Layout, LineReader, ca_dncl, digits, matches, uk_tps, us_dnc, us_dnc_change
from .tables import open_columns, options_for

PREVIEW_ROWS = 5
_SAMPLE_LINES = 200
_HASHED_AT_ONCE = 1 << 20


class ListFormat(StrEnum):
    """How a register's file is written (docs/contract.md, section 4)."""

    US_DNC = "us-dnc"
    US_DNC_CHANGE = "us-dnc-change"
    CA_DNCL = "ca-dncl"
    UK_TPS = "uk-tps"
    NUMBERS = "numbers"
    CSV = "csv"

    __hash__ = str.__hash__


class ListPreview(NamedTuple):
    """How a file is read: the column of its numbers and those of results, where it has columns; first rows, masked."""

    columns: tuple[str, ...]
    column: str | None
    results: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str


@dataclass(frozen=True, slots=True)
class ListFile:
    """A register's file, opened. ``detected`` tells that nobody named its format."""

    path: Path
    format: ListFormat
    detected: bool
    rows: ListRows
    preview: ListPreview

    def sha256(self) -> str:
        """Return the digest of the file's bytes, in hex. Raises FileError."""
        digest = hashlib.sha256()
        try:
            with self.path.open("rb") as stream:
                while data := stream.read(_HASHED_AT_ONCE):
                    digest.update(data)
        except OSError as error:
            raise FileError(f"{self.path} cannot be read: {error.strerror or error}.", "Check its access.") from error
        return digest.hexdigest()


def open_list(
    path: Path,
    region: str | None,
    *,
    format: ListFormat | None = None,  # noqa: A002 - as the option is called
    column: str | None = None,
    channel: Channel = Channel.ALL,
) -> ListFile:
    """Return the file, in the named format or the one that its content shows; national numbers are of ``region``.

    Raises FileError where it cannot be read as that, UsageError for a column that is not there.
    """
    if not path.is_file():
        raise FileError(f"{path} is not a file.", "Check the name.")
    is_workbook = path.suffix.lower() == ".xlsx"
    wanted = format or (ListFormat.CSV if column is not None or is_workbook else _detect(path, region))
    if wanted is ListFormat.CSV:
        rows, preview = _open_table(path, region, column, channel)
        return ListFile(path, wanted, format is None, rows, preview)

    if column is not None:
        raise UsageError(f"The format {wanted.value} has no columns to choose from.", "Leave --column out.")
    encoding = detect_encoding(path)
    _refuse_xml(path, _lines(path, encoding))
    first = [(mask_text(line.decode("ascii", "replace").strip()),) for line in _lines(path, encoding)[:PREVIEW_ROWS]]
    preview = ListPreview((), None, (), tuple(first), encoding.label)
    return ListFile(path, wanted, format is None, LineReader(path, encoding, _layout(wanted, region)), preview)


def _open_table(path: Path, region: str | None, column: str | None, channel: Channel) -> tuple[ListRows, ListPreview]:
    table = open_table(path, options_for(region))
    reader, rows = open_columns(table, column, region, channel)
    return reader, ListPreview(
        table.columns,
        table.columns[reader.column],
        tuple(table.columns[index] for index in reader.results),
        tuple(tuple(map(mask_text, row)) for row in rows[:PREVIEW_ROWS]),
        ", ".join(table.format.values()),
    )


def _detect(path: Path, region: str | None) -> ListFormat:
    encoding = detect_encoding(path)
    lines = _lines(path, encoding)
    _refuse_xml(path, lines)
    for format_ in (ListFormat.US_DNC_CHANGE, ListFormat.US_DNC):
        if region in ("US", "CA", None) and matches(_layout(format_, region), lines):
            return format_
    if region == "GB" and matches(uk_tps(), lines):
        return ListFormat.UK_TPS
    if all(sign not in line for line in lines for sign in (b",", b";", b"\t", b"|")):
        return ListFormat.CA_DNCL if region == "CA" else ListFormat.NUMBERS
    return ListFormat.CSV


def _layout(format_: ListFormat, region: str | None) -> Layout:
    return {
        ListFormat.US_DNC: us_dnc,
        ListFormat.US_DNC_CHANGE: us_dnc_change,
        ListFormat.CA_DNCL: ca_dncl,
        ListFormat.UK_TPS: uk_tps,
    }.get(format_, lambda: digits(region))()


def _lines(path: Path, encoding: Encoding) -> list[bytes]:
    text = encoding.decode(read_head(path))
    lines = [line.encode("ascii", "replace") for line in text.splitlines()[:_SAMPLE_LINES]]
    return [line for line in lines if line.strip()]


def _refuse_xml(path: Path, lines: list[bytes]) -> None:
    if lines and lines[0].lstrip(b"? ").startswith(b"<"):
        raise FileError(f"{path} is XML.", "Download the list as flat text.")
