"""``ringfence tokens``: who may call the service."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Cli


def test_a_token_is_shown_once_and_kept_as_a_hash(cli: Cli, state_bytes: Callable[[], bytes]) -> None:
    made = cli("tokens", "add", "flows", "--role", "operator", "--json")

    assert made.code == 0
    assert made.document["name"] == "flows"
    assert made.document["role"] == "operator"
    token = made.document["token"]
    assert len(token) > 40
    assert token.encode() not in state_bytes()

    listed = cli("tokens", "list", "--json")
    assert token not in listed.out + listed.err
    (found,) = listed.document["tokens"]
    assert found["name"] == "flows"
    assert found["role"] == "operator"
    assert found["author"] == cli("audit", "list", "--json").document["entries"][0]["author"]


def test_for_a_person_the_token_alone_is_on_standard_output(cli: Cli) -> None:
    made = cli("tokens", "add", "flows", "--role", "viewer")

    assert made.out.startswith("rfk_")
    assert made.out.count("\n") == 1
    assert "not shown again" in made.err
    assert "flows" in cli("tokens", "list").out


def test_a_revoked_name_is_free_again(cli: Cli) -> None:
    first = cli("tokens", "add", "flows", "--role", "viewer", "--json").document["token"]
    assert cli("tokens", "add", "flows", "--role", "admin", "--json").code == 2

    assert cli("tokens", "revoke", "flows", "--json").document == {"revoked": "flows"}
    assert cli("tokens", "add", "flows", "--role", "admin", "--json").document["token"] != first


def test_making_and_revoking_stand_in_the_audit_log(cli: Cli) -> None:
    cli("tokens", "add", "flows", "--role", "viewer")
    cli("tokens", "revoke", "flows")

    entries = cli("audit", "list", "--json").document["entries"]
    assert [(entry["action"], entry["subject"], entry["reason"]) for entry in entries] == [
        ("revoke_token", "token flows", ""),
        ("add_token", "token flows", "role viewer"),
    ]
    assert cli("audit", "verify").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "flows", "--role", "oprator"], "did you mean 'operator'"),
        (["add", "", "--role", "viewer"], "cannot be called"),
        (["add", "x" * 65, "--role", "viewer"], "cannot be called"),
        (["add", "new\nline", "--role", "viewer"], "cannot be called"),
        (["add", "unknown", "--role", "viewer"], "cannot be called"),
        (["add", "12127365000", "--role", "viewer"], "cannot be called"),
        (["add", "flows"], "--role"),
        (["revoke", "flows"], "no state store yet"),
    ],
)
def test_what_cannot_be_is_said(cli: Cli, words: list[str], said: str) -> None:
    refused = cli("tokens", *words, "--json")

    assert refused.code == 2
    assert said in refused.document["message"]
    assert cli("tokens", "list", "--json").document == {"tokens": []}


def test_one_that_is_not_there_cannot_be_revoked(cli: Cli) -> None:
    cli("tokens", "add", "flows", "--role", "viewer")

    refused = cli("tokens", "revoke", "flow", "--json")

    assert refused.code == 2
    assert "did you mean 'flows'" in refused.document["message"]
    assert "ringfence tokens list" in refused.document["remedy"]
