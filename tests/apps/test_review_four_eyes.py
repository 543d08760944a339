"""With four eyes, the lift of an opt-out in the review queue takes two people."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from ringfence.apps.cli import door
from ringfence.sandbox.server import Sandbox

from .conftest import Cli


@pytest.fixture
def contact(cli: Cli, sandbox: Sandbox, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Clear by hand a contact's flag that the mapping keeps up, and return the contact's id."""
    del settings  # in the environment
    monkeypatch.setenv("RINGFENCE_REVIEW__FOUR_EYES", "true")
    built_in = resources.files("ringfence.mappings").joinpath("hubspot.yaml").read_text("utf-8")
    folder = Path("mappings")
    folder.mkdir()
    (folder / "hubspot.yaml").write_text(built_in.replace("    phones:", "    opt_out_policy: ratchet\n    phones:"))
    monkeypatch.setenv("RINGFENCE_MAPPINGS", str(folder))

    id_ = next(id_ for id_, each in sandbox.hubspot.contacts.items() if each.get("phone") and each.get("country"))
    sandbox.hubspot.update_as_user(id_, rf_do_not_call="true", phone="+14155550199", mobilephone="")
    for flag in ("true", "false"):
        sandbox.hubspot.update_as_user(id_, rf_do_not_call=flag)
        assert cli("sync", "hubspot", "--json").code == 0
    return id_


def resolve_as(cli: Cli, monkeypatch: pytest.MonkeyPatch, author: str, decision: str, *words: str) -> tuple[int, str]:
    monkeypatch.setattr(door, "find_author", lambda: author)
    done = cli("review", "resolve", "--reason", "flag_cleared", "--as", decision, "--note", f"says {author}", *words)
    return done.code, done.out


@pytest.mark.slow  # syncs of a sandbox
def test_a_second_person_ends_the_opt_out(
    cli: Cli, contact: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sandbox.hubspot.contacts[contact]["rf_do_not_call"] == "true"

    first = resolve_as(cli, monkeypatch, "ann@desk", "lift", "--json")
    again = resolve_as(cli, monkeypatch, "ann@desk", "lift")

    assert first == (0, '{"resolved": 0, "second_person": 1}\n')
    assert "left open: needs a second person" in again[1]
    (item,) = cli("review", "list", "--json").document["items"]
    assert item["agreed_by"] == "ann@desk"
    assert "ann@desk agrees to lift it: needs a second person" in cli("review", "show", str(item["id"])).out
    assert sandbox.hubspot.contacts[contact]["rf_do_not_call"] == "true"

    assert resolve_as(cli, monkeypatch, "bob@desk", "lift", "--json") == (0, '{"resolved": 1}\n')

    assert sandbox.hubspot.contacts[contact]["rf_do_not_call"] == "false"
    assert cli("review", "list", "--json").document == {"items": []}
    entries = cli("audit", "list", "--json").document["entries"]
    resolved = [(each["author"], each["subject"]) for each in entries if each["action"] == "resolve"]
    assert [author for author, _ in resolved] == ["bob@desk", "ann@desk"]
    assert resolved[0][1].endswith("lift, agreed to by ann@desk before")
    assert resolved[1][1].endswith("lift, needs a second person")


@pytest.mark.slow  # syncs of a sandbox
def test_what_keeps_an_opt_out_takes_one_person(cli: Cli, contact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    del contact

    assert resolve_as(cli, monkeypatch, "ann@desk", "opted_out", "--json") == (0, '{"resolved": 1}\n')

    assert cli("review", "list", "--json").document == {"items": []}
