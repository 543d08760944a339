"""Faults as the services' client libraries meet them, and the file on the command line."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from hubspot import HubSpot
from hubspot.crm.contacts import ApiException
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceGeneralError, SalesforceMalformedRequest

from .conftest import World

SOQL = "SELECT Id FROM Contact"


@pytest.fixture
def salesforce(world: World) -> Salesforce:
    sandbox = world.sandbox
    host = sandbox.salesforce_url.removeprefix("http://")
    client = Salesforce(instance=host, session_id=sandbox.salesforce.access_token, session=world.session)
    client.base_url = client.base_url.replace("https://", "http://")
    return client


@pytest.fixture
def hubspot(world: World) -> HubSpot:
    return HubSpot(access_token=world.sandbox.hubspot.access_token, host=world.sandbox.hubspot_url)


def rules(service: str, *pairs: tuple[str, str]) -> str:
    return ",".join(f"{{service: {service}, when: {{{when}}}, fault: {{{fault}}}}}" for when, fault in pairs)


def test_simple_salesforce_meets_them(world: World, salesforce: Salesforce) -> None:
    world.faults(
        rules(
            "salesforce",
            ("nth: 1", "kind: refuse, status: 503"),
            ("nth: 2", "kind: truncate"),
            ("nth: 3", "kind: refuse, status: 401"),
            ("", "kind: short_pages, smallest: 20, largest: 20"),
            ("path: '/query/{locator}'", "kind: drop_cursors"),
        )
    )
    with pytest.raises(SalesforceGeneralError):
        salesforce.query(SOQL)

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        salesforce.query(SOQL)

    with pytest.raises(SalesforceExpiredSession):
        salesforce.query(SOQL)

    first = salesforce.query(SOQL)

    assert (len(first["records"]), first["done"]) == (20, False)

    with pytest.raises(SalesforceMalformedRequest, match="INVALID_QUERY_LOCATOR"):
        salesforce.query_more(first["nextRecordsUrl"].rpartition("/")[2])


def test_the_hubspot_client_meets_them(world: World, hubspot: HubSpot) -> None:
    world.faults(
        rules(
            "hubspot",
            ("nth: 1", "kind: refuse, status: 477, retry_after: 30"),
            ("nth: 2", "kind: html, status: 502"),
            ("nth: 3", "kind: truncate"),
        )
    )
    page = hubspot.crm.contacts.basic_api.get_page
    with pytest.raises(ApiException) as moving:
        page(limit=5)

    assert (moving.value.status, moving.value.headers["Retry-After"]) == (477, "30")

    with pytest.raises(ApiException) as edge:
        page(limit=5)

    assert "<html>" in str(edge.value.body)

    requests_before = world.sandbox.hubspot.requests.total()

    # Left to itself, urllib3 below the client repeats a GET whose answer was cut off.
    assert len(page(limit=5).results) == 5
    assert world.sandbox.hubspot.requests.total() == requests_before + 2


def test_a_file_on_the_command_line_is_obeyed(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("rules: [{service: hubspot, when: {nth: 1}, fault: {kind: refuse, status: 423}}]", encoding="utf-8")
    module = ["-m", "ringfence.sandbox"]
    command = ["-c", "from ringfence.apps.cli import main; main()", "sandbox", "--json", "--ports", "0,0,0"]
    for words in (module, command):
        full = [sys.executable, *words, "--contacts", "20", "--faults", str(path)]
        with subprocess.Popen(full, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            assert child.stdout

            settings = json.loads(child.stdout.readline())
            url = f"{settings['RINGFENCE_HUBSPOT__BASE_URL']}/account-info/v3/details"
            headers = {"Authorization": f"Bearer {settings['RINGFENCE_HUBSPOT__ACCESS_TOKEN']}"}

            assert [requests.get(url, headers=headers, timeout=10).status_code for _ in range(2)] == [423, 200]

            child.send_signal(signal.SIGINT)
            child.communicate(timeout=20)

        assert child.returncode == 0


def test_the_command_refuses_a_wrong_file(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("rules: [{service: hubspt, fault: {kind: reset}}]", encoding="utf-8")
    command = [sys.executable, "-c", "from ringfence.apps.cli import main; main()", "sandbox", "--faults", str(path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "rules.0.service" in done.stderr
