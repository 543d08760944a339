"""The Consent API of the org, as the REST guide describes it for the action `phone`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from ringfence.sandbox.org_file import parse_org
from ringfence.sandbox.salesforce.org import SalesforceOrg
from ringfence.sandbox.server import Sandbox

ORG = parse_org("salesforce: {data_protection: true}", "test")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(contacts=8, org=ORG) as running:
        yield running


@pytest.fixture
def org(sandbox: Sandbox) -> SalesforceOrg:
    return sandbox.salesforce


def ask(sandbox: Sandbox, action: str = "phone", **query: str) -> requests.Response:
    return requests.get(
        f"{sandbox.salesforce_url}/services/data/v65.0/consent/action/{action}",
        params=query,
        headers={"Authorization": f"Bearer {sandbox.salesforce.access_token}"},
        timeout=10,
    )


def proceeds(answer: requests.Response) -> dict[str, str]:
    return {one: told["proceed"]["phone"] for one, told in answer.json().items()}


def contacts(org: SalesforceOrg, count: int) -> list[str]:
    ids = list(org.rows("Contact"))[:count]
    for row_id in ids:
        org.update_as_user("Contact", row_id, IndividualId=None, DoNotCall=False)
    return ids


def test_the_least_permissive_word_of_all_that_are_linked_counts(sandbox: Sandbox, org: SalesforceOrg) -> None:
    alone, linked, flagged = contacts(org, 3)
    individual = org.create_as_user("Individual", LastName="Doe")
    for row_id in (linked, flagged):
        org.update_as_user("Contact", row_id, IndividualId=individual)
    org.update_as_user("Contact", flagged, DoNotCall=True)

    answer = ask(sandbox, ids=f"{alone},{linked}", verbose="true")

    assert proceeds(answer) == {alone: "true", linked: "false"}
    assert answer.json()[linked]["explanation"] == [
        {"objectConsulted": "Contact", "field": "DoNotCall", "recordId": flagged, "value": "true"}
    ]


def test_a_consent_counts_while_it_is_in_effect(sandbox: Sandbox, org: SalesforceOrg) -> None:
    (record,) = contacts(org, 1)
    individual, now = org.create_as_user("Individual", LastName="Roe"), sandbox.clock.now()
    org.update_as_user("Contact", record, IndividualId=individual)
    told = {"ContactPointType": "Phone", "PrivacyConsentStatus": "OptOut", "CaptureSource": "web"}
    org.create_as_user("ContactPointTypeConsent", PartyId=individual, EffectiveFrom=now + timedelta(days=1), **told)
    later = (now + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")

    assert proceeds(ask(sandbox, ids=record)) == {record: "true"}
    assert proceeds(ask(sandbox, ids=record, datetime=later)) == {record: "false"}


def test_one_answer_stands_for_all_where_that_is_asked(sandbox: Sandbox, org: SalesforceOrg) -> None:
    may, may_not = contacts(org, 2)
    org.update_as_user("Contact", may_not, DoNotCall=True)

    assert ask(sandbox, ids=f"{may},{may_not}", aggregatedConsent="true").json() == {
        "result": "Success",
        "proceed": {"phone": "false", "phoneResult": "Success"},
    }
    assert ask(sandbox, ids=may, aggregatedConsent="").json()["proceed"]["phone"] == "true"


def test_an_id_that_is_nobodys_has_an_error_in_its_place(sandbox: Sandbox) -> None:
    answer = ask(sandbox, ids="003000000000000AAA")

    assert answer.status_code == 200
    assert "proceed" not in answer.json()["003000000000000AAA"]


@pytest.mark.parametrize(
    ("action", "query", "status"),
    [
        ("phone", {}, 400),
        ("phone", {"ids": "003000000000000AAA", "datetime": "tomorrow"}, 400),
        ("telepathy", {"ids": "003000000000000AAA"}, 404),
    ],
)
def test_what_it_does_not_take_is_refused(sandbox: Sandbox, action: str, query: dict[str, str], status: int) -> None:
    assert ask(sandbox, action, **query).status_code == status


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("salesforce: {}", "FUNCTIONALITY_NOT_ENABLED"),
        ("salesforce: {data_protection: true, privacy_data: false}", "INSUFFICIENT_ACCESS"),
    ],
)
def test_not_every_org_and_user_may_ask(text: str, code: str) -> None:
    with Sandbox(contacts=1, org=parse_org(text, "test")) as running:
        answer = ask(running, ids="003000000000000AAA")

    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, code)
