"""What the accounts of the providers hold: credentials, credit, pace, and how often each number was billed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from tempfile import mkdtemp
from threading import RLock
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.responses import Response

from ..clock import SandboxClock
from ..fault_gate import FaultGate
from ..rates import RollingWindow
from .batches import Infobip, Melissa
from .clearoutphone import ClearoutPhone
from .orders import Bandwidth
from .singles import SINGLES
from .traits import LookupsTraits
from .voice import Voice
from .vonage import IdentityInsights, NumberInsight

_KINDS: tuple[type[Voice], ...] = (
    *SINGLES,
    IdentityInsights,
    NumberInsight,
    Infobip,
    Melissa,
    Bandwidth,
    ClearoutPhone,
)

VOICES = tuple(kind.name for kind in _KINDS)
"""The name of every provider in settings."""


class LookupAccounts:
    """One account at each provider, with its credentials.

    `requests` counts what came in by provider, `billed` the numbers that were looked up: (provider, E.164). Tests may
    set `answers` (E.164 -> what is true of it), `credit` (provider -> numbers that it still pays for), `refusing`
    (provider -> why it refuses everything) and `windows[provider].limit`, the calls a second.
    """

    def __init__(self, *, clock: SandboxClock, seed: int, traits: LookupsTraits | None = None) -> None:
        rng = Random(seed)  # noqa: S311 -- made-up credentials for loopback, not a secret
        self.clock = clock
        self.traits = traits or LookupsTraits()
        self.lock = RLock()
        self.voices = {kind.name: kind() for kind in _KINDS}
        self.keys: dict[str, dict[str, str]] = {
            name: {setting: rng.randbytes(12).hex() for setting in voice.credentials}
            for name, voice in self.voices.items()
        }

        self.requests: Counter[str] = Counter()
        self.billed: Counter[tuple[str, str]] = Counter()
        self.answers: dict[str, Mapping[str, Any]] = {}
        self.credit: dict[str, int] = dict(self.traits.credit)
        self.refusing: dict[str, Any] = {}
        self.windows = {name: RollingWindow(self.traits.requests_per_second, 1) for name in VOICES}
        self.faults: FaultGate[Response] | None = None

    @property
    def private_key_file(self) -> Path:
        """The file with the private key of the application at Vonage; the key is made when somebody asks for it."""
        file, self.keys[IdentityInsights.name]["PUBLIC_KEY"] = _make_key()
        return file

    def billed_by(self, provider: str) -> Counter[str]:
        """Return how often each number was billed by one provider."""
        return Counter({number: count for (name, number), count in self.billed.items() if name == provider})


@cache
def _make_key() -> tuple[Path, str]:
    """Return the file of a private key and the public one, the same for all accounts of a process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    file = Path(mkdtemp(prefix="ringfence-sandbox-")) / "vonage.key"
    file.touch(mode=0o600)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file, public.decode()
