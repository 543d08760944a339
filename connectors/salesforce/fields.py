"""Salesforce's JSON and job rows to records, and our values to JSON."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from ringfence.core.errors import SchemaError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.model.values import Companion, Record, Value

STAMP = "SystemModstamp"
"""The modification time that windows and guards go by: it is indexed and moves with every change."""

CONVERTED = "IsConverted"
CONTACT_OF_LEAD = "ConvertedContactId"
MASTER = "MasterRecordId"
MERGEABLE = frozenset({"Account", "Case", "Contact", "Lead"})
"""Objects whose records can be merged, and that have the field which names the survivor."""

PERSON = "IsPersonAccount"
"""The field of contacts that only orgs with person accounts have."""


class RowReader:
    """Reads the rows of one object. ``fields`` is what a query has to select; what is ``absent`` reads as empty.

    ``left`` is the checkbox of the records that are left alone: converted leads, or contacts that are handled as
    accounts. Their opt-outs count all the same, unless the reader is ``deaf`` to them: another object tells them too.
    ``link`` is the field that names the record's Individual, where what that says counts; it is no value of the record.
    """

    def __init__(
        self,
        shape: ObjectShape,
        absent: Iterable[str] = (),
        *,
        left: str | None = None,
        deaf: bool = False,
        link: str | None = None,
    ) -> None:
        self.shape = shape
        self.link = link
        self.left = CONVERTED if is_lead(shape) else left
        self.deaf = deaf
        self._absent: dict[str, Value] = dict.fromkeys(absent)
        self._names = shape.read_fields()
        self._aside = link if link not in self._names else None
        self.fields = ("Id", STAMP, *self._names, *filter(None, (self._aside,)))
        self._moments = companions_of(shape, Companion.LAST_SCREENED)
        self._cells: Callable[[Mapping[str, Any]], Sequence[Any]] = itemgetter(*self._names)

    def read(self, row: Mapping[str, Any], *, in_scope: bool) -> Record:
        """Return the row as a record: bool for checkboxes, aware UTC moments for last-screened fields, text otherwise.

        Raises SchemaError for a row without one of the fields, as when the mapping spells it in another case.
        """
        try:
            # Most cells are empty or text; to see that here spares a call for each of them.
            cells = [
                cell if cell is None else (cell or None) if cell.__class__ is str else _read_other(cell)
                for cell in self._cells(row)
            ]

            values: dict[str, Value] = dict(zip(self._names, cells, strict=True))
            for name in self._moments:
                values[name] = _read_moment(values[name])
            if self._absent:
                values |= self._absent
            return Record(self.shape.name, row["Id"], values, read_moment(row[STAMP]), in_scope)
        except KeyError as error:
            raise self._missing_field(error.args[0]) from error

    def read_job_rows(self, rows: Sequence[dict[str, Any]], inside: Container[str] | None = None) -> list[Record]:
        """Return the rows of a job as records. In scope are those whose ids are ``inside``; None means all of them.

        The cells are None, bool and text already, and each row becomes its record's values, which spares a copy: the
        rows must not be used afterwards. Raises SchemaError as :meth:`read` does.
        """
        for field in self.fields:
            if rows and field not in rows[0]:  # they all have the columns of one file
                raise self._missing_field(field)

        name, records = self.shape.name, []
        for row in rows:
            record_id, stamp = row.pop("Id"), row.pop(STAMP)
            if self._aside:
                del row[self._aside]
            for moment in self._moments:
                row[moment] = _read_moment(row[moment])
            if self._absent:
                row |= self._absent
            records.append(Record(name, record_id, row, read_moment(stamp), inside is None or record_id in inside))

        return records

    def _missing_field(self, field: str) -> SchemaError:
        return SchemaError(
            f"Salesforce answers without {self.shape.name}.{field}.",
            "Spell it in the mapping as the org does; see `ringfence check salesforce`.",
        )


def companions_of(shape: ObjectShape, companion: Companion) -> tuple[str, ...]:
    """Return that companion of each slot, as far as the org has it."""
    return tuple(slot.companions[companion] for slot in shape.slots if companion in slot.companions)


def is_lead(shape: ObjectShape) -> bool:
    """Return whether the object's records can be converted into others (only leads can)."""
    return shape.name == "Lead"


def read_moment(text: str) -> datetime:
    """Return the aware UTC moment of ``2026-09-24T03:26:07.000+0000``."""
    return datetime.fromisoformat(text).astimezone(UTC)


@lru_cache(maxsize=256)  # a batch is screened within seconds, so that most of its moments are the same few
def write_moment(moment: datetime) -> str:
    """Return the moment as SOQL and JSON take it: ``YYYY-MM-DDTHH:MM:SSZ``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_value(value: Value) -> str | bool | None:
    """Return the value as JSON takes it; a moment to the millisecond, where a former one is set back that had any."""
    if not isinstance(value, datetime):
        return value
    if not value.microsecond:
        return write_moment(value)
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_other(value: Any) -> Value:
    return value if isinstance(value, bool) else str(value)


def _read_moment(value: Any) -> Value:
    return read_moment(value) if value else None
