"""The key file beside an SQLite store, and what stands beside it while the key is being rotated.

``state.key`` holds the present key. During a rotation ``state.key.old`` holds the one before, and for a moment
``state.key.new`` the one to come. Afterwards the old one is kept under its id, such as ``state.key.1a2b3c4d``: back-ups
that were made with it open with nothing else.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from ..errors import StateError
from .keyring import KEY_BYTES, EncryptionKeys, key_id, read_key_file, read_or_create_key_file
from .private_files import create_whole, keep_names

_Signature = tuple[int, int, int]


class KeyFile:
    """The key file of one store, as the processes see it that use the store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._told: _Signature | None = None  # the file as it was when its keys were told last

    def read(self) -> EncryptionKeys:
        """Return the keys, making the file where it is missing or empty. Raises StateError."""
        self._told = self._signature()
        return self._read()

    def _read(self) -> EncryptionKeys:
        present = read_or_create_key_file(self.path)
        old = read_key_file(self._old) if self._old.exists() else None
        return EncryptionKeys(present, old if old != present else None)

    def renew(self) -> EncryptionKeys | None:
        """Return the keys where another process has rotated them since they were read; None where they are as before.

        So a sync that is at work goes on under the new key, and leaves nothing behind under the old one.
        """
        signature = self._signature()
        if signature == self._told or signature is None:
            return None
        return self.read()

    def rotate(self) -> EncryptionKeys:
        """Put a new key in the place of the present one, which is kept beside it, and return both.

        Killed anywhere and called again it goes on: a new key is made only where no rotation is under way.
        """
        keys = self._read()
        if keys.old is not None:
            return keys

        if not self._old.exists():
            self._new.unlink(missing_ok=True)  # nobody has ever used it
        if not self._new.exists():
            create_whole(self._new, _encoded(os.urandom(KEY_BYTES)))
        if not self._old.exists():
            create_whole(self._old, _encoded(keys.present))
        self._new.replace(self.path)
        keep_names(self.path.parent)
        return self._read()

    def finish(self) -> Path | None:
        """Put the old key aside under its id and return where; None where there is none."""
        if not self._old.exists():
            return None
        aside = self._aside(key_id(read_key_file(self._old)))
        self._old.replace(aside)
        keep_names(self.path.parent)
        return aside

    def find(self, wanted: str) -> bytes | None:
        """Return the key with that id, among the present one and those that were put aside; None where it is none."""
        for path in (self.path, self._old, self._aside(wanted)):
            if path.exists() and path.stat().st_size and key_id(key := read_key_file(path)) == wanted:
                return key
        return None

    def take_back(self, key: bytes) -> None:
        """Put a key that was put aside beside the present one again, as the one that a rotation leaves behind."""
        keys = self._read()
        if key not in keys:
            create_whole(self._old, _encoded(key))

    @property
    def _old(self) -> Path:
        return self.path.with_name(f"{self.path.name}.old")

    @property
    def _new(self) -> Path:
        return self.path.with_name(f"{self.path.name}.new")

    def _aside(self, its_id: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{its_id}")

    def _signature(self) -> _Signature | None:
        try:
            status = os.stat(self.path)  # noqa: PTH116 - before each sealing; the path's own method takes twice as long
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                return None
            raise StateError(f"The key file {self.path} cannot be read: {error.strerror}.", "Check it.") from error
        return status.st_ino, status.st_mtime_ns, status.st_size


def _encoded(key: bytes) -> bytes:
    return base64.b64encode(key) + b"\n"
