"""The benchmark of lists works: with few numbers, because here its output counts and not its figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "lists.py"


@pytest.mark.slow
def test_every_figure_has_a_line() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--numbers", "5000"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("import: 5,000 numbers, ")
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == [
        "import",
        "peak memory",
        "one number",
        "a page of 2,000",
        "state",
    ]
