"""Probes of load balancers, and the figures."""

from __future__ import annotations

import pytest

from testkit.jobs import wait_until
from testkit.served import RunningService


def test_a_service_is_alive_and_gets_ready(served: RunningService) -> None:
    assert served.get("/healthz").json() == {"status": "ok"}
    wait_until(lambda: served.get("/readyz").status_code == 200)


def test_load_balancers_may_ask_for_the_head_alone(served: RunningService) -> None:
    wait_until(lambda: served.call("HEAD", "/readyz").status_code == 200)
    for path in ("/healthz", "/readyz"):
        found = served.call("HEAD", path)
        assert (found.status_code, found.content) == (200, b"")
        assert found.headers["X-Request-Id"]


def test_figures_are_for_this_machine_and_for_viewers(served: RunningService) -> None:
    local = served.get("/metrics")

    assert local.status_code == 200
    assert local.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert 'ringfence_http_requests_total{method="GET",route="/healthz",status="200"}' in local.text
    assert "process_resident_memory_bytes" in local.text


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "203.0.113.7"}, {"Forwarded": "for=203.0.113.7"}, {"Host": "ringfence.example.com"}]
)
def test_who_comes_by_a_proxy_needs_a_token_for_the_figures(served: RunningService, headers: dict[str, str]) -> None:
    assert served.get("/metrics", headers=headers).status_code == 401
    assert served.get("/metrics", headers=headers, role="form").status_code == 403
    assert served.get("/metrics", headers=headers, role="viewer").status_code == 200
    assert served.get("/metrics", headers=headers, role="admin").status_code == 200
