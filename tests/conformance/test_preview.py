"""What every CRM connector must do before the set-up: be read without the fields that a set-up creates."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ringfence.core.ports.crm import Crm, Depth, Level

from .harness import Harness
from .test_crm import PHONE, companions, fetch_one, ids_of, last_cursor

pytestmark = pytest.mark.bare


def _preview(harness: Harness) -> Crm:
    harness.bare()
    crm = harness.connect()
    crm.identify()

    problems = [finding for finding in crm.check(Depth.PREVIEW) if finding.level is Level.PROBLEM]

    assert problems
    assert all(finding.in_preview for finding in problems)
    return crm


def test_what_is_not_there_reads_as_empty(harness: Harness) -> None:
    (one,) = harness.create(phone=PHONE)
    crm = _preview(harness)
    feed = crm.open_feed({harness.object: None})

    assert ids_of(feed.flagged()) == []

    (record,) = [record for page in feed.changed() for record in page.records]
    fields = harness.shapes()[harness.object].read_fields()

    assert record.id == one
    assert record.values.keys() >= set(fields)
    assert record.values[harness.roles["phone"]] == PHONE
    assert all(record.values[name] is None for name in companions(harness).values())
    assert fetch_one(crm, harness, one).values == record.values
    assert ids_of(feed.screened(datetime(2026, 1, 1, tzinfo=UTC))) == []


def test_later_reads_take_every_filled_slot_for_never_screened(harness: Harness) -> None:
    filled, empty = harness.create(phone=PHONE)[0], harness.create(phone=None)[0]
    crm = _preview(harness)
    pages = list(crm.open_feed({harness.object: None}).changed())
    harness.pass_time(hours=3)

    feed = crm.open_feed({harness.object: last_cursor(pages, harness.object)})

    assert filled in ids_of(feed.due(datetime(2026, 1, 1, tzinfo=UTC)))
    assert empty not in ids_of(feed.due(datetime(2026, 1, 1, tzinfo=UTC)))
    assert ids_of(feed.flagged()) == []


def test_what_there_is_to_read_is_counted_by_the_account_itself(harness: Harness) -> None:
    harness.create(3, phone=PHONE)
    harness.create(phone=None)
    crm = _preview(harness)

    (count,) = crm.survey().counts

    assert (count.object, count.records, count.numbers) == (harness.object, 4, 3)
    assert count.unseen == 0
