"""What a run reads, in how many calls, and that nothing is lost between two runs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.cursor import OVERLAP
from ringfence.core.errors import MappingError, SchemaError
from ringfence.core.model.values import Change, FieldChange, Record
from ringfence.core.ports.crm import Feed, Page
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

Connect = Callable[..., SalesforceCrm]
STATUS = "RF_Phone_Status__c"
LAST = "RF_Phone_Last_Screened__c"


def records(pages: Iterable[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


def ids(pages: Iterable[Page]) -> list[str]:
    return [record.id for record in records(pages)]


def alive(org: SalesforceOrg, object_name: str = "Contact") -> list[str]:
    rows = org.rows(object_name)
    return sorted(one for one, row in rows.items() if not row["IsDeleted"] and not row.get("IsConverted"))


def end(pages: Iterable[Page], object_name: str = "Contact") -> str:
    return [page.cursor for page in pages if page.object == object_name and page.cursor][-1]


def settle(sandbox: Sandbox) -> None:
    """Let the minute pass that the watermark waits for."""
    sandbox.clock.advance(61)


@pytest.fixture
def cursor(connect: Connect, sandbox: Sandbox) -> str:
    """Give the cursor of a full read whose rows no later window reaches back to."""
    sandbox.clock.advance(600)
    cursor = end(connect().open_feed({}).changed())
    sandbox.clock.advance(600)
    return cursor


def window(connect: Connect, cursor: str, **options: str) -> Feed:
    feed = connect(**options).open_feed({"Contact": cursor})
    assert not feed.is_full("Contact")
    return feed


@pytest.mark.parametrize("sandbox", [{"contacts": 900}], indirect=True)
def test_every_page_costs_one_call_and_first_pages_share_one(connect: Connect, both: str, org: SalesforceOrg) -> None:
    org.page_size = 200
    crm = connect(both)
    crm.identify()
    feed = crm.open_feed({})
    list(feed.flagged())
    pages = list(feed.changed())

    held = {name: len(alive(org, name)) for name in ("Contact", "Lead")}

    assert Counter(record.object for record in records(pages)) == held
    assert {page.object: page.total for page in pages} == held

    further = sum(-(-count // 200) - 1 for count in held.values())

    assert crm.calls == {"login": 1, "opt_outs": 1, "read": 1 + further}


def test_flags_without_a_mapped_field_are_not_asked_for(connect: Connect) -> None:
    crm = connect("crm: salesforce\nobjects:\n  Contact:\n    phones: {Phone: {}}\n")
    feed = crm.open_feed({})

    assert list(feed.flagged()) == []
    assert "opt_outs" not in crm.calls


def test_any_object_can_be_mapped(connect: Connect, both: str, org: SalesforceOrg) -> None:
    fields = "status: Type, reason: Website, e164: BillingCity, line_type: Industry, screened_value: Fax"
    account = f"  Account:\n    phones: {{Phone: {{companions: {{{fields}, last_screened: CreatedDate}}}}}}\n"
    feed = connect(both + account).open_feed({})

    assert {page.object for page in feed.changed()} == {"Contact", "Lead", "Account"}


def test_shorter_pages_than_asked_for_end_nothing(connect: Connect, org: SalesforceOrg) -> None:
    org.page_size = 7
    assert Counter(ids(connect().open_feed({}).changed())) == Counter(alive(org))


@pytest.mark.parametrize("full", [True, False])
def test_an_expired_query_cursor_starts_again_behind_the_last_row(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str, full: bool
) -> None:
    org.page_size = 9
    wanted = alive(org)

    if not full:
        for one in wanted:
            org.update_as_user("Contact", one, Title="boss")
        settle(sandbox)

    feed = connect().open_feed({"Contact": None if full else cursor})
    read: list[str] = []

    for page in feed.changed():
        read += ids([page])
        org.cursors.drop_all()

    assert Counter(read) == Counter(wanted)


def test_rows_that_vanish_between_two_pages_are_told(
    connect: Connect, org: SalesforceOrg, caplog: pytest.LogCaptureFixture
) -> None:
    org.page_size = 9
    wanted = alive(org)
    pages = connect().open_feed({}).changed()
    read = ids([next(pages)])
    org.delete("Contact", wanted[-1])
    org.cursors.drop_all()

    assert Counter(read + ids(pages)) == Counter(wanted[:-1])
    assert f"Contact: 1 of {len(wanted)} rows vanished" in caplog.text


def test_an_interrupted_full_read_keeps_the_watermark_of_its_first_page(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    org.page_size = 10
    sandbox.clock.advance(600)

    first = next(iter(connect().open_feed({}).changed()))

    assert first.cursor is not None

    edited = first.records[0].id
    sandbox.clock.advance(3_600)
    org.update_as_user("Contact", edited, Title="boss")
    sandbox.clock.advance(3_600)

    rest = connect().open_feed({"Contact": first.cursor})

    assert rest.is_full("Contact")

    pages = list(rest.changed())

    assert edited not in ids(pages)
    assert Counter(ids([first, *pages])) == Counter(alive(org))
    assert edited in ids(window(connect, end(pages)).changed())


def test_an_interrupted_window_goes_on_where_it_stopped(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str
) -> None:
    wanted = alive(org)[:30]
    for one in wanted:
        org.update_as_user("Contact", one, Title="boss")
        sandbox.clock.advance(1)

    sandbox.clock.advance(OVERLAP.total_seconds() + 120)
    org.page_size = 8

    first = next(iter(window(connect, cursor).changed()))

    assert first.cursor is not None

    rest = list(window(connect, first.cursor).changed())

    assert Counter(ids([first, *rest])) == Counter(wanted)


def test_a_page_that_may_still_get_late_rows_moves_no_cursor(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str
) -> None:
    for one in alive(org)[:20]:
        org.update_as_user("Contact", one, Title="boss")

    settle(sandbox)
    org.page_size = 8

    pages = list(window(connect, cursor).changed())

    assert [json.loads(str(page.cursor)) == json.loads(cursor) for page in pages] == [True, True, False]


def test_a_row_of_a_long_transaction_comes_with_the_window_after_its_commit(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str
) -> None:
    one = alive(org)[0]
    transaction = org.open_transaction()
    transaction.update("Contact", one, Phone="+14155550123")
    sandbox.clock.advance(7_200)

    pages = list(window(connect, cursor).changed())

    assert one not in ids(pages)

    transaction.commit()
    sandbox.clock.advance(7_200)

    assert one in ids(window(connect, end(pages)).changed())


def test_a_watermark_never_goes_back(connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str) -> None:
    org.open_transaction(started=sandbox.clock.now() - timedelta(hours=5))

    pages = list(window(connect, cursor).changed())

    assert json.loads(end(pages))["since"] == json.loads(cursor)["since"]


def test_a_row_that_turns_up_late_is_caught_by_the_overlap(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str
) -> None:
    pages = list(window(connect, cursor).changed())
    covered = datetime.fromisoformat(json.loads(end(pages))["since"])
    late = org.open_transaction(started=covered - OVERLAP + timedelta(seconds=1))
    late.update("Contact", alive(org)[0], Phone="+14155550123")
    late.commit()
    settle(sandbox)

    assert ids(window(connect, end(pages)).changed()) == [alive(org)[0]]


def test_changes_by_the_platform_itself_are_read(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, cursor: str
) -> None:
    org.touch("Contact", alive(org)[3])
    settle(sandbox)

    assert ids(window(connect, cursor).changed()) == [alive(org)[3]]


@pytest.mark.parametrize("years", [-3, 3])
def test_a_wrong_clock_of_ours_moves_no_window(
    connect: Connect, org: SalesforceOrg, sandbox: Sandbox, clock: object, cursor: str, years: int
) -> None:
    org.update_as_user("Contact", alive(org)[0], Title="boss")
    settle(sandbox)
    clock.time = sandbox.clock.now() + timedelta(days=365 * years)  # type: ignore[attr-defined]  # the clock to set

    pages = list(connect(clock=clock).open_feed({"Contact": cursor}).changed())

    assert ids(pages) == [alive(org)[0]]

    since = datetime.fromisoformat(json.loads(end(pages))["since"])

    assert timedelta(0) <= sandbox.clock.now() - since < timedelta(minutes=2)


def test_converted_leads_are_left_out_of_all_but_opt_outs(
    connect: Connect, both: str, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    crm = connect(both)
    gone, kept = alive(org, "Lead")[:2]
    for one in (gone, kept):
        org.update_as_user("Lead", one, DoNotCall=True, **{LAST: sandbox.clock.now()})

    cursors = {page.object: page.cursor for page in crm.open_feed({}).changed()}
    org.convert_lead(gone)
    settle(sandbox)

    for at in ({}, cursors):
        feed = connect(both).open_feed(at)
        for read in (feed.changed(), feed.screened(datetime(2020, 1, 1, tzinfo=UTC))):
            found = ids(page for page in read if page.object == "Lead")
            assert kept in found
            assert gone not in found

        flagged = [page for page in feed.flagged() if page.object == "Lead"]
        assert kept in ids(page for page in flagged if not page.gone)
        assert set(ids(page for page in flagged if page.gone)) == {gone}

    due = connect(both).open_feed(cursors).due(sandbox.clock.now() + timedelta(days=1))

    assert gone not in ids(due)
    assert [record.id for record in crm.fetch("Lead", [gone, kept])] == [kept]


def test_a_converted_lead_asks_for_its_contact_too(
    connect: Connect, both: str, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    lead = alive(org, "Lead")[0]
    org.update_as_user("Lead", lead, DoNotCall=True, Phone="+14155550123", MobilePhone=None)
    contact = org.convert_lead(lead)
    org.update_as_user("Contact", contact, Phone="030 23125123", MailingCountry="DE", DoNotCall=False)

    found = [page for page in connect(both).open_feed({}).flagged() if lead in ids([page])]
    phones = [(record.id, record.values["Phone"], record.values["Country"]) for record in records(found)]

    assert phones[0] == (lead, "030 23125123", "DE")
    assert [phone for _, phone, _ in phones[1:]] == ["+14155550123"]
    assert all(record.values["DoNotCall"] for record in records(found))


def test_a_converted_lead_whose_flag_was_lowered_is_told(
    connect: Connect, both: str, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    lead = alive(org, "Lead")[0]
    org.update_as_user("Lead", lead, DoNotCall=True, **{STATUS: "do_not_contact"})
    sandbox.clock.advance(600)
    cursors = {page.object: page.cursor for page in connect(both).open_feed({}).changed()}
    org.update_as_user("Lead", lead, DoNotCall=False)
    org.convert_lead(lead)

    found = [page for page in connect(both).open_feed(cursors).flagged() if lead in ids([page])]

    assert [(page.gone, page.records[0].values["DoNotCall"]) for page in found] == [(False, False)]


@pytest.mark.parametrize("full", [True, False])
def test_a_record_deleted_with_its_flag_up_is_told_as_gone(
    connect: Connect, org: SalesforceOrg, cursor: str, full: bool
) -> None:
    flagged, plain = alive(org)[:2]
    org.update_as_user("Contact", flagged, DoNotCall=True)
    org.update_as_user("Contact", plain, DoNotCall=False)
    for one in (flagged, plain):
        org.delete("Contact", one)

    feed = connect().open_feed({"Contact": None if full else cursor})

    assert ids(page for page in feed.flagged() if page.gone) == [flagged]


CONDITIONS = {
    "MailingCountry = 'France'": {"France"},
    "MailingCountry != 'France'": {"Spain", None},
    "MailingCountry = null": {None},
    "MailingCountry = 'France' OR MailingCountry = null": {"France", None},
    "NOT (MailingCountry = 'Spain')": {"France", None},
}


@pytest.mark.parametrize("sandbox", [{"contacts": 12}], indirect=True)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_row_comes_once_and_knows_whether_it_is_in_the_filter(
    connect: Connect, org: SalesforceOrg, condition: str
) -> None:
    countries = ("France", "Spain", None)
    rows = {one: countries[n % 3] for n, one in enumerate(alive(org))}
    for one, country in rows.items():
        org.update_as_user("Contact", one, MailingCountry=country, Phone="+14155550123", **{LAST: None})

    crm = connect(filter=f'"{condition}"')

    found = records(crm.open_feed({}).changed())

    assert {record.id: record.in_scope for record in found} == {
        one: country in CONDITIONS[condition] for one, country in rows.items()
    }
    assert len(found) == len(rows)
    assert {r.id: r.in_scope for r in crm.fetch("Contact", list(rows))} == {r.id: r.in_scope for r in found}

    cursor = end(crm.open_feed({}).changed())

    due = ids(crm.open_feed({"Contact": cursor}).due(datetime(2020, 1, 1, tzinfo=UTC)))

    assert Counter(due) == Counter(one for one, country in rows.items() if country in CONDITIONS[condition])


def test_a_window_reads_flags_of_the_running_minute_too(connect: Connect, org: SalesforceOrg, cursor: str) -> None:
    one = next(one for one in alive(org) if not org.rows("Contact")[one]["DoNotCall"])
    org.update_as_user("Contact", one, DoNotCall=True)

    assert one in ids(window(connect, cursor).flagged())


def test_flags_can_be_read_twice(connect: Connect, org: SalesforceOrg) -> None:
    one = alive(org)[0]
    org.update_as_user("Contact", one, DoNotCall=True)
    feed = connect().open_feed({})

    for _ in range(2):
        assert one in ids(feed.flagged())


def test_text_flags_are_escaped(connect: Connect, org: SalesforceOrg) -> None:
    one = alive(org)[0]
    org.update_as_user("Contact", one, Department="don't \\ call")
    crm = connect(opt_out='{field: Department, true_values: ["don\'t \\\\ call"]}')

    assert ids(crm.open_feed({}).flagged()) == [one]


def test_a_hidden_field_ends_the_run_by_its_name(connect: Connect, org: SalesforceOrg) -> None:
    org.hide_field("Contact", STATUS)

    with pytest.raises(SchemaError, match=STATUS) as caught:
        connect().open_feed({})

    assert "check" in caught.value.remedy


def test_a_query_too_long_for_an_address_is_the_mappings_fault(connect: Connect) -> None:
    crm = connect(filter=f'"Title IN ({", ".join(repr(str(n)) for n in range(3_000))})"')

    with pytest.raises(MappingError, match="16,384"):
        list(crm.open_feed({}).changed())


def test_a_list_of_conditions_is_refused_before_any_call(connect: Connect) -> None:
    with pytest.raises(MappingError, match="SOQL"):
        connect(filter="[{field: Title}]")


@pytest.mark.parametrize("sandbox", [{"contacts": 3_100}], indirect=True)
def test_fetch_takes_two_thousand_a_call(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    wanted = alive(org)[:2_100]

    assert Counter(record.id for record in crm.fetch("Contact", wanted)) == Counter(wanted)
    assert crm.calls == {"read": 2}


def test_fetch_follows_merges_to_their_end(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    first, second, third, deleted, plain = alive(org)[:5]
    org.merge(second, [first])
    org.merge(third, [second])
    org.delete("Contact", deleted)

    found = crm.fetch("Contact", [first, second, deleted, plain, plain, "003000000000000AAA"])

    assert Counter(record.id for record in found) == {third: 1, plain: 1}


def test_a_read_record_is_typed(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    one = alive(org)[0]
    org.update_as_user("Contact", one, DoNotCall=False, Phone="☎ ١٢٣", MobilePhone=None)
    crm.write([Change.of("Contact", one, (FieldChange(LAST, None, datetime(2026, 11, 2, 9, tzinfo=UTC)),))])

    (record,) = crm.fetch("Contact", [one])

    assert record.values["DoNotCall"] is False
    assert record.values["Phone"] == "☎ ١٢٣"
    assert record.values["MobilePhone"] is None
    assert record.values[LAST] == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert record.modified is not None
    assert record.modified.utcoffset() == timedelta(0)


@pytest.fixture
def encrypted(connect: Connect, org: SalesforceOrg) -> Connect:
    """Connect to an org whose phone and opt-out fields no condition may name, its fields described as in any run."""
    for name in ("Phone", "Department"):
        org.encrypt_field("Contact", name)

    def open_one() -> SalesforceCrm:
        crm = connect(opt_out="{field: Department, true_values: [never]}")
        assert crm.check()
        return crm

    return open_one


def test_an_encrypted_opt_out_is_found_in_every_read(encrypted: Connect, org: SalesforceOrg, sandbox: Sandbox) -> None:
    flagged, deleted, later = alive(org)[:3]
    for one in (flagged, deleted):
        org.update_as_user("Contact", one, Department="Never")
    org.delete("Contact", deleted)
    sandbox.clock.advance(600)

    feed = encrypted().open_feed({})
    assert ids(feed.flagged()) == [flagged, deleted]
    cursors = {"Contact": end(feed.changed())}

    org.update_as_user("Contact", later, Department="Never")
    sandbox.clock.advance(600)

    assert ids(encrypted().open_feed(cursors).flagged()) == [later]


def test_an_encrypted_phone_is_due_only_where_it_is_filled(
    encrypted: Connect, org: SalesforceOrg, sandbox: Sandbox
) -> None:
    moments = {LAST: sandbox.clock.now(), "RF_MobilePhone_Last_Screened__c": sandbox.clock.now()}
    for one in alive(org):
        org.update_as_user("Contact", one, Phone="+14155550123", MobilePhone=None, **moments)
    empty, unscreened = alive(org)[:2]
    org.update_as_user("Contact", empty, Phone=None, **{LAST: None})
    org.update_as_user("Contact", unscreened, **{LAST: None})
    cursors = {"Contact": end(encrypted().open_feed({}).changed())}

    assert ids(encrypted().open_feed(cursors).due(sandbox.clock.now() - timedelta(days=1))) == [unscreened]
