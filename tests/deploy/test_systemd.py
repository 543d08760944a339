"""The systemd units are sound, and what they start is there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .shipped_commands import refuse_unknown
from .units import SERVICES, UNITS, directive

PROGRAM = "/opt/ringfence/.venv/bin/ringfence"
EXPOSURE = 25
"""The most that `systemd-analyze security` may say, in tenths; a service without any protection has 96."""

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """Give the units with a program that this machine has."""
    copies = [tmp_path / unit.name for unit in UNITS]
    for unit, copy in zip(UNITS, copies, strict=True):
        copy.write_text(unit.read_text(encoding="utf-8").replace(PROGRAM, sys.executable), encoding="utf-8")
    return copies


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60)


@needs_systemd
def test_systemd_takes_the_units(units: list[Path]) -> None:
    verified = analyze("verify", "--man=no", *units)

    assert (verified.stdout + verified.stderr, verified.returncode) == ("", 0)


@needs_systemd
def test_systemd_would_name_a_directive_that_it_does_not_know(units: list[Path]) -> None:
    wrong = next(unit for unit in units if unit.suffix == ".service")
    wrong.write_text(wrong.read_text(encoding="utf-8").replace("KillMode=", "KilMode="), encoding="utf-8")

    assert "KilMode" in analyze("verify", "--man=no", wrong).stderr


@needs_systemd
def test_services_are_little_exposed(units: list[Path]) -> None:
    services = [unit for unit in units if unit.suffix == ".service"]
    known = analyze("security", "--help").stdout
    if "--offline" not in known:
        pytest.skip("this systemd-analyze looks at running services alone")

    looked_at = analyze("security", "--offline=true", f"--threshold={EXPOSURE}", *services)

    assert looked_at.returncode == 0, looked_at.stdout


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_starts_a_command_that_is_there(unit: Path) -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)

    program, *words = shlex.split(line)

    assert program == PROGRAM
    refuse_unknown(words)


def test_services_are_protected_alike() -> None:
    protections = [unit.read_text(encoding="utf-8").partition("# Little of the machine")[2] for unit in SERVICES]

    shared = {text.partition("[Install]")[0].strip() for text in protections}

    assert len(shared) == 1
    assert "ProtectSystem=strict" in shared.pop()


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_has_longer_to_end_than_the_command_takes(unit: Path) -> None:
    staying = directive(unit, "Type") == ["exec"]

    assert int(*directive(unit, "TimeoutStopSec")) > (30 if staying else 10)
    assert directive(unit, "KillMode") == ["mixed"]
