"""Where the encryption key comes from, and how it is replaced: settings, a command, the file beside the state."""

from __future__ import annotations

import base64
import shlex
import sys
from pathlib import Path

import pytest

from ringfence.apps.key_command import print_key
from testkit.commands import Cli

FIRST, SECOND = (base64.b64encode(bytes([each]) * 32).decode() for each in (1, 2))
SECRET = "a word that nobody may see"


@pytest.fixture(autouse=True)
def _ask_the_vault_anew() -> None:
    print_key.cache_clear()


def python(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


def test_a_command_prints_the_key(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY_COMMAND", python(f"print('{FIRST}')"))
    assert cli("state", "purge", "--json").code == 0

    monkeypatch.delenv("RINGFENCE_ENCRYPTION_KEY_COMMAND")
    monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY", FIRST)
    assert len(cli("runs", "list", "--json").document["runs"]) == 1
    assert not Path("ringfence.key").exists()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (python(f"print('{SECRET}'); raise SystemExit(7)"), "ended with exit code 7"),
        (python(f"print('{SECRET}')"), "printed something other than base64 of 32 bytes"),
        (python("pass"), "printed nothing"),
        ("/nowhere/vault", "cannot be run"),
        ("vault 'x", "quotation mark is not closed"),
    ],
)
def test_a_command_that_prints_no_key_is_told_without_what_it_printed(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, command: str, told: str
) -> None:
    monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY_COMMAND", command)

    refused = cli("runs", "list", "--json")

    assert (refused.code, refused.document["error"]) == (2, "SettingsError")
    assert told in refused.document["message"]
    assert SECRET not in refused.out + refused.err


@pytest.mark.parametrize("other", ["KEY_COMMAND", "KEY_OLD"])
def test_settings_that_do_not_fit_together_are_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    if other == "KEY_COMMAND":
        monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY", FIRST)
    monkeypatch.setenv(f"RINGFENCE_ENCRYPTION_{other}", SECOND)

    refused = cli("runs", "list", "--json")

    assert refused.code == 2
    assert f"RINGFENCE_ENCRYPTION_{other}" in refused.document["message"]
    assert SECOND not in refused.out + refused.err


def test_a_key_that_is_set_is_rotated_to_another(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY", FIRST)
    assert cli("state", "purge", "--json").code == 0
    alone = cli("state", "rotate-key", "--json")

    monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY", SECOND)
    without_old = cli("runs", "list", "--json")
    monkeypatch.setenv("RINGFENCE_ENCRYPTION_KEY_OLD", FIRST)
    rotated = cli("state", "rotate-key", "--json")
    monkeypatch.delenv("RINGFENCE_ENCRYPTION_KEY_OLD")

    assert (alone.code, alone.document["code"]) == (2, "encryption_key_old_missing")
    assert without_old.code == 2
    assert (rotated.code, rotated.document["done"]) == (0, True)
    assert set(rotated.document) == {"rotated", "key", "done"}
    assert cli("runs", "list", "--json").code == 0
    assert cli("audit", "list", "--json").document["entries"][0]["action"] == "rotate_key"
    assert cli("audit", "verify").code == 0


def test_a_key_file_is_replaced_and_the_old_key_put_aside(cli: Cli) -> None:
    assert cli("state", "purge", "--json").code == 0
    before = Path("ringfence.key").read_bytes()

    rotated = cli("state", "rotate-key", "--json")

    assert rotated.code == 0, rotated.err
    assert Path("ringfence.key").read_bytes() != before
    assert [path.read_bytes() for path in Path.cwd().glob("ringfence.key.*")] == [before]
    assert cli("runs", "list", "--json").code == 0
