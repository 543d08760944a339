"""The faults file: the documented example, and errors that say where and what was meant."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ringfence.core.errors import FileError
from ringfence.sandbox.fault_file import parse_faults, read_faults
from ringfence.sandbox.fault_schema import fault_kinds
from ringfence.sandbox.faults import Faults, FaultsError, Rule, When
from ringfence.sandbox.plugin import installed_services
from ringfence.sandbox.server import Sandbox

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = DOCS / "faults.example.yaml"


@pytest.fixture(scope="module")
def example() -> Faults:
    return read_faults(EXAMPLE)


def test_the_example_shows_every_kind_of_fault(example: Faults) -> None:
    assert {rule.fault.kind for rule in example.rules} == set(fault_kinds())


SECTIONS = {name: service.fault_settings for name, service in installed_services().items()}


@pytest.mark.parametrize("name", ["salesforce", "hubspot", "twilio"])
def test_the_example_sets_every_setting_of_a_service(example: Faults, name: str) -> None:
    common = {"latency_ms", "clock_skew_s"}
    assert getattr(example, name).model_fields_set | common == set(SECTIONS[name].model_fields)


def test_the_page_names_every_kind_condition_and_setting() -> None:
    page = (DOCS / "sandbox.md").read_text(encoding="utf-8")
    models = (*fault_kinds().values(), When, *SECTIONS.values(), Rule)
    names = {name for model in models for name in model.model_fields} | set(fault_kinds())

    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


def test_the_examples_of_the_page_work() -> None:
    page = (DOCS / "sandbox.md").read_text(encoding="utf-8")
    files = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    programs = re.findall(r"```python\n(.*?)```", page, re.DOTALL)

    assert [len(parse_faults(text, "sandbox.md").rules) for text in files] == [1]

    for program in programs:
        exec(program, {})

    assert len(programs) == 1


def test_a_sandbox_takes_the_example(example: Faults) -> None:
    sandbox = Sandbox(contacts=20, faults=example)

    assert sandbox.faults is example
    assert (sandbox.salesforce.page_size, sandbox.hubspot.search_lag_s, sandbox.twilio.window.limit) == (1000, 30, 50)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sead: 3", "sead: unknown key 'sead' (did you mean 'seed'?)"),
        ("hubspot: {search_lag: 3}", "hubspot.search_lag: unknown key 'search_lag' (did you mean 'search_lag_s'?)"),
        ("rules: [{service: twilio, wen: {nth: 1}, fault: {kind: reset}}]", "unknown key 'wen' (did you mean 'when'?)"),
        (
            "rules: [{service: twilio, when: {metod: GET}, fault: {kind: reset}}]",
            "rules.0.when.metod: unknown key 'metod' (did you mean 'method'?)",
        ),
        (
            "rules: [{service: twilio, fault: {kind: reset, after_comit: true}}]",
            "rules.0.fault.after_comit: unknown key 'after_comit' (did you mean 'after_commit'?)",
        ),
        (
            "rules: [{service: twilio, fault: {kind: rest}}]",
            "rules.0.fault: unknown kind 'rest' (did you mean 'reset'?)",
        ),
        ("rules: [{service: twilio, fault: {kind: touch_rows}}]", "touch_rows is a fault of salesforce, not of twilio"),
        ("rules: [{service: twilio, fault: {kind: refuse, status: 200}}]", "rules.0.fault.status: "),
        (
            "rules: [{service: twilio, when: {nth: 1, every: 2}, fault: {kind: reset}}]",
            "rules.0.when: nth stands alone",
        ),
        ("rules: [{service: twilio, when: {between: [3, 2]}, fault: {kind: reset}}]", "rules.0.when: between takes"),
        ("rules: [{service: twilio, when: {path: query}, fault: {kind: reset}}]", "must start with a slash"),
        (
            "rules: [{service: hubspot, when: {path: /crm/v3/object/contacts/search}, fault: {kind: reset}}]",
            "hubspot has no endpoint '/crm/v3/object/contacts/search' (did you mean '/crm/v3/objects/{type}/search'?)",
        ),
        ("rules: [{service: hubspot, fault: {kind: merge_rows, ids: ['1']}}]", "come in pairs"),
        ("- a list", "not a table of keys"),
        ("a: [", "not YAML"),
        ("", "empty"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_what_was_meant(text: str, expected: str) -> None:
    with pytest.raises(FaultsError) as caught:
        parse_faults(text, "my.yaml")

    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{service: salesforce, fault: {kind: edit_rows, object: Contct}}", "did you mean 'Contact'"),
        ("{service: salesforce, fault: {kind: edit_rows, values: {Fone: x}}}", "did you mean 'Phone'"),
        ("{service: hubspot, fault: {kind: edit_rows, values: {phones: x}}}", "did you mean 'phone'"),
        ("{service: hubspot, fault: {kind: delete_rows, object: companies}}", "about contacts"),
        ("{service: twilio, fault: {kind: fail_packages, packages: [line_state]}}", "did you mean 'line_status'"),
        ("{service: twilio, fault: {kind: refuse, status: 500, code: oops}}", "is a number"),
    ],
)
def test_what_the_sandbox_does_not_have_is_refused_and_leaves_no_faults(rule: str, expected: str) -> None:
    sandbox = Sandbox(contacts=5)
    with pytest.raises(FaultsError) as caught:
        sandbox.faults = parse_faults(f"rules: [{rule}]", "my.yaml")

    assert expected in str(caught.value)
    assert "rules.0" in str(caught.value)
    assert sandbox.faults is None


def test_faults_that_one_service_refuses_are_begun_by_no_other() -> None:
    sandbox = Sandbox(contacts=5)
    half_wrong = parse_faults(
        "{salesforce: {page_size: 9}, rules: [{service: twilio, fault: {kind: refuse, status: 500, code: oops}}]}",
        "text",
    )

    with pytest.raises(FaultsError):
        sandbox.faults = half_wrong

    assert sandbox.salesforce.faults is None
    assert sandbox.salesforce.page_size == 2_000


def test_an_unreadable_file_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        read_faults(tmp_path / "none.yaml")

    (tmp_path / "latin.yaml").write_bytes(b"seed: \xff")
    with pytest.raises(FaultsError, match="UTF-8"):
        read_faults(tmp_path / "latin.yaml")


def test_the_module_refuses_a_wrong_file_as_wrong_usage(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text("sead: 1", encoding="utf-8")
    command = [sys.executable, "-m", "ringfence.sandbox", "--contacts", "1", "--faults", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 2
    assert "did you mean 'seed'?" in done.stderr


def test_taking_faults_away_puts_the_settings_back() -> None:
    sandbox = Sandbox(contacts=5)
    before = (sandbox.salesforce.page_size, sandbox.hubspot.noop_bumps, sandbox.hubspot.daily.limit)
    sandbox.faults = parse_faults(
        "{salesforce: {page_size: 9, clock_skew_s: 60}, hubspot: {noop_bumps: false, daily_limit: 3}}", "text"
    )

    assert (sandbox.salesforce.page_size, sandbox.hubspot.noop_bumps, sandbox.hubspot.daily.limit) == (9, False, 3)
    assert sandbox.twilio.faults is None

    sandbox.faults = None

    assert (sandbox.salesforce.page_size, sandbox.hubspot.noop_bumps, sandbox.hubspot.daily.limit) == before
    assert sandbox.salesforce.clock is sandbox.clock
    assert sandbox.salesforce.faults is None
