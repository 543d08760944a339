"""What every CRM connector must do. A registered connector cannot escape this suite."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.core.errors import AuthenticationError, SchemaError
from ringfence.core.model.values import Change, Companion, FieldChange, Outcome, Record, Value
from ringfence.core.ports.crm import Crm, Level, Page

from .harness import Harness

PHONE = "+1 415 555 0132"
MANY = 230  # more than a page of each service's reads, and more than a batch of its writes


def ids_of(pages: Iterable[Page]) -> list[str]:
    return [record.id for page in pages for record in page.records]


def companions(harness: Harness, role: str = "phone") -> dict[Companion, str]:
    shape = harness.shapes()[harness.object]
    return dict(next(slot for slot in shape.slots if slot.field == harness.roles[role]).companions)


def change(harness: Harness, record_id: str, **fields: Value) -> Change:
    names = {companion.value: name for companion, name in companions(harness).items()} | dict(harness.roles)
    return Change.of(harness.object, record_id, tuple(FieldChange(names[k], None, v) for k, v in fields.items()))


def fetch_one(crm: Crm, harness: Harness, record_id: str) -> Record:
    (record,) = crm.fetch(harness.object, [record_id])
    return record


def last_cursor(pages: list[Page], object_name: str) -> str:
    cursors = [page.cursor for page in pages if page.object == object_name and page.cursor is not None]
    return cursors[-1]


def test_identity_is_stable(harness: Harness) -> None:
    crm = harness.connect()

    org = crm.identify()

    assert org.id
    assert org.name
    assert org == harness.connect().identify()
    assert org.key == f"{harness.name}:{org.id}"


def test_full_read_gives_every_row_once_and_ends_in_windows(harness: Harness) -> None:
    ids = harness.create(MANY, phone=PHONE)
    crm = harness.connect()
    feed = crm.open_feed({harness.object: None})

    assert feed.is_full(harness.object)

    pages = list(feed.changed())

    assert len(pages) > 1
    assert Counter(ids_of(pages)) == Counter(ids)

    harness.pass_time(hours=3)

    later = crm.open_feed({harness.object: last_cursor(pages, harness.object)})

    assert not later.is_full(harness.object)


def test_interrupted_full_read_goes_on_behind_the_last_page(harness: Harness) -> None:
    ids = harness.create(MANY, phone=PHONE)
    crm = harness.connect()

    first = next(page for page in crm.open_feed({harness.object: None}).changed() if page.records)

    assert first.cursor is not None

    rest = crm.open_feed({harness.object: first.cursor})

    assert rest.is_full(harness.object)

    pages = list(rest.changed())

    # A window may follow where the clock has moved on by then, and read again what is new.
    full_read = [*ids_of([first]), *ids_of(pages)][: len(ids)]
    assert Counter(full_read) == Counter(ids)


def test_rows_written_while_a_full_read_is_under_way_are_not_lost(harness: Harness) -> None:
    ids = harness.create(5, phone=PHONE)
    crm = harness.connect()
    feed = crm.open_feed({harness.object: None})
    harness.pass_time(minutes=2)
    harness.edit(ids[0], phone="+44 20 7946 0018")
    pages = list(feed.changed())
    harness.pass_time(minutes=2)
    later = harness.connect()
    later.identify()

    window = later.open_feed({harness.object: last_cursor(pages, harness.object)})

    assert ids[0] in ids_of(window.changed())


def test_rows_newer_than_the_watermark_are_read_and_come_again(harness: Harness) -> None:
    old, new = harness.create(2, phone=PHONE)
    crm = harness.connect()
    pages = list(crm.open_feed({harness.object: None}).changed())
    harness.pass_time(hours=3)
    feed = crm.open_feed({harness.object: last_cursor(pages, harness.object)})
    harness.pass_time(seconds=5)
    harness.edit(new, phone="+44 20 7946 0018", opt_out=True)
    list(feed.flagged())
    pages = list(feed.changed())

    (read,) = (record for page in pages for record in page.records if record.id == new)
    assert harness.shapes()[harness.object].is_flagged(read)

    harness.edit(old, phone="+44 20 7946 0018")
    later = crm.open_feed({harness.object: last_cursor(pages, harness.object)})

    assert {old, new} <= set(ids_of(later.changed()))


def test_ties_of_any_size_are_read_once(harness: Harness) -> None:
    first = list(harness.connect().open_feed({harness.object: None}).changed())
    harness.pass_time(hours=2)
    ids = harness.create(MANY, phone=PHONE)
    harness.same_instant(ids)
    harness.pass_time(minutes=2)
    crm = harness.connect()
    feed = crm.open_feed({harness.object: last_cursor(first, harness.object)})

    pages = list(feed.changed())

    assert Counter(ids_of(pages)) == Counter(ids)

    for _ in range(2):  # the first of them may read an overlap again
        harness.pass_time(hours=3)
        pages = list(crm.open_feed({harness.object: last_cursor(pages, harness.object)}).changed())

    assert ids_of(pages) == []


def test_values_are_typed_and_unicode_survives(harness: Harness) -> None:
    (id_,) = harness.create(phone="☎ ١٢٣ Größe", opt_out=False, country="Türkiye")

    record = fetch_one(harness.connect(), harness, id_)

    assert record.values[harness.roles["phone"]] == "☎ ١٢٣ Größe"
    assert record.values[harness.roles["country"]] == "Türkiye"
    assert record.values[harness.roles["opt_out"]] in (False, None)
    assert record.values[harness.roles["mobile"]] is None
    assert record.values[companions(harness)[Companion.LAST_SCREENED]] is None


def test_written_values_come_back_as_they_were(harness: Harness) -> None:
    (id_,) = harness.create(phone=PHONE)
    crm = harness.connect()
    stamp = datetime(2026, 10, 31, 23, 59, 58, tzinfo=UTC)

    fields: dict[str, Value] = {
        "status": "valid",
        "reason": "allocated: «naïve» — ok",
        "e164": "+14155550132",
        "last_screened": stamp,
        "opt_out": True,
    }

    assert [r.outcome for r in crm.write([change(harness, id_, **fields)])] == [Outcome.WRITTEN]

    values = fetch_one(crm, harness, id_).values
    names = companions(harness)

    assert values[names[Companion.STATUS]] == "valid"
    assert values[names[Companion.REASON]] == "allocated: «naïve» — ok"
    assert values[names[Companion.LAST_SCREENED]] == stamp
    assert values[harness.roles["opt_out"]] is True
    assert [r.outcome for r in crm.write([change(harness, id_, status=None, last_screened=None)])] == [Outcome.WRITTEN]

    emptied = fetch_one(crm, harness, id_).values

    assert emptied[names[Companion.STATUS]] is None
    assert emptied[names[Companion.LAST_SCREENED]] is None
    assert emptied[names[Companion.E164]] == "+14155550132"


def test_every_row_gets_its_own_result_in_order(harness: Harness) -> None:
    ids = harness.create(MANY, phone=PHONE)
    bad, gone = ids[7], ids[120]
    harness.delete(gone)
    crm = harness.connect()
    changes = [
        change(harness, id_, status="nonsense" if id_ == bad else "valid", e164=f"+1{i}") for i, id_ in enumerate(ids)
    ]

    results = crm.write(changes)

    assert len(results) == MANY

    outcomes = {id_: result for id_, result in zip(ids, results, strict=True) if result.outcome is not Outcome.WRITTEN}

    assert set(outcomes) == {bad, gone}
    assert outcomes[bad].outcome is Outcome.REFUSED
    assert outcomes[bad].message
    assert outcomes[gone].outcome is Outcome.CONFLICT

    field = companions(harness)[Companion.E164]

    found = {record.id: record.values[field] for record in crm.fetch(harness.object, ids)}

    assert found == {id_: f"+1{i}" for i, id_ in enumerate(ids) if id_ != gone} | {bad: None}


def test_writing_twice_is_writing_once(harness: Harness) -> None:
    (id_,) = harness.create(phone=PHONE)
    crm = harness.connect()

    same = change(harness, id_, status="valid", e164="+14155550132")

    assert [r.outcome for r in crm.write([same])] == [Outcome.WRITTEN]

    before = fetch_one(crm, harness, id_).values

    assert [r.outcome for r in crm.write([same])] == [Outcome.WRITTEN]
    assert fetch_one(crm, harness, id_).values == before


def test_unknown_rows_are_left_out_and_merged_ones_answer_as_the_survivor(harness: Harness) -> None:
    kept, merged, deleted = harness.create(3, phone=PHONE)
    survivor = harness.merge(kept, merged)
    harness.delete(deleted)
    crm = harness.connect()

    assert {record.id for record in crm.fetch(harness.object, [merged, deleted])} == {survivor}
    assert crm.fetch(harness.object, []) == []

    (result,) = crm.write([change(harness, merged, status="valid")])

    assert result.outcome is Outcome.CONFLICT


def test_guarded_write_loses_to_a_human(harness: Harness) -> None:
    stale, fresh = harness.create(2, mobile="415-555-0132")
    crm = harness.connect()
    records = {record.id: record for record in crm.fetch(harness.object, [stale, fresh])}
    harness.pass_time(seconds=5)
    harness.edit(stale, mobile="+44 20 7946 0018")
    field = harness.roles["mobile"]

    changes = [
        Change.of(
            harness.object,
            id_,
            (FieldChange(field, "415-555-0132", "+14155550132"),),
            guard={field: "415-555-0132"},
            modified=records[id_].modified,
        )
        for id_ in (stale, fresh)
    ]

    assert [r.outcome for r in crm.write(changes)] == [Outcome.CONFLICT, Outcome.WRITTEN]
    assert fetch_one(crm, harness, stale).values[field] == "+44 20 7946 0018"
    assert fetch_one(crm, harness, fresh).values[field] == "+14155550132"


def test_flags_are_read_in_full_and_by_window(harness: Harness) -> None:
    flagged, lowered, plain = harness.create(3, phone=PHONE)
    crm = harness.connect()
    crm.write([change(harness, id_, opt_out=True, status="do_not_contact") for id_ in (flagged, lowered)])
    harness.pass_time(seconds=2)
    feed = crm.open_feed({harness.object: None})

    assert set(ids_of(feed.flagged())) == {flagged, lowered}

    pages = list(feed.changed())
    harness.pass_time(hours=3)
    harness.edit(lowered, opt_out=False)
    harness.edit(plain, opt_out=True)
    harness.pass_time(minutes=2)
    window = crm.open_feed({harness.object: last_cursor(pages, harness.object)})

    found = {record.id: record for page in window.flagged() for record in page.records}

    assert {lowered, plain} <= set(found)

    shape = harness.shapes()[harness.object]

    assert not shape.is_flagged(found[lowered])
    assert shape.is_flagged(found[plain])


def test_due_and_screened_rows_are_found_by_age(harness: Harness) -> None:
    old, recent, never, empty = [harness.create(phone=p)[0] for p in (PHONE, PHONE, PHONE, None)]
    crm = harness.connect()
    now = datetime(2026, 11, 1, tzinfo=UTC)
    crm.write(
        [
            change(harness, old, status="valid", last_screened=now - timedelta(days=40)),
            change(harness, recent, status="valid", last_screened=now - timedelta(days=2)),
        ]
    )
    cutoff = now - timedelta(days=30)

    full = crm.open_feed({harness.object: None})

    assert ids_of(full.due(cutoff)) == []
    assert set(ids_of(full.screened(cutoff))) == {recent}

    pages = list(full.changed())
    harness.pass_time(hours=3)
    feed = crm.open_feed({harness.object: last_cursor(pages, harness.object)})

    assert set(ids_of(feed.due(cutoff))) == {old, never}
    assert empty not in ids_of(feed.due(cutoff))


def test_filter_marks_rows_and_never_hides_opt_outs(harness: Harness) -> None:
    inside, outside = harness.create(phone=PHONE, country="France")[0], harness.create(phone=PHONE, country="Spain")[0]
    harness.edit(outside, opt_out=True)
    crm = harness.connect(filter=harness.filter_for("France"))
    feed = crm.open_feed({harness.object: None})

    assert outside in ids_of(feed.flagged())

    scope = {record.id: record.in_scope for page in feed.changed() for record in page.records}

    assert scope == {inside: True, outside: False}
    assert {r.id: r.in_scope for r in crm.fetch(harness.object, [inside, outside])} == scope


def test_preflight_passes_and_names_what_is_missing(harness: Harness) -> None:
    assert not [f for f in harness.connect().check() if f.level is Level.PROBLEM]

    wrong = harness.roles["opt_out"] + "x"

    problems = [f for f in harness.connect(flag=wrong).check() if f.level is Level.PROBLEM]

    assert problems
    assert any(wrong in f.message or wrong in f.subject for f in problems)
    assert all(f.remedy and f.error for f in problems)
    assert any(f.error is not None and issubclass(f.error, SchemaError) for f in problems)


@pytest.mark.bare
def test_setup_creates_what_is_missing_and_can_be_repeated(harness: Harness) -> None:
    harness.bare()
    crm = harness.connect()
    crm.identify()

    assert [f for f in crm.check() if f.level is Level.PROBLEM]

    steps = crm.plan_setup()

    assert steps
    assert list(crm.apply_setup(steps)) == steps

    again = harness.connect()

    assert again.plan_setup() == []
    assert not [f for f in again.check() if f.level is Level.PROBLEM]

    (id_,) = harness.create(phone=PHONE)

    assert [r.outcome for r in again.write([change(harness, id_, status="valid")])] == [Outcome.WRITTEN]


def test_what_setup_made_can_be_taken_away_and_made_again(harness: Harness) -> None:
    crm = harness.connect()
    (id_,) = harness.create(phone=PHONE)
    assert [r.outcome for r in crm.write([change(harness, id_, status="valid")])] == [Outcome.WRITTEN]

    planned = crm.plan_removal()

    assert any("opt-outs" in one.why for one in planned.kept)
    assert list(crm.apply_removal(planned.steps)) == list(planned.steps)
    assert harness.connect().plan_removal().steps == []

    again = harness.connect()
    steps = again.plan_setup()

    assert list(again.apply_setup(steps)) == steps

    # HubSpot brings back what an archived property held, Salesforce does not.
    assert [r.outcome for r in again.write([change(harness, id_, status="invalid")])] == [Outcome.WRITTEN]


def test_wrong_token_is_named(harness: Harness) -> None:
    if harness.name == "memory":
        assert harness.connect(bad_token=True).identify().id
        return

    with pytest.raises(AuthenticationError) as caught:
        harness.connect(bad_token=True).identify()

    assert caught.value.remedy
    assert "not-a-token" not in str(caught.value)


def test_calls_are_counted_by_purpose(harness: Harness) -> None:
    harness.create(5, phone=PHONE)
    crm = harness.connect()
    crm.identify()
    crm.check()
    feed = crm.open_feed({harness.object: None})
    list(feed.flagged())
    records = [record for page in feed.changed() for record in page.records]
    crm.write([change(harness, record.id, status="valid") for record in records])

    assert set(crm.calls) <= {"login", "describe", "opt_outs", "read", "write", "setup"}
    assert crm.calls["read"] >= 1
    assert crm.calls["write"] == 1 if harness.name != "memory" else crm.calls["write"] >= 1
    assert crm.fewest_calls(0, 0, full=False) == 0
