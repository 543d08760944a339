"""The sandbox as a whole: three servers that come up, answer, and go without a trace."""

import gc
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from ringfence.sandbox.plugin import installed_plugins
from ringfence.sandbox.server import LoopbackServer, Sandbox, SandboxError
from ringfence.sandbox.wording import count_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def statuses(settings: dict[str, str]) -> list[int]:
    """Ask each service something cheap with the credentials of the settings."""
    salesforce = {"Authorization": f"Bearer {settings['RINGFENCE_SALESFORCE__ACCESS_TOKEN']}"}
    hubspot = {"Authorization": f"Bearer {settings['RINGFENCE_HUBSPOT__ACCESS_TOKEN']}"}
    twilio = (settings["RINGFENCE_TWILIO__ACCOUNT_SID"], settings["RINGFENCE_TWILIO__AUTH_TOKEN"])

    with requests.Session() as session:
        answers = [
            session.get(
                f"{settings['RINGFENCE_SALESFORCE__INSTANCE_URL']}/services/data/v65.0/sobjects/Contact/describe",
                headers=salesforce,
                timeout=10,
            ),
            session.get(
                f"{settings['RINGFENCE_HUBSPOT__BASE_URL']}/account-info/v3/details", headers=hubspot, timeout=10
            ),
            session.get(
                f"{settings['RINGFENCE_TWILIO__BASE_URL']}/v2/PhoneNumbers/+12015550123", auth=twilio, timeout=10
            ),
        ]

    return [answer.status_code for answer in answers]


def test_all_three_answer_with_the_printed_settings() -> None:
    with Sandbox(contacts=50) as sandbox:
        settings = sandbox.settings()

        assert statuses(settings) == [200, 200, 200]
        assert "RINGFENCE_LOOKUP__PROVIDERS" not in settings
        assert len({sandbox.salesforce_url, sandbox.hubspot_url, sandbox.twilio_url}) == 3

    with requests.Session() as session, pytest.raises(requests.ConnectionError):
        session.get(sandbox.hubspot_url, timeout=2)


def test_both_crms_hold_the_same_people() -> None:
    sandbox = Sandbox(contacts=80, now=NOW)
    emails = {held["email"] for held in sandbox.hubspot.contacts.values()}
    rows = [row for name in ("Contact", "Lead") for row in sandbox.salesforce.rows(name).values()]

    assert len(emails) == 80
    assert {row["Email"] for row in rows} == emails


def test_they_share_one_clock() -> None:
    sandbox = Sandbox(contacts=10, now=NOW)
    sandbox.clock.advance(3600)
    for service in (sandbox.salesforce, sandbox.hubspot, sandbox.twilio):
        assert (service.clock.now() - NOW).total_seconds() == pytest.approx(3600, abs=30)


def test_a_bare_sandbox_has_no_companions() -> None:
    sandbox = Sandbox(contacts=50, bare=True)
    assert not [name for name in sandbox.hubspot.definitions["contacts"] if name.startswith("rf_")]


def test_stopping_leaves_no_thread_and_no_socket() -> None:
    before = threading.active_count()
    sandbox = Sandbox(contacts=10)
    sandbox.start()
    statuses(sandbox.settings())
    sandbox.stop()
    sandbox.stop()

    assert threading.active_count() == before

    del sandbox
    gc.collect()


def test_answers_on_a_kept_connection_do_not_wait_for_acknowledgements() -> None:
    with Sandbox(contacts=5) as sandbox, requests.Session() as session:
        spent = []
        for _ in range(10):
            started = time.perf_counter()
            session.get(f"{sandbox.twilio_url}/v2/PhoneNumbers/+12015550123", timeout=5)
            spent.append(time.perf_counter() - started)

    # Nagle's algorithm with delayed acknowledgements costs 40 ms each.
    assert sorted(spent)[5] < 0.03


def test_a_taken_port_is_an_error_and_nothing_stays_up() -> None:
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as holder:
        free = [0] * (len(installed_plugins()) - 2)
        sandbox = Sandbox(contacts=5, ports=[0, holder.getsockname()[1], *free])
        with pytest.raises(OSError, match="in use"):
            sandbox.start()

    assert threading.active_count() == before


def test_a_server_that_dies_at_once_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(scope, receive, send):
        raise AssertionError

    server = LoopbackServer(nobody)
    server.start()
    server.await_ready()
    server.ask_to_stop()
    server.join()
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: None)
    server.start()
    with pytest.raises(SandboxError, match=server.url):
        server.await_ready()

    server.join()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_module_serves_from_a_process_of_its_own(ending: Any) -> None:
    command = [sys.executable, "-m", "ringfence.sandbox", "--contacts", "40", "--seed", "3", "--bare"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        settings = json.loads(child.stdout.readline())

        assert statuses(settings) == [200, 200, 200]

        child.send_signal(ending)
        out, err = child.communicate(timeout=20)

    assert (child.returncode, out, err) == (0, "", "")


def test_wrong_ports_are_wrong_usage() -> None:
    command = [sys.executable, "-m", "ringfence.sandbox", "--ports", "1,2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 2
    assert f"{count_of(len(installed_plugins()), 'port number')} are needed" in done.stderr
