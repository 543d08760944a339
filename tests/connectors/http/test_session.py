"""What a session does with redirects and proxies."""

from __future__ import annotations

import pytest

from ringfence.connectors.http.session import CarefulSession

from ..conftest import Script

PROXY = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def _proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, PROXY)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer(script: Script, status: int) -> None:
    script.says(status, "", Location=f"{script.url}/elsewhere")

    with CarefulSession() as session:
        answer = session.post(f"{script.url}/write", data="+14155550123", headers={"Authorization": "Bearer secret"})

    assert answer.status_code == status
    assert [path for _, path, _ in script.seen] == ["/write"]


@pytest.mark.parametrize(
    ("url", "proxied"),
    [
        ("http://127.0.0.1:8080/", False),
        ("https://localhost/", False),
        ("https://[::1]:8443/", False),
        ("https://acme.my.salesforce.com/", True),
    ],
)
def test_this_machine_is_reached_by_no_proxy(url: str, proxied: bool) -> None:
    with CarefulSession() as session:
        settings = session.merge_environment_settings(url, {}, None, None, None)

    assert (PROXY in settings["proxies"].values()) is proxied
