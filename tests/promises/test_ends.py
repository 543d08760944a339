"""However a run ends, it says so: in one document with what it did and what ended it, and by its exit code."""

from __future__ import annotations

import signal

import pytest

from ringfence.core.runs.decider import Decider
from testkit.account import Account
from testkit.commands import Cli, Result

REFUSED = "fault: {kind: refuse, status: 401}"


@pytest.fixture
def people() -> int:
    return 60


def assert_told(result: Result, code: int, error: str) -> None:
    document = result.document
    assert result.code == code, result.err
    assert "Traceback" not in result.err
    assert (document["exit_code"], document["error"], document["complete"]) == (code, error, False)
    assert document["run_id"]
    assert document["message"]
    assert document["objects"]


def assert_goes_on(account: Account, command: Cli) -> Result:
    account.fail()
    account.pass_time(minutes=3)
    result = command("sync", account.crm, "--json")
    assert result.code == 0
    assert account.unscreened() == []
    assert max(account.sandbox.twilio.billed.values()) == 1
    return result


def test_ends_of_sigterm_come_behind_the_running_batch(account: Account, command: Cli) -> None:
    process = account.start("sync", account.crm, "--json")
    asked: list[str] = []

    def tell(name: str) -> None:
        asked.append(name)
        if len(asked) == 10:
            process.send_signal(signal.SIGTERM)

    account.asked.tell = tell
    result = account.finish(process)
    account.asked.tell = None

    assert_told(result, 143, "Terminated")
    assert result.document["lookups"] == len(asked) >= 10
    assert result.total("written") > 0
    assert "run again to go on from there" in result.err
    runs = command("runs", "list", "--json").document["runs"]
    assert [run["outcome"] for run in runs] == ["interrupted"]
    assert assert_goes_on(account, command).document["reconciled"] == 0


@pytest.mark.usefixtures("_no_waiting")
def test_ends_of_refused_credentials_in_the_middle_are_told_with_what_was_done(account: Account, command: Cli) -> None:
    account.fail(f"service: {account.crm}, when: {{purpose: write, after: {account.probes}}}, {REFUSED}")

    result = command("sync", account.crm, "--json")

    assert_told(result, 3, "AuthenticationError")
    assert_goes_on(account, command)


def test_ends_of_a_fault_of_the_program_are_one_line_and_no_number(
    account: Account, command: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decide(*_: object) -> None:
        raise KeyError("+1 415 555 0132")

    with monkeypatch.context() as broken:
        broken.setattr(Decider, "decide", decide)
        result = command("sync", account.crm, "--json")
        for_people = command("sync", account.crm)

    assert_told(result, 70, "Fault")
    assert len(for_people.err.splitlines()) == 1
    assert "KeyError" in for_people.err
    assert "0132" not in result.out + result.err + for_people.out + for_people.err
    assert_goes_on(account, command)


def test_ends_of_several_kinds_give_the_refusal_before_the_rest(account: Account, command: Cli) -> None:
    account.fail(f"service: twilio, {REFUSED}")
    account.refuse(lambda *_: ("RULE", "nobody may write"))

    result = command("sync", account.crm, "--json")

    assert_told(result, 3, "AuthenticationError")
    assert result.total("failed") > 0


def test_ends_of_all_crms_stand_side_by_side(account: Account, command: Cli) -> None:
    account.fail(f"service: hubspot, when: {{purpose: write, after: 1}}, {REFUSED}")

    result = command("sync", "--all", "--json")

    codes = {run["crm"]: run["exit_code"] for run in result.document["runs"]}
    assert codes == {"salesforce": 0, "hubspot": 3}
    assert result.code == 3


@pytest.mark.parametrize("crm", ["hubspot"])
def test_ends_of_a_token_that_may_only_read_name_the_scope_that_writing_takes(account: Account, command: Cli) -> None:
    def tell(name: str) -> None:
        # The update of no records, which asks beforehand, tells nothing at this portal.
        if name.endswith("batch/update") and account.requests[name] > account.probes:
            account.sandbox.hubspot.scopes.discard("crm.objects.contacts.write")

    account.requests.tell = tell
    result = command("sync", "hubspot", "--json")
    account.requests.tell = None

    assert_told(result, 3, "AccessError")
    assert "it needs crm.objects.contacts.write." in result.document["message"]
    assert result.document["message"].count("crm.objects.") == 1
    assert result.total("written") == 0

    account.sandbox.hubspot.scopes.add("crm.objects.contacts.write")
    assert_goes_on(account, command)
