"""The encoding of a text file, and whether the file is text at all."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from charset_normalizer import CharsetMatch, from_bytes

from ringfence.core.errors import FileError

HEAD_BYTES = 256 * 1024
_SLICE_BYTES = 64 * 1024
_SLICES = 3

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# In order of preference where two fit a text equally well.
_CANDIDATES = ["cp1252", "cp1251", "cp932", "gb18030", "big5", "euc_kr", "cp1250"]
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_FOREIGN = (
    (
        b"PK\x03\x04",
        "a zip archive or an Excel workbook",
        "Give a workbook its name back (.xlsx), or unpack the archive.",
    ),
    (b"\xd0\xcf\x11\xe0", "an old or password-protected Office file", "Open it in Excel and save it as .xlsx or CSV."),
    (b"\x1f\x8b", "compressed with gzip", "Unpack it first."),
    (b"%PDF", "a PDF", "Export the table as CSV or .xlsx."),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec's name, and the byte-order mark, or marks, in front of the text; empty where there is none."""

    name: str
    bom: bytes = b""

    @property
    def errors(self) -> str:
        """Return the error handler by which undecodable bytes are written back as they were read."""
        return "surrogatepass" if self.name.startswith(("utf-16", "utf-32")) else "surrogateescape"

    @property
    def label(self) -> str:
        """Return the name for people."""
        return f"{self.name} with byte-order mark" if self.bom else self.name

    def decode(self, data: bytes) -> str:
        """Return the text of a piece of the file that may end in the middle of a character."""
        return codecs.getincrementaldecoder(self.name)(self.errors).decode(data.removeprefix(self.bom))

    def fit(self, text: str) -> str:
        """Return the text with a question mark for each character that the encoding cannot write."""
        if text.isascii():
            return text
        return "".join(character if self._writes(character) else "?" for character in text)

    def _writes(self, character: str) -> bool:
        try:
            character.encode(self.name, self.errors)
        except UnicodeEncodeError:
            return False
        return True


def read_head(path: Path) -> bytes:
    """Return the first bytes of the file, at most HEAD_BYTES. Raises FileError when it cannot be read or is empty."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        raise FileError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the name and its access."
        ) from error
    if not head:
        raise FileError(f"{path} is empty.", "Give a file with at least a header line.")
    return head


def detect_encoding(path: Path, named: str | None = None) -> Encoding:
    """Return the encoding of a text file: the named one, its byte-order mark's, or the best guess from samples.

    Raises FileError when the file is no text, cannot be read, or ``named`` is not a text encoding.
    """
    head = read_head(path)
    for magic, what, remedy in _FOREIGN:
        if head.startswith(magic):
            raise FileError(f"{path} is not text but {what}.", remedy)

    if named:
        return _named(named, head)
    for bom, name in _BOMS:
        if head.startswith(bom):
            return Encoding(name, _repeated(bom, head))
    if wide := _detect_utf16(head):
        return wide

    if _is_binary(head):
        raise FileError(f"{path} is not a text file.", "Give a CSV or .xlsx file, or name its encoding if it is text.")
    return _guess(head + b"\n" + _slices(path))


def _named(name: str, head: bytes) -> Encoding:
    try:
        codec = codecs.lookup(name).name
        b"a".decode(codec, "replace")
    except LookupError as error:
        raise FileError(
            f"{name!r} is not a text encoding.", "Use a name such as utf-8, cp1252 or shift_jis."
        ) from error

    for bom, marked in _BOMS:
        if head.startswith(bom) and marked.startswith(codec.removesuffix("-sig")):
            return Encoding(marked, _repeated(bom, head))
    if codec in ("utf-16", "utf-32"):
        return Encoding(codec + "-le")
    return Encoding(codec.removesuffix("-sig"))


def _repeated(bom: bytes, head: bytes) -> bytes:
    """Return the byte-order marks in front of a file: programs that mark what is marked already leave several."""
    marks = 1
    while head.startswith(bom, marks * len(bom)):
        marks += 1
    return bom * marks


def _detect_utf16(head: bytes) -> Encoding | None:
    """Return UTF-16 where it comes without a mark: Western text has a NUL in every other byte."""
    even, odd = head[:2048:2], head[1:2048:2]
    if len(odd) < 4:
        return None
    if odd.count(0) > 0.7 * len(odd) and even.count(0) < 0.1 * len(even):
        return Encoding("utf-16-le")
    if even.count(0) > 0.7 * len(even) and odd.count(0) < 0.1 * len(odd):
        return Encoding("utf-16-be")
    return None


def _is_binary(head: bytes) -> bool:
    """Return whether the first line is no text; rubbish further down is one cell's matter, not the file's."""
    line = re.split(rb"[\r\n]", head.lstrip(b"\r\n")[:4096], maxsplit=1)[0]
    return len(_CONTROLS.findall(line)) > 0.05 * len(line)


def check_text(path: Path) -> None:
    """Raise FileError where a file that goes by the name of a workbook is neither one nor plain text."""
    head = read_head(path)
    foreign = any(head.startswith(magic) for magic, _, _ in _FOREIGN)
    marked = any(head.startswith(bom) for bom, _ in _BOMS) or _detect_utf16(head)
    if not foreign and not marked and _CONTROLS.search(head):
        raise FileError(
            f"{path} is called a workbook and is none.", "Open it in Excel and save it again as .xlsx, or export it."
        )


def _slices(path: Path) -> bytes:
    """Return whole lines from further down the file, because its head alone may be plain ASCII."""
    size = path.stat().st_size
    pieces = []
    with path.open("rb") as stream:
        for number in range(1, _SLICES + 1):
            stream.seek(max(HEAD_BYTES, size * number // _SLICES - _SLICE_BYTES))
            # Cut to whole lines, so that no character is cut.
            pieces += stream.read(_SLICE_BYTES).splitlines(keepends=True)[1:-1]
    return b"".join(pieces)


def _guess(sample: bytes) -> Encoding:
    telling = b"".join(line for line in sample.splitlines(keepends=True)[:-1] or [sample] if not line.isascii())
    if not telling:
        return Encoding("utf-8")
    text = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(telling)
    broken = sum("\udc80" <= character <= "\udcff" for character in text)
    if broken * 5 <= sum(character > "\x7f" for character in text) - broken:
        return Encoding("utf-8")  # at most a few bad bytes among many good characters
    matches = from_bytes(telling[:_SLICE_BYTES], cp_isolation=_CANDIDATES)
    return Encoding(min(map(_rank, matches), default=(0.0, 0.0, 0, "cp1252"))[-1])


def _rank(match: CharsetMatch) -> tuple[float, float, int, str]:
    """Return the sort key of a match and its codec: least mess, most like a language, then our order of preference."""
    # Codecs by which the text reads the same come as one match.
    name = min(match.could_be_from_charset, key=_CANDIDATES.index)
    return round(match.chaos, 2), -round(match.coherence, 2), _CANDIDATES.index(name), name
