"""The image and the Compose project are sound, hold no secret, and start what is there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from .exit_code_table import ROOT
from .shipped_commands import refuse_unknown

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
OURS = {name: each for name, each in COMPOSE["services"].items() if name != "postgres"}


def test_a_linter_of_dockerfiles_finds_nothing() -> None:
    linter = shutil.which("hadolint") or shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if linter is None:
        pytest.skip("hadolint (requirements/deploy.txt) is not installed")

    linted = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False, timeout=60)

    assert (linted.stdout + linted.stderr, linted.returncode) == ("", 0)


def test_the_compose_project_fits_the_specification() -> None:
    pytest.importorskip("check_jsonschema", reason="check-jsonschema (requirements/deploy.txt) is not installed")
    folder = resources.files(import_module("check_jsonschema.builtin_schemas")) / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text(encoding="utf-8"))

    jsonschema.validate(COMPOSE, schema)

    wrong = {**COMPOSE, "services": {"worker": {"imaeg": "ringfence"}}}
    with pytest.raises(jsonschema.ValidationError, match="imaeg"):
        jsonschema.validate(wrong, schema)


@pytest.mark.parametrize("service", OURS.values(), ids=list(OURS))
def test_services_are_trusted_with_little_and_start_what_is_there(service: dict[str, Any]) -> None:
    if "command" in service:
        refuse_unknown(service["command"])

    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert f"USER {service['user']}\n" in DOCKERFILE
    assert int(service["stop_grace_period"].removesuffix("s")) > 30


def test_secrets_come_from_outside() -> None:
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name or "KEY" in name or "URL" in name:
                assert ":?" in value, f"{name} has a value of its own"


def test_the_schedule_that_ships_is_the_one_that_is_mounted() -> None:
    mounted = {name: ROOT / config["file"] for name, config in COMPOSE["configs"].items()}

    assert set(mounted) == {each["source"] for each in OURS["schedule"]["configs"]}
    assert all(file.is_file() for file in mounted.values())


def test_the_image_is_made_of_what_the_wheel_needs_and_of_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}

    rooms = set(project["tool"]["setuptools"]["package-dir"].values())
    assert let_in == rooms | {"LICENSE", "README.md", "pyproject.toml", "requirements"}
    assert "*" in lines


def test_the_image_checks_what_it_installs_and_runs_as_nobody_special() -> None:
    installs = [line for line in DOCKERFILE.splitlines() if "pip" in line and " install " in line]

    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
    assert DOCKERFILE.count("\nFROM ") == 2
    assert "HEALTHCHECK" in DOCKERFILE
    assert "\nUSER 10001:10001\n" in DOCKERFILE
