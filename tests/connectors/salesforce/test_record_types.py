"""Record types that leave statuses out of a restricted picklist, as an org with some tells of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.core.ports.crm import Depth, Level
from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.salesforce.org import SalesforceOrg

STATUS = "RF_Phone_Status__c"
ORG = parse_org(
    f"salesforce: {{record_types: {{Contact: {{Customer: {{}}, Partner: {{{STATUS}: [valid]}}}}}}}}", "test"
)

pytestmark = pytest.mark.parametrize("sandbox", [{"contacts": 5, "org": ORG}], indirect=True)


def test_check_names_the_type_that_leaves_statuses_out(
    connect: Callable[..., SalesforceCrm], org: SalesforceOrg
) -> None:
    about = f"Contact.{STATUS}"

    assert not [each for each in connect().check(Depth.DOCTOR) if each.subject == about and each.level is not Level.OK]

    org.restrict_picklist("Contact", STATUS)
    told = [each.message for each in connect().check(Depth.DOCTOR) if each.subject == about]

    assert any("record type Partner leaves out" in message and "do_not_contact" in message for message in told)
    assert not any("Customer" in message for message in told)
