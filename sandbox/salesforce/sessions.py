"""Sessions of the API user and the credentials of the connected app."""

from __future__ import annotations

from random import Random

_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"


class Sessions:
    """Tokens that are valid now, the app's key and secret, and the public keys that may sign JWT assertions."""

    def __init__(self, random: Random, org_id: str) -> None:
        self._random = random
        self._org_id = org_id
        self._valid: set[str] = set()
        self.client_id = "3MVG9" + self._word(80)
        self.client_secret = self._word(64)
        self.public_keys: list[str] = []
        self.latest = self.issue()

    def issue(self) -> str:
        """Open a session and return its access token."""
        self.latest = f"{self._org_id[:15]}!{self._word(96)}"
        self._valid.add(self.latest)
        return self.latest

    def knows(self, token: str) -> bool:
        """Tell whether a token opens a session that has not expired."""
        return token in self._valid

    def expire(self) -> None:
        """End all sessions."""
        self._valid.clear()

    def register(self, pem: bytes | str) -> None:
        """Accept JWT assertions signed by the private half of this key."""
        self.public_keys.append(pem.decode("ascii") if isinstance(pem, bytes) else pem)

    def _word(self, length: int) -> str:
        return "".join(self._random.choices(_LETTERS, k=length))
