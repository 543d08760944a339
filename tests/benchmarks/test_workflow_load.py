"""The benchmark of a workflow works and judges: with few contacts, for its figures do not count here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LOAD = Path(__file__).resolve().parents[2] / "benchmarks" / "workflow_load.py"


@pytest.mark.slow
def test_every_execution_is_completed_with_a_kill_in_the_middle() -> None:
    words = [sys.executable, str(LOAD), "--contacts", "60", "--rates", "30", "--kill"]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "| 30 | 60 of 60 |" in done.stdout
