"""``/hubspot/webhooks``: what HubSpot tells of its records, over a real socket, with a portal behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ringfence.apps.operations.forgetting import forget_person
from ringfence.apps.settings import build_settings
from ringfence.apps.wiring import Wiring
from ringfence.connectors.hubspot import limits
from ringfence.connectors.hubspot.signatures import SignedRequest, sign_v2
from ringfence.core.ports.crm import Org
from ringfence.core.ports.jobs import JobState
from ringfence.core.state.audit import AuditLog
from ringfence.core.state.cursors import find_org
from ringfence.core.state.erased import find_erased
from ringfence.core.state.erasure import find_holders
from ringfence.core.state.opt_out_ledger import OptOutLedger
from ringfence.core.state.persons_gone import PersonGone
from ringfence.sandbox.server import Sandbox
from testkit.jobs import wait_until
from testkit.served import RunningService, running_service
from testkit.webhooks import PATH, SECRET, add_contact, deliver, event, read_contact

PHONE, OTHER = "+14155550132", "+14155550147"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Give a portal of few people."""
    with pytest.MonkeyPatch.context() as patched, Sandbox(contacts=20) as running:
        patched.setattr(limits, "SEARCHES_PER_SECOND", 1_000)
        running.hubspot.searches.limit = running.hubspot.calls.limit = 10_000
        yield running


@pytest.fixture(scope="module")
def hubspot(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """Give a service that works for the portal."""
    state = tmp_path_factory.mktemp("served") / "state.db"
    given = {
        **sandbox.settings(),
        "RINGFENCE_STATE_URL": f"sqlite:///{state}",
        "RINGFENCE_HUBSPOT__CLIENT_SECRET": SECRET,
    }
    with running_service(Wiring(build_settings(given))) as running:
        yield running


def jobs_done(service: RunningService) -> bool:
    return not service.service.jobs.list(states=(JobState.WAITING, JobState.RUNNING))


def test_a_changed_phone_is_screened_at_once(hubspot: RunningService, sandbox: Sandbox) -> None:
    record = add_contact(sandbox, phone=PHONE)

    answer = deliver(hubspot.url, [event(sandbox, record)])

    assert (answer.status_code, answer.json()) == (200, {"woken": 1})
    wait_until(lambda: read_contact(sandbox, record).get("rf_phone_e164") == PHONE)


@pytest.mark.parametrize(
    "words",
    [
        {"subscriptionType": "contact.propertyChange", "objectTypeId": None},
        {"subscriptionType": "contact.creation", "objectTypeId": None},
        {"subscriptionType": "object.restore"},
        {"propertyName": "country"},
        {"propertyName": "rf_do_not_call"},
    ],
)
def test_whatever_may_matter_wakes_the_record(hubspot: RunningService, sandbox: Sandbox, words: dict[str, Any]) -> None:
    record = add_contact(sandbox, phone=PHONE)

    assert deliver(hubspot.url, [event(sandbox, record, **words)]).json() == {"woken": 1}
    wait_until(lambda: read_contact(sandbox, record).get("rf_phone_status") == "valid")


@pytest.mark.parametrize(
    "words",
    [
        {"propertyName": "firstname"},
        {"propertyName": "rf_phone_status", "changeSource": "INTEGRATION"},
        {"subscriptionType": "contact.associationChange"},
        {"objectTypeId": "0-2"},
        {"objectTypeId": "2-4711"},
    ],
)
def test_what_the_mapping_does_not_read_wakes_nobody(
    hubspot: RunningService, sandbox: Sandbox, words: dict[str, Any]
) -> None:
    record = add_contact(sandbox, phone=PHONE)

    assert deliver(hubspot.url, [event(sandbox, record, **words)]).json() == {"ignored": 1}
    assert read_contact(sandbox, record).get("rf_phone_status") is None


def test_a_repeat_does_nothing_and_the_order_does_not_matter(hubspot: RunningService, sandbox: Sandbox) -> None:
    record = add_contact(sandbox, phone=OTHER)
    older, newer = event(sandbox, record, propertyValue=PHONE), event(sandbox, record, propertyValue=OTHER)

    assert deliver(hubspot.url, [newer]).json() == {"woken": 1}
    assert deliver(hubspot.url, [older, newer, older]).json() == {"woken": 1, "known": 2}
    wait_until(lambda: jobs_done(hubspot))
    ended = hubspot.service.jobs.list()[0].id
    assert deliver(hubspot.url, [older | {"attemptNumber": 3, "eventId": 99}]).json() == {"known": 1}

    assert read_contact(sandbox, record)["rf_phone_e164"] == OTHER
    assert hubspot.service.jobs.list()[0].id == ended


def test_a_merge_wakes_all_that_it_names(hubspot: RunningService, sandbox: Sandbox) -> None:
    first, second = add_contact(sandbox, phone=PHONE), add_contact(sandbox, phone=OTHER)
    survivor = sandbox.hubspot.merge(first, second)
    merge = event(
        sandbox,
        first,
        "contact.merge",
        primaryObjectId=int(first),
        mergedObjectIds=[int(second)],
        newObjectId=int(survivor),
    )

    assert deliver(hubspot.url, [merge]).json() == {"woken": 1}
    wait_until(lambda: read_contact(sandbox, survivor).get("rf_phone_status") == "valid")


def test_a_delivery_is_counted_and_answered_whatever_is_in_it(hubspot: RunningService, sandbox: Sandbox) -> None:
    record = add_contact(sandbox, phone=PHONE)
    odd: list[Any] = [
        7,
        {},
        event(sandbox, record, objectId="nobody"),
        event(sandbox, record, objectId=True),
        event(sandbox, record, portalId=1),
    ]

    answer = deliver(hubspot.url, [*odd, event(sandbox, record)])

    assert (answer.status_code, answer.json()) == (200, {"unreadable": 4, "unknown_portal": 1, "woken": 1})


@pytest.mark.parametrize("document", [{}, "text", None, [{}] * 101])
def test_a_body_that_is_no_delivery_is_refused(hubspot: RunningService, document: Any) -> None:
    answer = deliver(hubspot.url, document)

    assert (answer.status_code, answer.json()["code"]) == (422, "not_events")


def test_only_what_hubspot_signed_counts(hubspot: RunningService, sandbox: Sandbox) -> None:
    record = add_contact(sandbox, phone=PHONE)
    events = [event(sandbox, record)]
    body = json.dumps(events).encode()
    uri = hubspot.service.public_url + PATH

    forged = [
        deliver(hubspot.url, events, secret="another"),
        deliver(hubspot.url, events, skew_s=-301),
        deliver(hubspot.url, events, skew_s=301),
        hubspot.post(PATH, data=body),
        hubspot.post(
            PATH,
            data=body,
            headers={
                "X-HubSpot-Signature": hashlib.sha256(SECRET.encode() + body).hexdigest(),
                "X-HubSpot-Signature-Version": "v1",
            },
        ),
        hubspot.post(f"{PATH}?again=1", data=body, headers=_v2(uri, body)),
    ]
    assert [answer.status_code for answer in forged] == [401] * len(forged)
    wait_until(lambda: jobs_done(hubspot))
    assert read_contact(sandbox, record).get("rf_phone_status") is None

    assert hubspot.post(PATH, data=body, headers=_v2(uri, body)).json() == {"woken": 1}


def _v2(uri: str, body: bytes) -> dict[str, str]:
    signature = sign_v2(SignedRequest("POST", uri, body), SECRET.encode())
    return {"X-HubSpot-Signature": signature, "X-HubSpot-Signature-Version": "v2"}


def test_a_full_delivery_is_answered_well_under_a_second(hubspot: RunningService, sandbox: Sandbox) -> None:
    records = [add_contact(sandbox, phone=PHONE) for _ in range(100)]

    answer = deliver(hubspot.url, [event(sandbox, record) for record in records])

    assert answer.json() == {"woken": 100}
    assert answer.elapsed < timedelta(seconds=1)
    wait_until(lambda: all(read_contact(sandbox, record).get("rf_phone_status") == "valid" for record in records))


def test_somebody_whom_hubspot_forgot_is_forgotten_here(hubspot: RunningService, sandbox: Sandbox) -> None:
    store = hubspot.service.store
    gone, stays = (
        add_contact(sandbox, phone="+14155550170", mobilephone="+14155550171"),
        add_contact(sandbox, phone="+14155550171"),
    )
    sandbox.hubspot.update_as_user(gone, rf_do_not_call="true")
    deliver(hubspot.url, [event(sandbox, record) for record in (gone, stays)])
    wait_until(lambda: read_contact(sandbox, stays).get("rf_phone_status") == "do_not_contact")
    wait_until(lambda: jobs_done(hubspot))

    sandbox.hubspot.archive(gone)
    deletion = event(sandbox, gone, "contact.deletion")
    forgotten = event(sandbox, gone, "contact.privacyDeletion", objectTypeId=None, propertyName=None)
    assert deliver(hubspot.url, [deletion, forgotten]).json() == {"woken": 1, "forgotten": 1}
    wait_until(lambda: jobs_done(hubspot))

    assert find_erased(store, ["+14155550170", "+14155550171"]) == {"+14155550170"}
    org_id = find_org(store, Org("hubspot", str(sandbox.hubspot.portal_id), "", production=False))
    assert org_id is not None
    assert PersonGone(store, org_id, "contacts", gone).find_numbers() == []
    assert PersonGone(store, org_id, "contacts", stays).find_numbers() == ["+14155550171"]
    assert [each.id for each in find_holders(store, "+14155550170")] == []
    with store.transaction() as connection:
        acts = [
            (act.author, act.action, act.subject)
            for act in AuditLog(store.keyring).latest(connection, None, 9)
            if act.action == "erase"
        ]
    assert acts == [("hubspot webhooks", "erase", "+1415***0170")]
    ledger = OptOutLedger(store, org_id, "a later run", hubspot.service.clock)
    assert ledger.covered(["+14155550170"]) == {"+14155550170"}


def test_forgetting_that_is_cut_off_is_done_by_the_next_try(
    hubspot: RunningService, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = ["+14155550180", "+14155550181"]
    store, wiring = hubspot.service.store, hubspot.service.wiring
    record = add_contact(sandbox, phone=numbers[0], mobilephone=numbers[1])
    deliver(hubspot.url, [event(sandbox, record)])
    wait_until(lambda: read_contact(sandbox, record).get("rf_mobilephone_status") == "valid")
    wait_until(lambda: jobs_done(hubspot))
    org = Org("hubspot", str(sandbox.hubspot.portal_id), "", production=False)
    org_id = find_org(store, org)
    assert org_id is not None

    def die(*_words: object) -> None:
        raise KeyboardInterrupt

    for place in ("apps.operations.forgetting._erase", "core.state.persons_gone.PersonGone.forget"):
        with monkeypatch.context() as patched:
            patched.setattr(f"ringfence.{place}", die)
            with pytest.raises(KeyboardInterrupt):
                forget_person(wiring, org, "contacts", [record], hubspot.service.door)
        assert PersonGone(store, org_id, "contacts", record).find_numbers() == numbers

    assert forget_person(wiring, org, "contacts", [record], hubspot.service.door) is None
    assert PersonGone(store, org_id, "contacts", record).find_numbers() == []
    assert find_erased(store, numbers) == set(numbers)
