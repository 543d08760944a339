"""Numbers read by a process of its own, so that a large sync keeps two processors busy."""

from __future__ import annotations

import logging
import marshal
import signal
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Any, Self

from .numbers import LineType, Number, ReasonCode, Validity, read_number
from .reading import Reading

WORTH_FROM = 20_000
"""Records from which another process is worth its start."""

_LENGTH_BYTES = 4
_LINE_TYPES = {each.value: each for each in LineType}
_VALIDITIES = {each.value: each for each in Validity}
_REASONS = {each.value: each for each in ReasonCode}

_log = logging.getLogger(__name__)


class NumberReader:
    """Reads what records hold as :func:`read_number` does; use it with ``with``. One thread at a time may ask.

    The process is started when it is first asked for, and ends with this one, however that ends. Where it cannot be
    had, numbers are read here.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._failed = False

    def start(self) -> None:
        """Start the process, if it does not run yet; it gets ready while other things are done."""
        if self._process is not None or self._failed:
            return
        command = [sys.executable, "-m", __name__]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            self._give_up(error)

    def fill(self, readings: Sequence[Reading]) -> None:
        """Read every number that the records hold and that their companions do not tell already."""
        self.start()
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return
        unread = [(reading, *cell) for reading in readings for cell in reading.unread()]
        if not unread:
            return
        try:
            _send(process.stdin, [(content, region) for _, _, content, region in unread])
            told = _receive(process.stdout)
        except (OSError, EOFError, ValueError, TypeError) as error:
            self._give_up(error)
            return
        for (reading, name, content, _), (e164, region, line_type, validity, reason, *rest) in zip(
            unread, told, strict=True
        ):
            reading.take_number(
                name,
                Number(content, e164, region, _LINE_TYPES[line_type], _VALIDITIES[validity], _REASONS[reason], *rest),
            )

    def _give_up(self, error: Exception) -> None:
        _log.warning("numbers are read by one process only: %s", type(error).__name__)
        self._failed = True
        self.close()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _send(pipe: IO[bytes], content: Any) -> None:
    frame = marshal.dumps(content)
    pipe.write(len(frame).to_bytes(_LENGTH_BYTES, "big") + frame)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> Any:
    length = int.from_bytes(_read(pipe, _LENGTH_BYTES), "big")
    return marshal.loads(_read(pipe, length))  # noqa: S302 - from our own child, or to it


def _read(pipe: IO[bytes], count: int) -> bytes:
    held = pipe.read(count)
    if len(held) < count:
        raise EOFError
    return held


def _serve(questions: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until whoever asks is gone."""
    while True:
        try:
            cells = _receive(questions)
        except EOFError:
            return
        _send(answers, [_plain(read_number(content, region)) for content, region in cells])


def _plain(number: Number) -> tuple[Any, ...]:
    """Return what marshal takes: the members of an enum as texts, without the raw one, which the other side has."""
    _, e164, region, line_type, validity, reason, *rest = number
    return (e164, region, line_type.value, validity.value, reason.value, *rest)


if __name__ == "__main__":
    # Ctrl-C goes to both; this one ends when its pipe does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve(sys.stdin.buffer, sys.stdout.buffer)
