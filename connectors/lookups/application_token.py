"""Short-lived tokens that an application signs with its private key, as Vonage takes them (RS256)."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import requests
from requests.auth import AuthBase

from ringfence.core.errors import SettingsError
from ringfence.core.ports.services import Clock

LIVES = timedelta(minutes=15)
_RENEWED_BEFORE_END = timedelta(minutes=3)


class ApplicationToken(AuthBase):
    """Puts a token into each request, and a new one before it runs out. Safe with threads.

    Raises SettingsError where the file holds no private key; ``variable`` names its setting.
    """

    def __init__(self, application_id: str, key_file: Path, variable: str, clock: Clock) -> None:
        self._application_id = application_id
        self._key = _read_key(key_file, variable)
        self._variable = variable
        self._clock = clock
        self._lock = threading.Lock()
        self._token = ""
        self._ends: datetime | None = None
        self._renew()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request with the token in its header."""
        with self._lock:
            if self._ends is None or self._clock.now() >= self._ends - _RENEWED_BEFORE_END:
                self._renew()
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _renew(self) -> None:
        now = self._clock.now()
        self._ends = now + LIVES
        claims: Mapping[str, Any] = {
            "application_id": self._application_id,
            "iat": int(now.timestamp()),
            "exp": int(self._ends.timestamp()),
            "jti": str(uuid.uuid4()),
        }
        try:
            self._token = jwt.encode(dict(claims), self._key, algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError):  # its text may quote the key
            raise SettingsError(
                f"{self._variable} holds no RSA private key.", "Name the PEM file that was made with the application."
            ) from None


def _read_key(file: Path, variable: str) -> str:
    try:
        return file.expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{variable}: {file} cannot be read.", "Check its path and its rights.") from None
