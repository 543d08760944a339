"""Who may call: tokens, roles, rates, and what stands in the audit log about those who may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ringfence.apps.operations.audit import list_audit
from ringfence.apps.operations.tokens import make_token, withdraw_token
from ringfence.apps.settings import build_settings
from ringfence.apps.web import app as web
from ringfence.apps.web.callers import KNOWN_S
from ringfence.apps.web.door import open_web_door
from ringfence.apps.web.rates import Rates
from ringfence.apps.wiring import Wiring
from testkit.clock import SetClock
from testkit.served import RunningService, running_service

from . import odd_routes


@pytest.fixture
def time() -> SetClock:
    return SetClock()


@pytest.fixture
def timed(tmp_path: Path, time: SetClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningService]:
    """Give a service whose clock stands still until it is set."""
    monkeypatch.setattr(web, "ROUTERS", [*web.ROUTERS, odd_routes.router])
    wiring = Wiring(build_settings({"RINGFENCE_STATE_URL": f"sqlite:///{tmp_path}/state.db"}), clock=time)
    with running_service(wiring, works=False, rate=3) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "may"),
    [
        ("/odd/as/viewer", {"viewer", "operator", "compliance", "admin"}),
        ("/odd/as/compliance", {"compliance", "admin"}),
    ],
)
def test_a_role_may_what_it_includes(odd: RunningService, path: str, may: set[str]) -> None:
    for role in ("form", "viewer", "operator", "compliance", "admin"):
        answer = odd.get(path, role=role)
        assert answer.status_code == (200 if role in may else 403), role
        assert ("name" in answer.json()) == (role in may)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer rfk_nobody", "Basic cmZrOng=", f"Bearer {'x' * 5000}", "Bearer \xff"]
)
def test_without_a_token_that_counts_nothing_is_told(odd: RunningService, header: str) -> None:
    answer = odd.get("/odd/as/viewer", headers={"Authorization": header.encode("latin-1")} if header else {})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthorized"


def test_a_revoked_token_counts_no_longer_than_five_seconds(timed: RunningService, time: SetClock) -> None:
    wiring, door = timed.service.wiring, open_web_door()
    _, token = make_token(wiring, "flows", "viewer", door)
    headers = {"Authorization": f"Bearer {token}"}
    assert timed.get("/odd/as/viewer", headers=headers).json() == {"name": "flows"}

    withdraw_token(wiring, "flows", door)
    time.advance(seconds=KNOWN_S)

    assert KNOWN_S < 5
    assert timed.get("/odd/as/viewer", headers=headers).status_code == 401


def test_who_calls_too_often_is_told_when_to_come_back(timed: RunningService, time: SetClock) -> None:
    for _ in range(3):
        assert timed.get("/odd/as/viewer", role="viewer").status_code == 200
    refused = timed.get("/odd/as/viewer", role="viewer")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert timed.get("/odd/as/viewer", role="admin").status_code == 200

    time.advance(seconds=0.4)

    assert timed.get("/odd/as/viewer", role="viewer").status_code == 200
    assert timed.get("/odd/as/viewer", role="viewer").status_code == 429


def test_rates_over_a_long_time_are_those_that_are_set() -> None:
    now = 0.0
    rates = Rates(10, lambda: now)
    passed = 0
    for step in range(1000):
        now = step * 0.01
        passed += rates.take("somebody") == 0

    assert 100 <= passed <= 110


def test_each_denied_act_is_in_the_audit_log_and_nobody_floods_it(timed: RunningService, time: SetClock) -> None:
    for _ in range(3):
        assert timed.get("/odd/as/compliance", role="viewer").status_code == 403
        assert timed.get("/odd/as/compliance").status_code == 401
    time.advance(seconds=61)
    assert timed.get("/odd/as/compliance", role="viewer").status_code == 403

    entries = [entry for entry in list_audit(timed.service.wiring, None, 10) if entry.action == "deny"]
    assert {entry.subject for entry in entries} == {"GET /odd/as/compliance"}
    assert [(entry.author, entry.reason) for entry in reversed(entries)] == [
        ("test-viewer", "has the role viewer, needs compliance"),
        ("unknown", "no token that counts"),
        ("test-viewer", "has the role viewer, needs compliance (and 2 times more since the last entry)"),
    ]
