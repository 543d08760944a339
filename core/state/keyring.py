"""Encryption of what is at rest, and the keyed hash by which numbers are looked up."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import json
import os
import zlib
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import ErrorCode, SettingsError, StateError
from .private_files import create_whole, warn_if_open_to_others

KEY_BYTES = 32
_NONCE_BYTES = 12
_UNBOUND, _BOUND = b"\x01", b"\x02"
"""How a payload begins: in the first versions of ringfence, which bound it to no place, and today."""

_KEYS_KEPT = 16_384


class Keyring:
    """Encrypts payloads with AES-256-GCM, and hashes numbers with HMAC-SHA-256 under a key of its own.

    The hash key is separate so that the encryption key can be rotated without hashing every number again. ``name`` is
    what tells the keyring of one store from that of another, and no secret.
    """

    def __init__(self, encryption_key: bytes, hash_key: bytes) -> None:
        self._cipher = AESGCM(encryption_key)
        self._hash = hmac.new(hash_key, digestmod="sha256")
        self.name = self.authenticator("name").hexdigest()[:16]
        # A number is looked for several times on its way through a batch.
        self.number_key = lru_cache(maxsize=_KEYS_KEPT)(self._number_key)

    def seal(self, content: Any, about: bytes = b"") -> bytes:
        """Return the content, compressed and encrypted. It is made of JSON values and datetimes.

        ``about`` says what the payload belongs to: whoever puts it into another place cannot have it opened there. A
        datetime comes out as a list of its ISO text.
        """
        # No content refers to itself; checking that takes up to a third of the time of every batch.
        text = json.dumps(content, separators=(",", ":"), default=_moment, check_circular=False)
        plain = zlib.compress(text.encode(), 1)
        nonce = os.urandom(_NONCE_BYTES)
        return _BOUND + nonce + self._cipher.encrypt(nonce, plain, _BOUND + about)

    def open(self, sealed: bytes, about: bytes = b"") -> Any:
        """Return the content that :meth:`seal` was given, also that of an earlier version, which knew no ``about``.

        Raises StateError when the key does not fit, or the payload belongs to something else.
        """
        form, nonce, body = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if form not in (_BOUND, _UNBOUND):
            raise StateError("The state store holds a payload of an unknown format.", "Use the version that wrote it.")

        return json.loads(
            zlib.decompress(_decrypt(self._cipher, nonce, body, form + about if form == _BOUND else None))
        )

    def authenticator(self, purpose: str) -> hmac.HMAC:
        """Return an HMAC-SHA-256 to be fed, under a key for this purpose alone that only this store can make."""
        derived = self._hash.copy()
        derived.update(f"purpose:{purpose}".encode())
        return hmac.new(derived.digest(), digestmod="sha256")

    def _number_key(self, e164: str) -> bytes:
        """Return the 16-byte key under which an E.164 number is kept."""
        # hmac.digest() lets another thread run each time, which costs more than the hash.
        keyed = self._hash.copy()
        keyed.update(e164.encode())
        return keyed.digest()[:16]


def wrap_key(encryption_key: bytes, hash_key: bytes) -> bytes:
    """Return the hash key encrypted for the state store."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(encryption_key).encrypt(nonce, hash_key, b"hash-key")


def unwrap_key(encryption_key: bytes, wrapped: bytes) -> bytes:
    """Return the hash key. Raises StateError when the encryption key is not the one that wrapped it."""
    nonce, body = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
    return _decrypt(AESGCM(encryption_key), nonce, body, b"hash-key")


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
        return _read_key_file(path)
    except OSError as error:
        raise StateError(f"The key file {path} cannot be created: {error.strerror}.", "Check the folder.") from error
    return key


def _read_key_file(path: Path) -> bytes:
    warn_if_open_to_others(path, "the key file of the state store")
    try:
        return parse_key(path.read_text(encoding="ascii"))
    except (SettingsError, UnicodeDecodeError) as error:
        raise StateError(f"The key file {path} is damaged.", "Restore it from a backup.") from error
    except OSError as error:
        raise StateError(f"The key file {path} cannot be read: {error.strerror}.", "Check its rights.") from error


@lru_cache(maxsize=256)  # the moments in a batch are mostly the same few
def _moment(value: object) -> list[str]:
    if isinstance(value, datetime):
        return [value.isoformat()]
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _decrypt(cipher: AESGCM, nonce: bytes, body: bytes, about: bytes | None = None) -> bytes:
    try:
        return cipher.decrypt(nonce, body, about)
    except (InvalidTag, ValueError) as error:  # ValueError: cut off within the nonce
        raise StateError(
            "The state store was encrypted with another key, or is damaged.", code=ErrorCode.ENCRYPTION_KEY_MISMATCH
        ) from error
