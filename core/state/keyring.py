"""Encryption of what is at rest, and the keyed hash by which numbers are looked up."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import os
import time
import zlib
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import ErrorCode, SettingsError, StateError
from .private_files import create_whole, warn_if_open_to_others

KEY_BYTES = 32
_NONCE_BYTES = 12
_UNBOUND, _BOUND, _NAMED = b"\x01", b"\x02", b"\x03"
"""How a payload begins: in the first versions of ringfence, which bound it to no place; bound to one; and today, when
the id of its key follows."""

_ID_BYTES = 4
_KEYS_KEPT = 16_384

FOLLOWED_WITHIN_S = 0.2
"""How long after a change of the keys, in seconds, a process may still seal under the one before."""


class EncryptionKeys(NamedTuple):
    """The key that seals, and the one that a rotation is leaving behind: what is still sealed under it can be read."""

    present: bytes
    old: bytes | None = None


class Keyring:
    """Encrypts payloads with AES-256-GCM, and hashes numbers with HMAC-SHA-256 under a key of its own.

    The hash key is separate so that the encryption key can be rotated without hashing every number again. ``name`` is
    what tells the keyring of one store from that of another, and no secret. ``renew`` tells the encryption keys anew
    where they have changed since it was asked last, and is None where that cannot be; it is asked now and then.
    """

    def __init__(
        self,
        encryption_key: bytes,
        hash_key: bytes,
        old_key: bytes | None = None,
        renew: Callable[[], EncryptionKeys | None] | None = None,
    ) -> None:
        self._take(EncryptionKeys(encryption_key, old_key))
        self._renew = renew
        self._asked = 0.0
        self._hash = hmac.new(hash_key, digestmod="sha256")
        self._inner, self._outer = _halves(hash_key)
        self.name = self.authenticator("name").hexdigest()[:16]
        # A number is looked for several times on its way through a batch.
        self.number_key = lru_cache(maxsize=_KEYS_KEPT)(self._number_key)

    @property
    def mark(self) -> bytes:
        """Return how every payload begins that is sealed under the present key."""
        return self._present[0]

    @property
    def key_id(self) -> str:
        """Return the id of the present encryption key: no secret."""
        return self.mark[1:].hex()

    def seal(self, content: Any, about: bytes = b"") -> bytes:
        """Return the content, compressed and encrypted. It is made of JSON values and datetimes.

        ``about`` says what the payload belongs to: whoever puts it into another place cannot have it opened there. A
        datetime comes out as a list of its ISO text.
        """
        return self._seal(zlib.compress(_ENCODER.encode(content).encode(), 1), about)

    def open(self, sealed: bytes, about: bytes = b"", before: bytes | None = None) -> Any:
        """Return the content that :meth:`seal` was given, also that of an earlier version, which knew no ``about``.

        ``before`` is what a payload was bound to before it named its key, where that is not ``about``. Raises
        StateError when the key does not fit, or the payload belongs to something else.
        """
        return json.loads(zlib.decompress(self._open(sealed, about, about if before is None else before)))

    def reseal(self, sealed: bytes, about: bytes, before: bytes | None = None) -> bytes:
        """Return a payload sealed under the present key instead of another one. Raises StateError as :meth:`open`."""
        return self._seal(self._open(sealed, about, about if before is None else before), about)

    def _seal(self, plain: bytes, about: bytes) -> bytes:
        self._follow()
        mark, cipher = self._present
        nonce = os.urandom(_NONCE_BYTES)
        return mark + nonce + cipher.encrypt(nonce, plain, mark + about)

    def _open(self, sealed: bytes, about: bytes, before: bytes) -> bytes:
        form = sealed[:1]
        if form == _NAMED:
            mark, rest = sealed[: 1 + _ID_BYTES], sealed[1 + _ID_BYTES :]
            return _decrypt(self._find(mark), rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], mark + about)
        if form not in (_BOUND, _UNBOUND):
            raise StateError("The state store holds a payload of an unknown format.", "Use the version that wrote it.")

        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        *first, last = self._ciphers.values()
        for cipher in first:
            with contextlib.suppress(StateError):
                return _decrypt(cipher, nonce, body, form + before if form == _BOUND else None)
        return _decrypt(last, nonce, body, form + before if form == _BOUND else None)

    def _find(self, mark: bytes) -> AESGCM:
        """Return what opens payloads that begin so. Raises StateError where none of the keys is theirs."""
        if mark not in self._ciphers:
            self.keep_up()
        if mark not in self._ciphers:
            raise StateError(
                f"The state store holds what was encrypted with another key, {mark[1:].hex()}, which is not here.",
                code=ErrorCode.ENCRYPTION_KEY_LEFT_OUT,
            )
        return self._ciphers[mark]

    def keep_up(self) -> None:
        """Take the keys anew where they have changed."""
        if self._renew is not None and (keys := self._renew()):
            self._take(keys)

    def _follow(self) -> None:
        """Ask for new keys, but not each time: a look at a file costs as much as half of a sealing."""
        if self._renew is None or (now := time.monotonic()) - self._asked < FOLLOWED_WITHIN_S:
            return
        self._asked = now
        self.keep_up()

    def _take(self, keys: EncryptionKeys) -> None:
        ciphers = {_mark(key): AESGCM(key) for key in keys if key is not None}
        self._present = (_mark(keys.present), ciphers[_mark(keys.present)])
        self._ciphers = ciphers

    def authenticator(self, purpose: str) -> hmac.HMAC:
        """Return an HMAC-SHA-256 to be fed, under a key for this purpose alone that only this store can make."""
        derived = self._hash.copy()
        derived.update(f"purpose:{purpose}".encode())
        return hmac.new(derived.digest(), digestmod="sha256")

    def number_keys(self, numbers: Iterable[bytes]) -> list[bytes]:
        """Return the keys of many E.164 numbers in ASCII: the same as :meth:`number_key`, in half the time.

        That of millions, as a register has them; none of them is remembered.
        """
        inner, outer = self._inner.copy, self._outer.copy
        keys = []
        for number in numbers:
            first = inner()
            first.update(number)
            second = outer()
            second.update(first.digest())
            keys.append(second.digest()[:16])
        return keys

    def _number_key(self, e164: str) -> bytes:
        """Return the 16-byte key under which an E.164 number is kept."""
        # hmac.digest() lets another thread run each time, which costs more than the hash.
        keyed = self._hash.copy()
        keyed.update(e164.encode())
        return keyed.digest()[:16]


def key_id(encryption_key: bytes) -> str:
    """Return the id of an encryption key, by which payloads name it; nobody can tell the key from it."""
    return hashlib.sha256(b"ringfence encryption key" + encryption_key).hexdigest()[: 2 * _ID_BYTES]


def wrap_key(encryption_key: bytes, hash_key: bytes) -> bytes:
    """Return the hash key encrypted for the state store."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(encryption_key).encrypt(nonce, hash_key, b"hash-key")


def unwrap_key(encryption_key: bytes, wrapped: bytes) -> bytes:
    """Return the hash key. Raises StateError when the encryption key is not the one that wrapped it."""
    nonce, body = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
    return _decrypt(AESGCM(encryption_key), nonce, body, b"hash-key")


def unwrap_by_either(keys: EncryptionKeys, wrapped: bytes) -> bytes:
    """Return the hash key, whichever of the keys has wrapped it. Raises StateError where it is neither."""
    if keys.old is not None:
        with contextlib.suppress(StateError):
            return unwrap_key(keys.old, wrapped)
    return unwrap_key(keys.present, wrapped)


def parse_key(encoded: str) -> bytes:
    """Return the encryption key from its base64 form. Raises SettingsError when it is not base64 of 32 bytes."""
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError("The encryption key is not base64 of 32 bytes.", code=ErrorCode.ENCRYPTION_KEY_MALFORMED)
    return key


def read_or_create_key_file(path: Path) -> bytes:
    """Return the key in the file, creating the file for its owner alone when it is missing or empty.

    An empty one is what a crash can leave of a file that was being made. A store that was sealed with what stood in it
    must not get here. Raises StateError.
    """
    with contextlib.suppress(OSError):
        if not path.stat().st_size:
            path.unlink()

    key = os.urandom(KEY_BYTES)
    try:
        create_whole(path, base64.b64encode(key) + b"\n")
    except FileExistsError:
        return read_key_file(path)
    except OSError as error:
        raise StateError(f"The key file {path} cannot be created: {error.strerror}.", "Check the folder.") from error
    return key


def read_key_file(path: Path) -> bytes:
    """Return the key in a file. Raises StateError where it cannot be read, or holds none."""
    warn_if_open_to_others(path, "the key file of the state store")
    try:
        return parse_key(path.read_text(encoding="ascii"))
    except (SettingsError, UnicodeDecodeError) as error:
        raise StateError(f"The key file {path} is damaged.", "Restore it from a backup.") from error
    except OSError as error:
        raise StateError(f"The key file {path} cannot be read: {error.strerror}.", "Check its rights.") from error


def _halves(key: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """Return the two hashes of which HMAC-SHA-256 consists (RFC 2104), each begun with its form of the key."""
    block = hashlib.sha256().block_size
    padded = (key if len(key) <= block else hashlib.sha256(key).digest()).ljust(block, b"\0")
    return hashlib.sha256(bytes(each ^ 0x36 for each in padded)), hashlib.sha256(bytes(each ^ 0x5C for each in padded))


@lru_cache(maxsize=256)  # the moments in a batch are mostly the same few
def _moment(value: object) -> list[str]:
    if isinstance(value, datetime):
        return [value.isoformat()]
    raise TypeError(f"{type(value).__name__} is no JSON value")


# No content refers to itself; checking that takes up to a third of the time of every batch.
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=_moment, check_circular=False)


def _mark(key: bytes) -> bytes:
    return _NAMED + bytes.fromhex(key_id(key))


def _decrypt(cipher: AESGCM, nonce: bytes, body: bytes, about: bytes | None = None) -> bytes:
    try:
        return cipher.decrypt(nonce, body, about)
    except (InvalidTag, ValueError) as error:  # ValueError: cut off within the nonce
        raise StateError(
            "The state store was encrypted with another key, or is damaged.", code=ErrorCode.ENCRYPTION_KEY_MISMATCH
        ) from error
