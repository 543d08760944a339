"""The suppression ledger over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from ringfence.core.state.audit import AuditAction, AuditLog
from testkit.served import RunningService

NUMBER, MASKED = "+12127365100", "+1212***5100"


def add(served: RunningService, **wish: Any) -> dict[str, Any]:
    body = {"number": NUMBER, "reason": "asked on the phone", **wish}
    answer = served.post("/v1/suppressions", role="compliance", json=body)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def ask(served: RunningService, **question: Any) -> dict[str, Any]:
    answer = served.post("/v1/suppressions/check", role="viewer", json={"number": NUMBER, **question})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_an_entry_is_made_in_the_name_of_the_token(served: RunningService) -> None:
    assert ask(served)["suppressed"] is False
    done, again = add(served), add(served)

    assert done["new"] is True
    assert (again["new"], again["entry"]["id"]) == (False, done["entry"]["id"])
    entry = done["entry"]
    assert (entry["number"], entry["author"], entry["kind"]) == (MASKED, "test-compliance", "dnc_internal")
    assert (entry["channel"], entry["source"], entry["expires"]) == ("all", "person", None)

    found = ask(served)
    assert (found["number"], found["suppressed"], found["channels"]) == (MASKED, True, ["all"])
    assert [each["kind"] for each in found["entries"]] == ["dnc_internal"]
    log = AuditLog(served.service.store.keyring)
    with served.service.store.transaction() as connection:
        acts = [(each.author, each.action) for each in log.latest(connection, None, 20)]
    assert ("test-compliance", AuditAction.ADD) in acts


def test_what_is_left_out_may_be_null(served: RunningService) -> None:
    number = "+12127365109"
    left_out = dict.fromkeys(("kind", "channel", "region", "expires", "record"))
    entry = add(served, number=number, **left_out)["entry"]

    assert (entry["kind"], entry["channel"], entry["expires"]) == ("dnc_internal", "all", None)
    assert ask(served, number=number, channel=None, region=None)["channels"] == ["all"]


def test_a_channel_is_asked_alone(served: RunningService) -> None:
    add(served, number="+12127365101", channel="sms", expires="2099-12-31")

    assert ask(served, number="+12127365101", channel="sms")["suppressed"] is True
    assert ask(served, number="+12127365101", channel="voice")["suppressed"] is False
    assert ask(served, number="+12127365101")["suppressed"] is True


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"number": "not one"}, 422),
        ({"number": "212 736 5100"}, 422),
        ({"reason": ""}, 422),
        ({"reason": "   "}, 422),
        ({"kind": "wrong_person"}, 422),
        ({"kind": "wrong_person", "record": "nocrm:Contact:1"}, 422),
        ({"expires": "2001-01-01"}, 422),
        ({"expires": "soon"}, 422),
        ({"kind": "annoying"}, 422),
        ({"channel": ""}, 422),
        ({"region": "Atlantis", "number": "212 736 5100"}, 422),
    ],
)
def test_what_cannot_be_meant_is_422(served: RunningService, wish: dict[str, Any], status: int) -> None:
    body = {"number": NUMBER, "reason": "asked", **wish}
    answer = served.post("/v1/suppressions", role="compliance", json=body)

    assert answer.status_code == status, answer.text
    assert "2127365100" not in answer.text


def test_only_compliance_adds_and_viewers_ask(served: RunningService) -> None:
    body = {"number": NUMBER, "reason": "asked"}

    for role in ("form", "viewer", "operator"):
        assert served.post("/v1/suppressions", role=role, json=body).status_code == 403
    assert served.post("/v1/suppressions/check", role="form", json={"number": NUMBER}).status_code == 403
    for role in ("viewer", "operator", "compliance", "admin"):
        assert served.post("/v1/suppressions/check", role=role, json={"number": NUMBER}).status_code == 200


def test_a_number_that_cannot_be_read_is_no_answer(served: RunningService) -> None:
    for number in ("gibberish", "212 736 5100"):
        answer = served.post("/v1/suppressions/check", role="viewer", json={"number": number})
        assert answer.status_code == 422
