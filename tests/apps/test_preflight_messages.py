"""What a sync and a check say when the mapping and the account do not fit: short, whole sentences, one remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ringfence.apps.bootstrap import require_ready
from ringfence.core.errors import AccessError, SchemaError
from ringfence.core.ports import Finding, Level


def _missing(count: int) -> list[Finding]:
    return [
        Finding(Level.PROBLEM, f"Lead.F{i}", "there is no such field.", "Run setup.", SchemaError) for i in range(count)
    ]


def test_a_bare_org_is_one_readable_message() -> None:
    with pytest.raises(SchemaError) as caught:
        require_ready(_missing(24), "salesforce")
    assert caught.value.message == (
        "salesforce is not ready: Lead.F0: there is no such field; Lead.F1: there is no such field; "
        "Lead.F2: there is no such field; and 21 more."
    )
    assert caught.value.remedy == "Run setup. `ringfence check salesforce` shows all of it."


def test_the_first_problem_decides_what_is_raised() -> None:
    denied = Finding(Level.PROBLEM, "Lead", "not writable.", "Grant it.", AccessError)
    with pytest.raises(AccessError):
        require_ready([Finding(Level.WARNING, "org", "small."), denied, *_missing(1)], "salesforce")


@pytest.mark.usefixtures("settings")
def test_a_mapping_for_another_crm_is_named_without_a_guess(cli: Any) -> None:
    Path("mine.yaml").write_text("crm: salesforce\nobjects:\n  Lead:\n    phones: {Phone: {}}\n", encoding="utf-8")
    wrong = cli("check", "hubspot", "--mapping", "mine.yaml")
    assert wrong.code == 2
    assert "'salesforce', not hubspot." in wrong.err
    both = cli("check", "--mapping", "mine.yaml")
    assert both.code == 2
    assert "hubspot, salesforce" in both.err
    assert both.out == ""
