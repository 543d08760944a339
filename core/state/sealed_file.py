"""A file sealed as a whole: read in pieces, each in its place, up to an end that nobody can move.

It begins with a line in the clear that says what it is and which key opens it. Frames follow, each under a number of
its own and a sign that tells the last one: a file that was cut off, put together anew, lengthened or changed in one
byte is refused. The key is made for this file alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..errors import FileError

FRAME_BYTES = 1024 * 1024
_LONGEST_HEAD = 4096
_MIDDLE, _LAST = b"\x00", b"\x01"
_SALT_BYTES = 32
_TAG_BYTES = 16


class SealingWriter:
    """Writes a sealed file: first its head, then what it holds in any pieces, at last what is to be known of all."""

    def __init__(self, file: BinaryIO, key: bytes, head: Mapping[str, Any]) -> None:
        self._file = file
        line = json.dumps({**head, "salt": os.urandom(_SALT_BYTES).hex()}).encode() + b"\n"
        self._cipher, self._about = _cipher_of(key, line)
        self._place = 0
        file.write(line)

    def write(self, piece: bytes) -> None:
        """Seal a piece of at most :data:`FRAME_BYTES`."""
        self._frame(_MIDDLE, piece)

    def finish(self, known: Mapping[str, Any]) -> None:
        """Seal what is known of the whole, as the end."""
        self._frame(_LAST, json.dumps(known).encode())
        self._file.flush()

    def _frame(self, sign: bytes, plain: bytes) -> None:
        sealed = self._cipher.encrypt(_nonce(self._place, sign), plain, self._about)
        self._file.write(sign + len(sealed).to_bytes(4) + sealed)
        self._place += 1


def read_head(file: BinaryIO, name: str) -> dict[str, Any]:
    """Return the head of a sealed file, which nothing vouches for yet. Raises FileError where it has none."""
    line = file.readline(_LONGEST_HEAD)
    head: Any = None
    try:
        head = json.loads(line) if line.endswith(b"\n") else None
        salt = bytes.fromhex(head["salt"]) if isinstance(head, dict) else b""
    except (ValueError, KeyError, TypeError):
        salt = b""
    if not isinstance(head, dict) or len(salt) != _SALT_BYTES:
        raise FileError(f"{name} is no back-up of a state store.", "Name the file that was made as one.")
    return head


class SealedReader:
    """Reads a sealed file from its beginning; ``known`` is what its end tells, once all pieces were read."""

    def __init__(self, file: BinaryIO, key: bytes, name: str) -> None:
        file.seek(0)
        self.head = read_head(file, name)
        self.known: dict[str, Any] = {}
        file.seek(0)
        self._cipher, self._about = _cipher_of(key, file.readline(_LONGEST_HEAD))
        self._file = file
        self._name = name

    def pieces(self) -> Iterator[bytes]:
        """Yield what the file holds. Raises FileError where it is not as it was written, up to its end."""
        place = 0
        while True:
            sign, plain = self._frame(place)
            if sign == _LAST:
                break
            yield plain
            place += 1

        self.known = json.loads(plain)
        if self._file.read(1):
            raise self._damaged("has something behind its end")

    def _frame(self, place: int) -> tuple[bytes, bytes]:
        sign, size = self._file.read(1), int.from_bytes(self._file.read(4))
        sealed = self._file.read(min(size, FRAME_BYTES + _TAG_BYTES))
        if len(sign) < 1 or len(sealed) < max(size, _TAG_BYTES):
            raise self._damaged("is cut off, or damaged")
        try:
            return sign, self._cipher.decrypt(_nonce(place, sign), sealed, self._about)
        except InvalidTag as error:
            raise self._damaged("is damaged: it is not as it was written") from error

    def _damaged(self, what: str) -> FileError:
        return FileError(f"{self._name} {what}. Nothing was changed.", "Take another copy of it.")


def _cipher_of(key: bytes, line: bytes) -> tuple[AESGCM, bytes]:
    """Return what seals the frames of the file with this first line, and what each of them is bound to."""
    salt = bytes.fromhex(json.loads(line)["salt"])
    derived = HKDF(SHA256(), length=32, salt=salt, info=b"ringfence back-up").derive(key)
    return AESGCM(derived), hashlib.sha256(line).digest()


def _nonce(place: int, sign: bytes) -> bytes:
    return place.to_bytes(11) + sign
