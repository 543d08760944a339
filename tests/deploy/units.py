"""The systemd units that ship."""

from __future__ import annotations

import re
from pathlib import Path

from .exit_code_table import DEPLOY

UNITS = sorted(path for path in (DEPLOY / "systemd").iterdir() if path.suffix in (".service", ".timer"))
SERVICES = [path for path in UNITS if path.suffix == ".service"]


def directive(unit: Path, name: str) -> list[str]:
    """Return the words of every line that sets this directive."""
    return " ".join(re.findall(rf"^{name}=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)).split()
