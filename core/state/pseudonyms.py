"""Pseudonyms of numbers: stable within a state store, and made under its key, so that nobody can try numbers out."""

from __future__ import annotations

from functools import lru_cache

from ..numbers import read_number
from .keyring import Keyring

_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_LENGTH = 20  # letters of four bits each: a million numbers share none by chance


class Pseudonyms:
    """Gives each number the same pseudonym in every list and for every CRM, and after the encryption key was rotated.

    It says the country and the kind of line that the numbering plan knows, as in ``US-mobile-okdjhclm...``. What
    follows is letters alone, so that no spreadsheet and no reader takes it for a number.
    """

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self.of = lru_cache(maxsize=16_384)(self._make)

    def _make(self, e164: str) -> str:
        """Return the pseudonym of a number in E.164."""
        number = read_number(e164, None)
        keyed = self._keyring.authenticator("pseudonym")
        keyed.update(e164.encode())
        return f"{number.region or 'unknown'}-{number.line_type}-{keyed.hexdigest()[:_LENGTH].translate(_LETTERS)}"
