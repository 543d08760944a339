"""``ringfence sync`` and ``runs``, against the sandbox over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ringfence.apps.registry import crm_plugins
from ringfence.sandbox.server import Sandbox
from testkit.account_view import NAMES

from .conftest import Cli

CRMS = sorted(NAMES)
KEYS = {"run_id", "crm", "complete", "dry_run", "objects", "lookups", "lookup_cache_hits", "api_calls", "duration_s"}
COUNTS = {
    "read",
    "due",
    "skipped_recent",
    "screened",
    "written",
    "unchanged",
    "opt_outs_enforced",
    "conflicts",
    "failed",
    "deferred",
    "flags_raised",
    "slots_silenced",
    "phones_rewritten",
}


def total(document: Any, name: str) -> int:
    return sum(counts[name] for counts in document["objects"].values())


def dump(sandbox: Sandbox, crm: str) -> Any:
    if crm == "hubspot":
        return {id_: dict(row) for id_, row in sandbox.hubspot.contacts.items()}
    return {
        name: {id_: {k: row[k] for k in row} for id_, row in sandbox.salesforce.rows(name).items()}
        for name in ("Contact", "Lead")
    }


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("crm", CRMS)
def test_dry_run_then_sync_then_nothing(cli: Cli, sandbox: Sandbox, crm: str) -> None:
    before = dump(sandbox, crm)
    rehearsal = cli("sync", crm, "--dry-run", "--json")
    assert rehearsal.code == 0
    assert rehearsal.document["dry_run"] is True
    assert dump(sandbox, crm) == before

    first = cli("sync", crm, "--json")
    assert first.code == 0

    document = first.document
    assert set(document) >= KEYS
    assert document["complete"] is True
    for counts in document["objects"].values():
        assert set(counts) == COUNTS
        assert counts["read"] == counts["skipped_recent"] + counts["due"]
    for name in ("read", "due", "written", "opt_outs_enforced"):
        assert total(document, name) == total(rehearsal.document, name)
    assert total(document, "written") > 100

    again = cli("sync", crm, "--json").document
    assert total(again, "written") == 0
    assert again["complete"] is True


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("crm", CRMS)
def test_lost_state_costs_nothing_and_rewrites_nothing(
    cli: Cli, sandbox: Sandbox, crm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_LOOKUPS", "100000")
    first = cli("sync", crm, "--json").document
    assert first["lookups"] == len(sandbox.twilio.billed)
    assert max(sandbox.twilio.billed.values()) == 1

    for name in ("ringfence.db", "ringfence.db-wal", "ringfence.db-shm", "ringfence.key"):
        Path(name).unlink(missing_ok=True)
    lost = cli("sync", crm, "--json").document
    assert lost["lookups"] == 0
    assert total(lost, "written") == 0
    assert total(lost, "read") == total(first, "read")


@pytest.mark.usefixtures("settings")
def test_both_crms_share_what_was_paid_for(cli: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_LOOKUPS", "100000")
    result = cli("sync", "--all", "--json")
    assert result.code == 0

    runs = result.document["runs"]
    assert [run["crm"] for run in runs] == sorted(crm_plugins())
    assert max(sandbox.twilio.billed.values()) == 1
    assert runs[1]["lookup_cache_hits"] > runs[1]["lookups"]


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("crm", CRMS)
def test_budget_stops_the_run_and_the_next_goes_on(
    cli: Cli, sandbox: Sandbox, crm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_LOOKUPS", "60")
    bought, runs = 0, 0
    while True:
        result = cli("sync", crm, "--json")
        runs += 1
        assert sum(sandbox.twilio.billed.values()) - bought <= 60
        bought = sum(sandbox.twilio.billed.values())
        if result.code == 0:
            break
        assert result.code == 4
        assert result.document["complete"] is False
        assert "MAX_LOOKUPS" in result.document["stopped"]
        assert runs < 30

    assert runs > 2
    assert max(sandbox.twilio.billed.values()) == 1


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("crm", CRMS)
def test_opted_out_numbers_are_never_sent_to_a_provider(
    cli: Cli, sandbox: Sandbox, crm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_LOOKUPS", "100000")
    assert cli("sync", crm).code == 0

    silent = set()
    if crm == "hubspot":
        for row in sandbox.hubspot.contacts.values():
            if row.get("rf_do_not_call") == "true":
                silent |= {row.get("rf_phone_e164"), row.get("rf_mobilephone_e164")}
    else:
        for name in ("Contact", "Lead"):
            for row in sandbox.salesforce.rows(name).values():
                if row["DoNotCall"]:
                    silent |= {row["RF_Phone_E164__c"], row["RF_MobilePhone_E164__c"]}
    silent -= {None, ""}
    assert silent
    assert not silent & set(sandbox.twilio.billed)


@pytest.mark.usefixtures("settings")
def test_limit_and_history(cli: Cli, sandbox: Sandbox) -> None:
    first = cli("sync", "hubspot", "--limit", "30", "--json").document
    assert total(first, "due") == 30
    assert first["complete"] is False

    listed = cli("runs", "list", "--json").document["runs"]
    assert [run["run_id"] for run in listed] == [first["run_id"]]

    shown = cli("runs", "show", first["run_id"], "--json").document
    assert len(shown["changes"]) == total(first, "written")
    assert {change["outcome"] for change in shown["changes"]} == {"written"}

    masked = cli("runs", "show", first["run_id"]).out
    revealed = cli("runs", "show", first["run_id"], "--reveal").out
    row = sandbox.hubspot.contacts[next(c["id"] for c in shown["changes"] if "rf_phone_e164" in c["fields"])]
    assert row["rf_phone_e164"] not in masked
    assert row["rf_phone_e164"] in revealed
    assert cli("runs", "show", "nonsense").code == 2


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("crm", CRMS)
def test_no_full_number_in_what_is_printed_or_kept(
    cli: Cli, sandbox: Sandbox, crm: str, state_bytes: Callable[[], bytes]
) -> None:
    human = cli("sync", crm, "--dry-run")
    machine = cli("sync", crm, "--json")
    rows = (
        list(sandbox.hubspot.contacts.values())
        if crm == "hubspot"
        else [row for name in ("Contact", "Lead") for row in sandbox.salesforce.rows(name).values()]
    )
    field = "rf_phone_e164" if crm == "hubspot" else "RF_Phone_E164__c"
    phone = "phone" if crm == "hubspot" else "Phone"
    numbers = {row[field] for row in rows if row.get(field)}
    raw = {row[phone] for row in rows if row.get(phone) and sum(c.isdigit() for c in row[phone]) > 8}
    assert len(numbers) > 50

    printed = human.out + human.err + machine.out + machine.err
    assert not [number for number in numbers | raw if number in printed]

    kept = state_bytes()
    assert not [number for number in numbers if number.lstrip("+").encode() in kept]


@pytest.mark.usefixtures("settings")
def test_production_org_asks_before_its_first_writing_run(cli: Cli, sandbox: Sandbox) -> None:
    sandbox.hubspot.account_type = "STANDARD"
    refused = cli("sync", "hubspot", "--json")

    assert refused.code == 2
    assert "--yes" in refused.document["remedy"]
    assert cli("sync", "hubspot", "--dry-run").code == 0
    assert cli("sync", "hubspot", "--limit", "5", "--yes").code == 0
    assert cli("sync", "hubspot", "--limit", "5").code == 0


@pytest.mark.usefixtures("settings")
def test_rescreen_says_what_it_costs_before_it_buys(
    cli: Cli, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("sync", "hubspot")
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    for words in ((), ("--yes",)):
        refused = cli("sync", "hubspot", "--rescreen", "--json", *words)
        assert refused.code == 2
        assert "lookups to buy" in refused.err
        assert re.search(r"\d+ numbers would be looked up, for \d+\.\d\d USD", refused.document["message"])
    assert sum(sandbox.twilio.billed.values()) == 0

    done = cli("sync", "hubspot", "--rescreen", "--confirm-cost", "--json")
    assert done.code == 0
    assert done.document["lookups"] == sum(sandbox.twilio.billed.values()) > 0
    assert done.document["due_reasons"]["rescreen"] > 100


@pytest.mark.usefixtures("settings")
def test_a_rescreen_under_a_cap_needs_a_yes(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("sync", "hubspot")
    monkeypatch.setenv("RINGFENCE_LOOKUP__PROVIDERS", '["twilio"]')
    monkeypatch.setenv("RINGFENCE_LOOKUP__MAX_LOOKUPS", "100000")

    assert cli("sync", "hubspot", "--rescreen", "--json").code == 2
    assert cli("sync", "hubspot", "--rescreen", "--yes", "--json").document["lookups"] > 0


@pytest.mark.usefixtures("settings")
def test_wrong_words_and_missing_settings(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    which = cli("sync")
    assert which.code == 2
    assert "hubspot" in which.err
    assert cli("sync", "hubspt").code == 2
    assert cli("sync", "hubspot", "--all").code == 2
    assert cli("sync", "hubspot", "--nonsense").code == 2
    assert cli("sync", "hubspot", "--mapping", "missing.yaml").code == 2
    assert cli("sync", "hubspot", "--policy", "missing.yaml").code == 2

    nothing = cli("sync", "hubspot", "--limit", "0", "--json")
    assert nothing.code == 2
    assert nothing.document["message"] == "--limit 0 would handle no record."
    assert cli("sync", "hubspot", "--rescreen", "--limit", "5").code == 2
    assert cli("runs", "list", "--limit", "0").code == 2
    assert "--limit" in cli("sync", "hubspot", "--limit", "many").err
    assert "--contacts" in cli("demo", "--contacts", "0").err

    monkeypatch.delenv("RINGFENCE_HUBSPOT__ACCESS_TOKEN")
    unset = cli("sync", "hubspot", "--json")
    assert unset.code == 2
    assert unset.document["error"] == "SettingsError"


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("crm", CRMS)
def test_wrong_token_is_refused_in_one_message(cli: Cli, crm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"RINGFENCE_{crm.upper()}__ACCESS_TOKEN", "wrong-token")
    for command in ("check", "sync"):
        result = cli(command, crm, "--json")
        assert result.code == 3
        assert result.document["remedy"]
        assert "wrong-token" not in result.out + result.err


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("crm", CRMS)
def test_unreachable_host_is_named(cli: Cli, crm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = "INSTANCE_URL" if crm == "salesforce" else "BASE_URL"
    monkeypatch.setenv(f"RINGFENCE_{crm.upper()}__{variable}", "http://127.0.0.1:9")
    result = cli("sync", crm, "--json")

    assert result.code == 4
    assert "127.0.0.1:9" in result.document["message"]


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("crm", CRMS)
def test_mapping_that_names_a_missing_field_writes_nothing(
    cli: Cli, sandbox: Sandbox, crm: str, tmp_path: Path
) -> None:
    names = {"hubspot": ("contacts", "phone", "rf_do_not_cal"), "salesforce": ("Contact", "Phone", "DoNotCal")}
    object_name, phone, flag = names[crm]
    mapping = tmp_path / "wrong.yaml"
    mapping.write_text(
        f"crm: {crm}\nobjects:\n  {object_name}:\n    phones: {{{phone}: {{}}}}\n    opt_out: {{field: {flag}}}\n",
        encoding="utf-8",
    )
    before = dump(sandbox, crm)
    result = cli("sync", crm, "--mapping", str(mapping), "--json")

    assert result.code == 3
    assert flag in result.document["message"]
    assert dump(sandbox, crm) == before


@pytest.mark.usefixtures("settings")
def test_refused_rows_give_exit_code_one_and_are_listed(cli: Cli, sandbox: Sandbox) -> None:
    sandbox.salesforce.refuse_row = lambda _object, row, _changes: (
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Phones are frozen.") if str(row["Id"]).endswith(("A", "B")) else None
    )
    result = cli("sync", "salesforce", "--json")
    failed = total(result.document, "failed")
    assert failed
    assert result.code == 1
    assert result.document["refused"][0]["message"] == "Phones are frozen."

    refused = cli("runs", "show", result.document["run_id"], "--refused", "--json").document["changes"]
    assert len(refused) == failed

    sandbox.salesforce.refuse_row = None
    passed = cli("sync", "salesforce", "--json")
    assert passed.code == 0
    assert total(passed.document, "written") == failed


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("crm", CRMS)
def test_plan_apply_and_undo_end_where_they_began(cli: Cli, sandbox: Sandbox, crm: str) -> None:
    sandbox.hubspot.noop_bumps = False
    planned = cli("sync", crm, "--dry-run", "--out", "plan.json", "--json")
    assert planned.code == 0

    applied = cli("sync", crm, "--apply", "plan.json", "--json")
    assert applied.code == 0
    assert total(applied.document, "written") == total(planned.document, "written") > 100
    assert total(applied.document, "conflicts") == 0
    assert total(cli("sync", crm, "--json").document, "written") == 0

    rehearsed = cli("runs", "undo", applied.document["run_id"], "--dry-run", "--json").document
    undone = cli("runs", "undo", applied.document["run_id"], "--json")
    assert undone.code == 0
    assert undone.document["fields"] == rehearsed["fields"] > 500
    assert set(undone.document["kept"]) == {"opt-outs are not taken back"}
    assert "Traceback" not in cli("runs", "show", undone.document["run_id"]).out

    back = cli("sync", crm, "--json").document
    assert total(back, "written") == undone.document["records"]


@pytest.mark.usefixtures("settings")
def test_plan_options_that_do_not_fit_are_named(cli: Cli) -> None:
    assert cli("sync", "hubspot", "--out", "plan.json").code == 2
    assert cli("sync", "hubspot", "--apply", "plan.json", "--full").code == 2
    assert cli("sync", "--all", "--apply", "plan.json").code == 2
    assert cli("sync", "hubspot", "--apply", "missing.json").code == 2
