"""The benchmark of offline numbers works: with few cells, because here its output counts and not its figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "offline_numbers.py"


def run(*arguments: str) -> list[str]:
    done = subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_every_reader_has_a_line_and_naive_is_the_measure() -> None:
    lines = run("--sets", "mixed", "--rows", "300", "--passes", "1")
    assert "mixed: 300 cells, 0 differences" in lines
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    figures = {row[0]: [float(cell.replace(",", "")) for cell in row[1:]] for row in rows[1:]}
    assert {"naive", "naive, pattern cache", "ringfence table", "ringfence read_number"} <= set(figures)
    assert figures["naive"][1] == 1
    assert figures["ringfence table"][1] > 1


@pytest.mark.slow
def test_examples_mutations_and_generated_texts_are_read_alike() -> None:
    _, line = run("--differential", "2000")
    assert line.startswith("examples, mutations, generated: ")
    assert line.endswith(" cells, 0 differences")
