"""The benchmark of checks works: for a second, because here its output counts and not its figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "check_endpoint.py"


@pytest.mark.slow
def test_every_path_has_a_line_and_every_question_an_answer() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--rate", "30", "--seconds", "1"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    check, empty, spent, ratio = done.stdout.splitlines()
    assert check.startswith("/v1/check")
    assert empty.startswith("/healthz")
    assert spent.startswith("processor time of serve: ")
    assert ratio.startswith("ratio to the empty endpoint: p50 ")
    assert "not answered" not in done.stdout
