"""A terminal in front of which a command runs, as in front of a person: its output is what the terminal was sent."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .commands import Result


def run_on_terminal(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Result:
    """Run a command on a terminal of its own, and return all that it was sent as its standard output.

    The terminal is a dumb one, so that a program which knows terminals sends it no control sequence.
    """
    ours, theirs = pty.openpty()
    settings = {**environment, "TERM": "dumb"}
    with subprocess.Popen(command, cwd=folder, env=settings, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        sent = b"".join(iter(lambda: _read(ours), b""))

    os.close(ours)
    return Result(process.returncode, sent.decode(), "")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:  # as Linux tells that nobody writes any more
        return b""
