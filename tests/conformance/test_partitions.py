"""What every CRM whose objects can be divided among workers must do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from ringfence.core.ports.crm import Crm, Page
from ringfence.core.ports.partitions import RangedFeed, Splittable

from .harness import Harness

PHONE = "+1 415 555 0132"
MANY = 230  # more than a page of each service's reads


def connect(harness: Harness, **extra: str) -> Splittable:
    crm: Crm = harness.connect(**extra)
    crm.identify()
    crm.check()
    if not isinstance(crm, Splittable):
        pytest.skip(f"{harness.name} cannot be divided")
    return crm


def ids_of(pages: Iterable[Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


def ids_in(crm: Splittable, harness: Harness, ranges: Iterable[str]) -> list[str]:
    return [one for each in ranges for one in ids_of(crm.open_range(harness.object, each).changed())]


@pytest.mark.parametrize("parts", [1, 3])
def test_ranges_hold_every_record_once(harness: Harness, parts: int) -> None:
    ids = harness.create(MANY, phone=PHONE)
    crm = connect(harness)

    ranges = crm.split(harness.object, parts)

    assert len(ranges) == parts
    assert Counter(ids_in(crm, harness, ranges)) == Counter(ids)


def test_ranges_hold_about_as_many_records_each(harness: Harness) -> None:
    harness.create(MANY, phone=PHONE)
    crm = connect(harness)

    sizes = [len(ids_in(crm, harness, [each])) for each in crm.split(harness.object, 4)]

    assert max(sizes) < 2 * MANY / 4


def test_records_created_after_the_division_belong_to_a_range(harness: Harness) -> None:
    ids = harness.create(20, phone=PHONE)
    crm = connect(harness)
    ranges = crm.split(harness.object, 3)
    ids += harness.create(5, phone=PHONE)

    assert Counter(ids_in(crm, harness, ranges)) == Counter(ids)


@pytest.mark.parametrize(("least", "ranges"), [(MANY // 3, 3), (MANY, 1), (10 * MANY, 1)])
def test_ranges_are_as_many_as_hold_enough(harness: Harness, least: int, ranges: int) -> None:
    ids = harness.create(MANY, phone=PHONE)
    crm = connect(harness)

    found = crm.split(harness.object, 5, least=least)

    assert len(found) == ranges
    assert Counter(ids_in(crm, harness, found)) == Counter(ids)


@pytest.mark.parametrize("records", [0, 1, 3])
def test_few_records_make_no_more_ranges_than_needed(harness: Harness, records: int) -> None:
    ids = harness.create(records, phone=PHONE) if records else []
    crm = connect(harness)

    ranges = crm.split(harness.object, 8)

    assert 1 <= len(ranges) <= max(1, records)
    assert Counter(ids_in(crm, harness, ranges)) == Counter(ids)


def test_a_range_goes_on_behind_a_page_and_ends_for_good(harness: Harness) -> None:
    ids = harness.create(MANY, phone=PHONE)
    crm = connect(harness)
    (range_,) = crm.split(harness.object, 1)
    first = next(page for page in crm.open_range(harness.object, range_).changed() if page.records)

    rest = list(crm.open_range(harness.object, range_, first.cursor).changed())

    assert Counter([*ids_of([first]), *ids_of(rest)]) == Counter(ids)
    assert all(page.cursor for page in rest)
    assert not ids_of(crm.open_range(harness.object, range_, rest[-1].cursor).changed())


def test_the_filter_divides_the_records_of_a_range_as_those_of_a_feed(harness: Harness) -> None:
    inside = harness.create(3, phone=PHONE, country="DE")
    outside = harness.create(3, phone=PHONE, country="FR")
    crm = connect(harness, filter=harness.filter_for("DE"))
    harness.pass_time(hours=2)

    found = {
        record.id: record.in_scope
        for each in crm.split(harness.object, 2)
        for page in crm.open_range(harness.object, each).changed()
        for record in page.records
    }

    assert found == dict.fromkeys(inside, True) | dict.fromkeys(outside, False)


def test_due_records_are_found_in_their_ranges(harness: Harness) -> None:
    ids = harness.create(20, phone=PHONE)
    harness.create(5)
    crm = connect(harness)
    harness.pass_time(hours=2)
    before = datetime.now(UTC)

    ranges = crm.split(harness.object, 3)
    found = [one for each in ranges for one in ids_of(crm.open_range(harness.object, each).due(before))]

    assert Counter(found) == Counter(ids)
    assert crm.count_due(harness.object, before) in (None, len(ids))


def test_the_cursor_behind_all_ranges_is_that_of_a_window(harness: Harness) -> None:
    _old, edited = harness.create(2, phone=PHONE)
    crm = harness.connect()
    crm.check()
    feed = crm.open_feed({harness.object: None})
    if not isinstance(feed, RangedFeed):
        pytest.skip(f"{harness.name} cannot be divided")
    harness.pass_time(hours=3)
    harness.edit(edited, phone="+44 20 7946 0018")
    harness.pass_time(hours=3)

    later = harness.connect().open_feed({harness.object: feed.cursor_behind(harness.object)})

    assert not later.is_full(harness.object)
    assert edited in ids_of(later.changed())
