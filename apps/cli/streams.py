"""Standard output and standard error, so that neither a sign nor a reader that is gone ends a run.

A sign that the encoding of a stream lacks is written as its nearest ASCII twin. A stream that takes nothing more (a
full disk, a closed pipe) swallows the rest, and is told at the end, by the exit code.
"""

from __future__ import annotations

import codecs
import io
import select
import sys
import unicodedata
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_TWINS = {
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-",
    "\N{BOX DRAWINGS HEAVY HORIZONTAL}": "-",
    "\N{MIDDLE DOT}": "-",
    "\N{BULLET}": "*",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
}
"""Signs of ours and of common texts; an accented letter loses its accent, an ellipsis becomes three dots."""

_POLICY = "ringfence-twins"


class PatientFile(io.FileIO):
    """A descriptor to write to. ``failure`` is the fault that ended the writing; what comes after it is swallowed."""

    failure: OSError | None = None

    def write(self, content: ReadableBuffer) -> int:
        """Write the bytes, and return how many of them are done with."""
        view = memoryview(content)
        while self.failure is None:
            try:
                written = super().write(view)
            except OSError as error:
                self.failure = error
                break
            if written is not None:
                return written
            select.select((), (self,), ())  # shared with a program that does not wait
        return view.nbytes


def make_patient() -> None:
    """Replace both streams of the process by ones that swallow their faults and write any sign."""
    codecs.register_error(_POLICY, _write_twin)
    sys.stdout = _patient(sys.stdout)
    sys.stderr = _patient(sys.stderr)


def find_failure(stream: TextIO | None) -> OSError | None:
    """Hand on what a stream has buffered, and return what ended the writing; None where all was written."""
    file = getattr(getattr(stream, "buffer", None), "raw", None)
    if stream is None or not isinstance(file, PatientFile):
        return None
    stream.flush()
    return file.failure


def encodes_any(stream: TextIO | None) -> bool:
    """Return whether the encoding of a stream has every sign."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")


def _patient(stream: TextIO | None) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream  # type: ignore[return-value] # None where the stream is closed, which Python allows there
    stream.flush()
    file = PatientFile(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=stream.encoding,
        errors=_POLICY,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _write_twin(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_twin, error.object[error.start : error.end])), error.end


def _twin(sign: str) -> str:
    plain = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode("ascii")
    return _TWINS.get(sign) or plain or "?"
