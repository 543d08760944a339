"""What queries and jobs return, as pages of records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ringfence.core.model.values import Record
from ringfence.core.ports.crm import Page

from .bulk import reader as bulk_reader
from .bulk.reader import BulkReader
from .client import Row, SalesforceClient
from .cursor import JobPosition
from .fields import RowReader
from .individuals import find_links, tell
from .paging import BulkFallback, QueryPage, read_scope
from .soql import Query
from .source import ObjectSource


class RecordPages:
    """Turns rows into records; ``bulk`` reads what is large."""

    def __init__(self, client: SalesforceClient, bulk: BulkReader) -> None:
        self._client = client
        self._bulk = bulk

    def fallback(self, purpose: str) -> BulkFallback:
        """Return what reads the rest of a query by a job, where that takes fewer calls than its pages."""

        def read_by_job(query: Query, rows: int | None) -> Iterator[QueryPage] | None:
            worth = rows is None or rows > bulk_reader.WORTH_FROM
            return self._bulk.read(query, rows, purpose) if worth else None

        return read_by_job

    def page(self, source: ObjectSource, page: QueryPage, purpose: str, cursor: str | None = None) -> Page:
        """Return a page of rows as a page of records, with what their Individuals say."""
        links = find_links(page.rows, source.rows.link)
        if page.job is None:
            records = read_records(self._client, source.rows, source.scope, page.rows, purpose)
        else:
            inside = _ids_in_scope(self._client, source.name, source.scope, page.rows, purpose)
            records = source.rows.read_job_rows(page.rows, inside)
        return Page(source.name, tell(source.individuals, records, links), cursor, total=page.total)

    def resumed(self, source: ObjectSource, job: JobPosition) -> Iterator[tuple[QueryPage, Page]]:
        """Yield the pages that an earlier run left of a job, as rows and as records without a cursor.

        The rows are as they were when the job was created; people, and the run that died, have written since. Raises
        JobGoneError where the job cannot be resumed.
        """
        for page in self._bulk.resume(source.query(), job, "read"):
            found = self.page(source, page, "read")
            records = self._with_present_flags(source, found.records)
            yield page, replace(found, records=records, authoritative=False)

    def _with_present_flags(self, source: ObjectSource, records: Sequence[Record]) -> list[Record]:
        """Return the records, with those whose flag is up read again: an outdated raised flag would spread."""
        shape = source.rows.shape
        raised = {record.id for record in records if shape.opts_out(record)}
        if not raised:
            return list(records)

        left = source.rows.left
        fields = (*source.rows.fields, *((left,) if left else ()))
        rows = self._client.retrieve(shape.name, [r.id for r in records if r.id in raised], fields, "read")
        # Deleted and converted records are left out, as they are of any new read; flagged() reports merged ones.
        present = {row["Id"]: row for row in rows if row is not None and not (left and row.get(left))}

        kept = [record for record in records if record.id not in raised or record.id in present]
        again = [
            source.rows.read(present[record.id], in_scope=record.in_scope) for record in kept if record.id in raised
        ]
        told = tell(source.individuals, again, find_links(present.values(), source.rows.link))
        by_id = {record.id: record for record in told}
        return [by_id.get(record.id, record) for record in kept]


def read_records(
    client: SalesforceClient, reader: RowReader, scope: str | None, rows: Sequence[Row], purpose: str
) -> list[Record]:
    """Return rows as records. With a filter, one more call for each page finds out which of them lie in it."""
    inside = _ids_in_scope(client, reader.shape.name, scope, rows, purpose)
    return [reader.read(row, in_scope=inside is None or row["Id"] in inside) for row in rows]


def _ids_in_scope(
    client: SalesforceClient, object_name: str, scope: str | None, rows: Sequence[Row], purpose: str
) -> set[str] | None:
    """Return the ids of the rows that lie in the filter, None where there is none."""
    if scope is None:
        return None
    return read_scope(client, object_name, scope, [row["Id"] for row in rows], purpose) if rows else set()
