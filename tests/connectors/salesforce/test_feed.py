"""What a read gives: every row once, typed, inside or outside of the filter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.errors import MappingError, SchemaError
from ringfence.core.model.values import Change, FieldChange
from ringfence.sandbox.salesforce.org import SalesforceOrg

from .reads import alive, end, ids, records

Connect = Callable[..., SalesforceCrm]
STATUS = "RF_Phone_Status__c"
LAST = "RF_Phone_Last_Screened__c"


def test_any_object_can_be_mapped(connect: Connect, both: str, org: SalesforceOrg) -> None:
    fields = "status: Type, reason: Website, e164: BillingCity, line_type: Industry, screened_value: Fax"
    account = f"  Account:\n    phones: {{Phone: {{companions: {{{fields}, last_screened: CreatedDate}}}}}}\n"
    feed = connect(both + account).open_feed({})

    assert {page.object for page in feed.changed()} == {"Contact", "Lead", "Account"}


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


def test_a_hidden_field_ends_the_run_by_its_name(connect: Connect, org: SalesforceOrg) -> None:
    org.hide_field("Contact", STATUS)

    with pytest.raises(SchemaError, match=STATUS) as caught:
        connect().open_feed({})

    assert "check" in caught.value.remedy


def test_a_list_of_conditions_is_refused_before_any_call(connect: Connect) -> None:
    with pytest.raises(MappingError, match="SOQL"):
        connect(filter="[{field: Title}]")


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
