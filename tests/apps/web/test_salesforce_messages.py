"""``/salesforce/outbound-messages``: what an org tells of its records, over a real socket, with the org behind it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests

from ringfence.apps.settings import build_settings
from ringfence.apps.wiring import Wiring
from ringfence.core.ports.jobs import JobState
from ringfence.sandbox.salesforce.writes import new_row
from ringfence.sandbox.server import Sandbox
from testkit.jobs import wait_until
from testkit.served import RunningService, running_service

from ...connectors.salesforce.test_outbound_messages import MESSAGE, NOTIFICATION

SECRET, PATH = "a secret in the address", "/salesforce/outbound-messages"
SESSION = "00D5i0000000008!AQ4AQFakeSessionIdThatNobodyMayKeep"
PHONE = "+14155550132"
_ids = count(1)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Give an org of few people."""
    with Sandbox(contacts=20) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the state."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def salesforce(sandbox: Sandbox, folder: Path) -> Iterator[RunningService]:
    """Give a service that works for the org."""
    given = {
        **sandbox.settings(),
        "RINGFENCE_STATE_URL": f"sqlite:///{folder}/state.db",
        "RINGFENCE_SALESFORCE__ORGANIZATION_ID": sandbox.salesforce.org_id[:15],
        "RINGFENCE_SALESFORCE__OUTBOUND_SECRET": SECRET,
    }
    with running_service(Wiring(build_settings(given))) as running:
        yield running


def add(sandbox: Sandbox, **values: Any) -> str:
    org = sandbox.salesforce
    with org.lock:
        table = org.table("Contact")
        record = table.insert(new_row(org, table, {"LastName": "Doe", **values}, org.human_id, org.stamp()))
        return str(record)


def row(sandbox: Sandbox, record: str) -> dict[str, Any]:
    return dict(sandbox.salesforce.rows("Contact")[record])


def notification(record: str, name: str = "Contact", id_: str = "") -> str:
    return NOTIFICATION.format(id=id_ or f"04l5i{next(_ids):010}AAA", record=record, object=name)


def send(
    service: RunningService, org: str, *notifications: str, secret: str | None = SECRET, **options: Any
) -> requests.Response:
    body = MESSAGE.format(org=org, notifications="".join(notifications))
    body = body.replace('<SessionId xsi:nil="true"/>', f"<SessionId>{SESSION}</SessionId>")
    headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'}
    given = {} if secret is None else {"secret": secret}
    return service.post(PATH, params=given, data=body.encode(), headers=headers, **options)


def jobs_done(service: RunningService) -> bool:
    return not service.service.jobs.list(states=(JobState.WAITING, JobState.RUNNING))


def test_a_record_that_is_told_of_is_screened_at_once(salesforce: RunningService, sandbox: Sandbox) -> None:
    record = add(sandbox, Phone=PHONE)

    answer = send(salesforce, sandbox.salesforce.org_id, notification(record))

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert "<Ack>true</Ack>" in answer.text
    wait_until(lambda: row(sandbox, record).get("RF_Phone_E164__c") == PHONE)


def test_a_repeat_is_acknowledged_and_does_nothing(salesforce: RunningService, sandbox: Sandbox) -> None:
    told = notification(add(sandbox, Phone=PHONE))
    send(salesforce, sandbox.salesforce.org_id, told)
    wait_until(lambda: jobs_done(salesforce))
    last = salesforce.service.jobs.list()[0].id

    assert "<Ack>true</Ack>" in send(salesforce, sandbox.salesforce.org_id, told, told).text
    assert salesforce.service.jobs.list()[0].id == last


def test_what_the_mapping_leaves_out_is_acknowledged(salesforce: RunningService, sandbox: Sandbox) -> None:
    last = [job.id for job in salesforce.service.jobs.list()]

    answer = send(salesforce, sandbox.salesforce.org_id, notification("a015i00000000ABEAY", "Visit__c"))

    assert "<Ack>true</Ack>" in answer.text
    assert [job.id for job in salesforce.service.jobs.list()] == last


def test_only_the_org_with_the_secret_counts(salesforce: RunningService, sandbox: Sandbox) -> None:
    record = add(sandbox, Phone=PHONE)
    told, org = notification(record), sandbox.salesforce.org_id

    refused = [
        send(salesforce, org, told, secret=None),
        send(salesforce, org, told, secret=""),
        send(salesforce, org, told, secret=SECRET[:-1]),
        send(salesforce, "00D000000000001EAA", told),
    ]

    assert [answer.status_code for answer in refused] == [401] * 4
    assert all("<Ack>" not in answer.text for answer in refused)
    wait_until(lambda: jobs_done(salesforce))
    assert not row(sandbox, record).get("RF_Phone_Status__c")
    assert "<Ack>true</Ack>" in send(salesforce, org[:15], told).text


@pytest.mark.parametrize("body", [b"", b"<a/>", b"{}", b"<!DOCTYPE a><a/>"])
def test_a_body_that_is_no_message_is_refused(salesforce: RunningService, body: bytes) -> None:
    answer = salesforce.post(PATH, params={"secret": SECRET}, data=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "not_a_message")


def test_a_full_message_is_acknowledged_once_it_is_on_record(salesforce: RunningService, sandbox: Sandbox) -> None:
    records = [add(sandbox, Phone=PHONE) for _ in range(100)]

    answer = send(salesforce, sandbox.salesforce.org_id, *map(notification, records))

    assert "<Ack>true</Ack>" in answer.text
    wait_until(lambda: all(row(sandbox, record).get("RF_Phone_Status__c") for record in records))


def test_neither_session_nor_secret_is_kept_or_told(
    salesforce: RunningService, sandbox: Sandbox, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        send(salesforce, sandbox.salesforce.org_id, notification(add(sandbox, Phone=PHONE)))
        send(salesforce, sandbox.salesforce.org_id, notification(add(sandbox, Phone=PHONE)), secret="wrong-one")
        wait_until(lambda: jobs_done(salesforce))

    # The client of this test tells what it asks for; the service must not.
    ours = [record for record in caplog.records if record.name.startswith("ringfence")]
    told = "".join(f"{record.getMessage()} {record.__dict__}" for record in ours)
    kept = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    assert PATH in told
    for secret in (SESSION, SECRET, "wrong-one", SECRET.replace(" ", "%20"), SECRET.replace(" ", "+")):
        assert secret not in told
        assert secret.encode() not in kept


def test_without_a_secret_nothing_counts(sandbox: Sandbox, tmp_path: Path) -> None:
    given = {**sandbox.settings(), "RINGFENCE_STATE_URL": f"sqlite:///{tmp_path}/state.db"}
    given["RINGFENCE_SALESFORCE__ORGANIZATION_ID"] = sandbox.salesforce.org_id

    with running_service(Wiring(build_settings(given)), works=False) as running:
        answer = send(running, sandbox.salesforce.org_id, notification("0035i000000000HAAQ"), secret="")

    assert answer.status_code == 401
