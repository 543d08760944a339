"""The commands of docs/service.md, carried out against a service over the sandbox, and its tables."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from ringfence.apps.environment import present_variables
from ringfence.apps.settings import build_settings
from ringfence.apps.web import app as web
from ringfence.apps.web.metrics import COUNTS
from ringfence.apps.wiring import Wiring
from ringfence.core.model.roles import Role
from ringfence.sandbox.server import Sandbox
from testkit.documents import shown_commands
from testkit.jobs import wait_until
from testkit.served import RunningService, running_service
from testkit.vendors import SETTINGS as VENDORS

from .conftest import Cli

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "service.md"
SETTINGS: dict[str, str] = {
    "RINGFENCE_HUBSPOT__CLIENT_SECRET": "a-client-secret",
    "RINGFENCE_SALESFORCE__ORGANIZATION_ID": "00D000000000001EAA",
    "RINGFENCE_SALESFORCE__OUTBOUND_SECRET": "a-secret-in-the-address",
    **VENDORS,
}
"""Secrets that commands of the page name as variables, and the service has as settings."""

PARTS_OF_A_PAGE = ("/form", "/form/form.css", "/form/form.js")
"""Paths that a browser calls on the way to a page, and nobody else."""

_STATUS = "\nHTTP status %{http_code}"


@pytest.fixture
def service(settings: dict[str, str], cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningService]:
    """Give a service over the sandbox; its state is that of the commands."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    wiring = Wiring(build_settings(present_variables()))
    with running_service(replace(wiring)) as running:
        yield running


@pytest.mark.slow
def test_the_commands_of_the_page_work(
    service: RunningService, cli: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("URL", service.url)
    monkeypatch.setenv("PORTAL", str(sandbox.hubspot.portal_id))
    for role, token in service.tokens.items():
        monkeypatch.setenv(role.upper(), token)
    wait_until(lambda: service.get("/readyz").ok)

    for command, why_not in shown_commands(PAGE):
        if why_not:
            continue
        if command.startswith("ringfence "):
            done = cli(*shlex.split(command)[1:])
            assert done.code == 0, f"{command}: {done.err}"
            continue
        assert "curl -sS " in command, command
        call = command.replace("curl -sS ", f"curl -sS -w {shlex.quote(_STATUS)} ", 1)
        answer = subprocess.run(["bash", "-c", call], capture_output=True, text=True, timeout=30)
        assert answer.returncode == 0, f"{command}: {answer.stderr}"
        status = int(answer.stdout.rpartition(" ")[2])
        assert 200 <= status < 300, f"{command}: {answer.stdout}"


def test_each_endpoint_has_a_call_on_the_page() -> None:
    calls = [command.line for command in shown_commands(PAGE)]
    routes = [route for router in web.ROUTERS for route in router.routes if isinstance(route, APIRoute)]

    assert len(routes) > 10
    for route in routes:
        if route.path in PARTS_OF_A_PAGE:
            continue
        assert any(re.search(rf"curl .*\$URL{re.escape(route.path)}[\"?]", call) for call in calls), route.path


def test_the_table_of_figures_is_that_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `ringfence_(\w+)_total` \|(.*?)\| (.*?) \|$", text, re.MULTILINE)
    told = {name: (quoted(labels), f"{about[0].upper()}{about[1:]}.") for name, labels, about in rows}

    assert told == {name: (list(count.labels), count.help) for name, count in COUNTS.items()}


def quoted(text: str) -> list[str]:
    """Return what stands in back quotes."""
    return re.findall(r"`(\w+)`", text)


def test_the_table_of_roles_is_that_of_the_code() -> None:
    named = re.findall(r"^\| `(\w+)` \| (?:ask|what a|everything)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert named == [role.value for role in Role]
