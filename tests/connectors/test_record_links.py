"""Where a person finds a record in the browser."""

from __future__ import annotations

import pytest

from ringfence.connectors.hubspot.links import portal_address
from ringfence.connectors.hubspot.links import record_link as hubspot_link
from ringfence.connectors.salesforce.links import record_link as salesforce_link


def test_a_salesforce_record_is_found_by_its_id_alone() -> None:
    link = salesforce_link("https://acme.my.salesforce.com", "Contact", "003Qy00000A1b2cIAB")

    assert link == "https://acme.my.salesforce.com/003Qy00000A1b2cIAB"


@pytest.mark.parametrize(
    ("details", "address"),
    [
        ({"portalId": 123, "uiDomain": "app.hubspot.com"}, "https://app.hubspot.com/contacts/123"),
        ({"portalId": 123, "uiDomain": "app-eu1.hubspot.com"}, "https://app-eu1.hubspot.com/contacts/123"),
        ({"portalId": 123}, "https://app.hubspot.com/contacts/123"),
        ({"portalId": 123, "uiDomain": "evil.example/app.hubspot.com"}, "https://app.hubspot.com/contacts/123"),
    ],
)
def test_a_portal_is_where_its_details_say(details: dict[str, object], address: str) -> None:
    assert portal_address(details) == address


def test_a_hubspot_record_is_found_by_the_id_of_its_type() -> None:
    address = "https://app-eu1.hubspot.com/contacts/123"

    assert hubspot_link(address, "contacts", "501") == f"{address}/record/0-1/501"
    assert hubspot_link(address, "2-777", "5/01") == f"{address}/record/2-777/5%2F01"
