"""Jobs of the kind ``command``: a ringfence command, in a process of its own, whose exit code says how it went."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

from ringfence.core.errors import ErrorCode, Terminated
from ringfence.core.numbers import mask_numbers
from ringfence.core.ports.jobs import AttemptError, JobRun

from ..cli.exit_codes import DONE, FAULT, INTERRUPTED, REFUSED_ROWS, STOPPED, TERMINATED

COMMAND = "command"

STOP_S = 20.0
"""How long a command may take to end that was asked to, in seconds; after that it is killed."""

_LOOK_S = 0.2
_LONGEST = 16_000_000
_TOLD = ("run_id", "exit_code", "message", "remedy")

Forward = Callable[[str], None]
"""Shows a line that the command wrote on standard error."""


def run_command(run: JobRun, forward: Forward) -> str | None:
    """Carry the command of a job out; return a remark where it is done, but not with every row.

    Raises AttemptError where it failed, and Terminated where it was ended because the job must.
    """
    argv = _arguments(run.job.arguments)
    with _started(argv) as process:
        output, errors = _Collected(process.stdout), _Forwarded(process.stderr, forward)
        code = _wait(process, run.must_end)
        output.join()
        errors.join()

    if run.must_end() and code not in (DONE, REFUSED_ROWS):
        raise Terminated
    document = output.document()
    told = {name: document[name] for name in _TOLD if document.get(name) not in (None, "")}
    run.report({**told, "exit_code": code})
    return _conclude(code, document, errors.last)


def _arguments(arguments: Mapping[str, Any]) -> list[str]:
    argv = arguments.get("argv")
    if not isinstance(argv, Sequence) or isinstance(argv, str) or not argv:
        raise AttemptError("The job names no command.", "Cancel it, and queue it anew.", exit_code=2)
    words = [str(word) for word in argv]
    return words if "--json" in words else [*words, "--json"]


def _started(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - this program itself
        [sys.executable, "-m", "ringfence.apps.worker.child", str(os.getpid()), *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is the worker's, which hands it on as it does with SIGTERM
    )


def _wait(process: subprocess.Popen[bytes], must_end: Callable[[], bool]) -> int:
    """Return the exit code of the process; it is asked to end when the job must, and killed where it does not."""
    asked = 0.0
    while True:
        try:
            return process.wait(_LOOK_S)
        except subprocess.TimeoutExpired:
            if not asked and not must_end():
                continue
        if not asked:
            process.terminate()
        asked += _LOOK_S
        if asked > STOP_S:
            process.kill()


def _conclude(code: int, document: Mapping[str, Any], last_line: str) -> str | None:
    """Return the remark about a command that is done. Raises AttemptError for one that is not."""
    if code == DONE:
        return None
    if code == REFUSED_ROWS:
        return _text(document, last_line) or "Done, but some rows were refused; `ringfence runs list` has them."
    if code in (INTERRUPTED, TERMINATED):
        raise AttemptError("The command was ended from outside.", exit_code=STOPPED)
    if code < 0:
        name = signal.Signals(-code).name
        raise AttemptError(f"The command was killed ({name}).", "Look for a lack of memory.", exit_code=FAULT)

    message, remedy = str(document.get("message") or last_line), str(document.get("remedy") or "")
    known = str(document.get("code") or "")
    raise AttemptError(
        message or f"The command ended with exit code {code}.",
        remedy,
        exit_code=code,
        name=str(document.get("error") or ""),
        code=ErrorCode(known) if known in set(ErrorCode) else None,
    )


def _text(document: Mapping[str, Any], last_line: str) -> str:
    return str(document.get("message") or last_line)


class _Collected:
    """What a process writes on standard output."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._stream = stream
        self._content = b""
        self._thread = threading.Thread(target=self._read, name="ringfence-output", daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def document(self) -> Mapping[str, Any]:
        """Return the JSON document that was written; empty where it was none."""
        try:
            document = json.loads(self._content)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    def _read(self) -> None:
        if self._stream is not None:
            self._content = self._stream.read(_LONGEST)
            while self._stream.read(_LONGEST):
                pass  # a document of that size is nobody's summary, but the process must get rid of it


class _Forwarded:
    """What a process writes on standard error, which is shown as it comes. ``last`` is its last line, masked."""

    def __init__(self, stream: IO[bytes] | None, forward: Forward) -> None:
        self.last = ""
        self._stream = stream
        self._forward = forward
        self._thread = threading.Thread(target=self._read, name="ringfence-errors", daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _read(self) -> None:
        for raw in self._stream or ():
            line = raw.decode("utf-8", "replace").rstrip()
            if line:
                self.last = mask_numbers(line)
                self._forward(line)
