"""The records about which an Individual says something new of being called, read for a feed's opt-outs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ringfence.core.ports.crm import Page

from .client import SalesforceClient
from .cursor import OVERLAP
from .individuals import Individuals
from .paging import read_pages
from .record_pages import RecordPages
from .soql import Query
from .source import ObjectSource

_PURPOSE = "opt_outs"


def read_individuals(client: SalesforceClient, sources: Sequence[ObjectSource], pages: RecordPages) -> Iterator[Page]:
    """Yield the records whose Individual refuses, or that changed or was named since the position, as it is now.

    Where what Individuals say was never read, those of all records are. Nothing is asked where the org has none.
    """
    reads = [(source, source.individuals) for source in sources if source.individuals and source.rows.shape.heard]
    new = [(source, individuals) for source, individuals in reads if _is_new(source)]
    known = [(source, individuals) for source, individuals in reads if not _is_new(source)]
    if new:
        yield from _read_about(client, new[0][1].refusing(), new, pages)
    if known:
        since = min(source.position.since for source, _ in known if source.position.since) - OVERLAP
        yield from _read_about(client, known[0][1].changed(since), known, pages)


def _is_new(source: ObjectSource) -> bool:
    return source.position.full or not source.position.individuals


def _read_about(
    client: SalesforceClient,
    asked: Sequence[Query],
    reads: Sequence[tuple[ObjectSource, Individuals]],
    pages: RecordPages,
) -> Iterator[Page]:
    """Yield what is told of by the rows of these queries, and of the records of a window, those that are refused."""
    linked = [(source, query) for source, _ in reads if (query := source.linked()) is not None]
    queries = [*asked, *(query for _, query in linked)]
    for number, page in read_pages(client, queries, _PURPOSE, pages.fallback(_PURPOSE)):
        if number < len(asked):
            yield from _read_records(client, sorted(reads[0][1].parties(page.rows)), reads, pages)
        elif page.rows:
            found = pages.page(linked[number - len(asked)][0], page, _PURPOSE)
            yield replace(found, records=[record for record in found.records if record.withdrawn])


def _read_records(
    client: SalesforceClient,
    ids: Sequence[str],
    reads: Sequence[tuple[ObjectSource, Individuals]],
    pages: RecordPages,
) -> Iterator[Page]:
    asked = [(source, query) for source, _ in reads for query in source.of_individuals(ids)]
    for number, page in read_pages(client, [query for _, query in asked], _PURPOSE):
        yield pages.page(asked[number][0], page, _PURPOSE)
