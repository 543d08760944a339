"""Nothing is booked as bought that was not surely sent: an outage or a wrong address leaves every number due."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from testkit.account import Account
from testkit.commands import Cli


@pytest.fixture
def people() -> int:
    return 60


def unanswered(account: Account) -> bool:
    """Whether no slot says that an answer came, or was lost on its way."""
    reasons = [row.get(account.companion("reason")) or "" for row in account.live().values()]
    return not any("answer lost" in reason or reason.startswith("inconclusive") for reason in reasons)


@pytest.mark.parametrize(
    "fault",
    [
        "kind: html, status: 200",
        "kind: refuse, status: 503",
        "kind: refuse, status: 407",
        "kind: fail_packages, error_code: 60611",
        "kind: fail_packages, error_code: 60616",
        "kind: fail_packages, error_code: 60626",
    ],
)
@pytest.mark.usefixtures("_no_waiting")
def test_nothing_is_booked_as_bought_in_an_outage(account: Account, command: Cli, fault: str) -> None:
    account.fail(f"service: twilio, fault: {{{fault}}}")

    stopped = command("sync", account.crm, "--json")

    assert (stopped.code, stopped.document["complete"]) == (4, False)
    assert (stopped.document["lookups"], stopped.document["lookups_lost"]) == (0, 0)
    assert unanswered(account)

    account.fail()
    assert command("sync", account.crm, "--json").code == 0
    assert account.unscreened() == []
    assert max(account.sandbox.twilio.billed.values()) == 1


@pytest.mark.parametrize("path", ["/v2", "/lookups"])
def test_nothing_is_booked_as_bought_at_an_address_with_a_path_too_many(
    account: Account, command: Cli, path: str
) -> None:
    account.extra["RINGFENCE_TWILIO__BASE_URL"] = account.sandbox.twilio_url + path

    stopped = command("sync", account.crm, "--json")

    assert (stopped.code, stopped.document["lookups"]) == (4, 0)
    assert "RINGFENCE_TWILIO__BASE_URL" in stopped.document["stopped"]
    assert account.asked.total() <= 3
    assert unanswered(account)


def test_nothing_is_booked_as_bought_at_a_port_that_nobody_listens_on(account: Account, command: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    account.extra["RINGFENCE_TWILIO__BASE_URL"] = f"http://127.0.0.1:{port}"

    stopped = command("sync", account.crm, "--json")

    assert (stopped.code, stopped.document["lookups"], stopped.document["lookups_lost"]) == (4, 0, 0)
    assert unanswered(account)


def test_nothing_is_booked_as_bought_at_the_other_doors(account: Account, command: Cli) -> None:
    account.fail("service: twilio, fault: {kind: fail_packages, error_code: 60616}")
    Path("people.csv").write_text("phone\n+44 20 7946 0018\n", encoding="utf-8")

    looked_up = command("lookup", "+44 20 7946 0018", "--json")
    screened = command("screen", "people.csv", "--lookups", "--json")

    assert (looked_up.code, looked_up.document["status"], looked_up.document["lookups"]) == (4, None, 0)
    assert (screened.code, screened.document["complete"], screened.document["lookups"]) == (4, False, 0)
