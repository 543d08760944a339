"""The user behind the token, also where the token may not ask for the user's details."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ringfence.connectors.salesforce.connector import SalesforceCrm
from ringfence.connectors.salesforce.user import read_user
from ringfence.core.errors import AuthenticationError
from ringfence.core.ports.crm import Level
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.salesforce.traits import SalesforceTraits

from ..conftest import Script

Connect = Callable[..., SalesforceCrm]
RESOURCES = "GET /"


@pytest.mark.parametrize("userinfo", ["answered", "forbidden", "missing"])
@pytest.mark.parametrize("way", ["direct", "client", "bearer"])
def test_check_and_setup_know_their_user(
    connect: Connect, org: SalesforceOrg, request: pytest.FixtureRequest, way: str, userinfo: Any
) -> None:
    org.traits = SalesforceTraits(userinfo=userinfo)
    org.hide_field("Contact", "RF_Phone_Status__c")
    crm = connect(settings=None if way == "direct" else request.getfixturevalue(way))

    findings = [finding for finding in crm.check() if finding.subject == "user"]
    steps = {step.kind: step for step in crm.plan_setup()}

    assert [(finding.level, org.username in finding.message) for finding in findings] == [(Level.OK, True)]
    assert steps["assignment"].body == org.user_id


def test_the_log_in_names_the_user_without_a_further_call(
    connect: Connect, org: SalesforceOrg, client: dict[str, Any]
) -> None:
    org.traits = SalesforceTraits(userinfo="missing")
    crm = connect(settings=client)
    crm.identify()

    list(crm.check())

    assert org.requests[RESOURCES] == 0


def test_a_token_that_has_expired_is_no_missing_scope(crm: SalesforceCrm, org: SalesforceOrg) -> None:
    crm.identify()
    org.expire_tokens()

    with pytest.raises(AuthenticationError, match="ACCESS_TOKEN"):
        read_user(crm._client, "check")


def test_a_service_that_names_no_user_at_all_is_refused_as_it_was(connect: Connect, script: Script) -> None:
    script.says(404, [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])
    script.says(200, {"sobjects": "/services/data/v65.0/sobjects"})
    crm = connect(settings={"instance_url": script.url, "access_token": "t"})

    with pytest.raises(Exception, match="NOT_FOUND"):
        read_user(crm._client, "check")
