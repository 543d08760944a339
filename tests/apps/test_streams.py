"""Standard output that takes nothing more, or lacks a sign: a message where one helps, an exit code, no traceback."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import pytest

from ringfence.apps.cli.streams import encodes_any, find_failure
from testkit.account import COMMAND

FULL = Path("/dev/full")


def start(folder: Path, *words: str, encoding: str = "utf-8") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, *words],
        cwd=folder,
        env={"PYTHONIOENCODING": encoding},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
@pytest.mark.parametrize("words", [["lookup", "+1 415 555 2671", "--offline", "--json"], ["--help"]])
def test_a_full_standard_output_is_told_and_ends_with_2(tmp_path: Path, words: list[str]) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [*COMMAND, *words], cwd=tmp_path, env={}, stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert done.returncode == 2
    assert done.stderr.decode().startswith("Error: Standard output cannot be written: No space left on device.")
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="the system has no device that is always full")
def test_a_full_standard_error_changes_nothing(tmp_path: Path) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [*COMMAND, "check", "--json"], cwd=tmp_path, env={}, stdout=subprocess.PIPE, stderr=full, check=False
        )

    assert done.returncode == 2
    assert json.loads(done.stdout)["exit_code"] == 2


def test_a_reader_that_is_gone_is_no_fault(tmp_path: Path) -> None:
    process = start(tmp_path, "lookup", "+1 415 555 2671", "--offline")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()

    with process:
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_sign_that_the_encoding_lacks_is_written_as_its_twin(tmp_path: Path) -> None:
    told, _ = start(tmp_path, "--help", encoding="ascii").communicate()

    assert b"0 done - 1 done, some rows refused" in told


def test_a_stream_of_somebody_else_is_left_alone() -> None:
    stream = io.StringIO()

    assert find_failure(stream) is None
    assert find_failure(None) is None
    assert encodes_any(stream)
    assert not encodes_any(io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
