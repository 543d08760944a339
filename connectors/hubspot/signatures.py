"""Whether a request really comes from HubSpot: its signatures v3 and v2, and why one does not count.

HubSpot signs what it sends with the client secret of the app (request validation in HubSpot's documentation):

    v3    X-HubSpot-Signature-v3 = base64(HMAC-SHA-256(secret, method + URI + body + timestamp)), the timestamp in
          milliseconds in X-HubSpot-Request-Timestamp; twelve escapes of the URI are decoded first
    v2    X-HubSpot-Signature = hex(SHA-256(secret + method + URI + body)), X-HubSpot-Signature-Version: v2

v1 covers neither method nor URI and is refused. The URI is the one that HubSpot called, and so the configured public
address and the path as it came: what a proxy says about it could be anybody's words.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

LATEST_HEADER = "X-HubSpot-Signature-v3"
TIMESTAMP_HEADER = "X-HubSpot-Request-Timestamp"
HEADER = "X-HubSpot-Signature"
VERSION_HEADER = "X-HubSpot-Signature-Version"

HOLDS = timedelta(minutes=5)
"""For how long a signature with a timestamp counts, before and after it."""

_DECODED = {
    "%3A": ":",
    "%2F": "/",
    "%3F": "?",
    "%40": "@",
    "%21": "!",
    "%24": "$",
    "%27": "'",
    "%28": "(",
    "%29": ")",
    "%2A": "*",
    "%2C": ",",
    "%3B": ";",
}
_ESCAPE = re.compile("|".join(_DECODED), re.IGNORECASE)
_MILLISECONDS = re.compile(r"\d{1,14}", re.ASCII)  # until the year 5138, which no clock says


class Finding(StrEnum):
    """What a request's signature turned out to be; only v3 and v2 make it HubSpot's."""

    V3 = "v3"
    V2 = "v2"
    MISSING = "missing"
    REFUSED_VERSION = "refused_version"  # v1, or one that nobody has documented
    STALE = "stale"  # more than five minutes away, or without a readable time
    WRONG = "wrong"
    NO_SECRET = "no_secret"  # noqa: S105 - a word for a secret that is not set

    @property
    def is_genuine(self) -> bool:
        """Return whether the request is HubSpot's."""
        return self in (Finding.V3, Finding.V2)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What a signature is made over. ``uri`` is the whole address that was called, ``body`` the bytes as they came."""

    method: str
    uri: str
    body: bytes


def called_uri(public_url: str, raw_path: str, raw_query: str) -> str:
    """Return the address that HubSpot called: the configured public one, and path and query undecoded."""
    return f"{public_url.rstrip('/')}{raw_path}{'?' if raw_query else ''}{raw_query}"


def judge(request: SignedRequest, headers: Mapping[str, str], secrets: Iterable[str], now: datetime) -> Finding:
    """Return what the signature of a request is, by any of the client secrets, in the same time whichever it is.

    A signature v3 that is there decides alone: a wrong one is not made good by one of an older version. ``headers``
    match in any case; ``now`` is aware.
    """
    keys = [secret.encode() for secret in secrets if secret]
    latest, older = headers.get(LATEST_HEADER), headers.get(HEADER)
    if latest is None and older is None:
        return Finding.MISSING
    if not keys:
        return Finding.NO_SECRET
    if latest is not None:
        return _judge_v3(request, latest, headers.get(TIMESTAMP_HEADER, ""), keys, now)
    return _judge_v2(request, older or "", headers.get(VERSION_HEADER, ""), keys)


def _judge_v3(request: SignedRequest, given: str, timestamp: str, keys: list[bytes], now: datetime) -> Finding:
    if not _MILLISECONDS.fullmatch(timestamp) or abs(now - _moment(timestamp)) > HOLDS:
        return Finding.STALE
    return Finding.V3 if _any_equal(given, (sign_v3(request, timestamp, key) for key in keys)) else Finding.WRONG


def _judge_v2(request: SignedRequest, given: str, version: str, keys: list[bytes]) -> Finding:
    # Without a version it is judged as v2 too: one of v1 is made over less, and never the same.
    if version.strip().lower() not in ("", "v2"):
        return Finding.REFUSED_VERSION
    return Finding.V2 if _any_equal(given, (sign_v2(request, key) for key in keys)) else Finding.WRONG


def sign_v3(request: SignedRequest, timestamp: str, key: bytes) -> str:
    """Return the signature v3 of a request at a time in milliseconds."""
    uri = _ESCAPE.sub(lambda escape: _DECODED[escape[0].upper()], request.uri)
    source = request.method.encode() + uri.encode() + request.body + timestamp.encode()
    return b64encode(hmac.new(key, source, hashlib.sha256).digest()).decode()


def sign_v2(request: SignedRequest, key: bytes) -> str:
    """Return the signature v2 of a request."""
    return hashlib.sha256(key + request.method.encode() + request.uri.encode() + request.body).hexdigest()


def _moment(milliseconds: str) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(milliseconds))


def _any_equal(given: str, expected: Iterable[str]) -> bool:
    """Return whether a signature is one of those expected; every one is compared, each in constant time."""
    found = False
    for each in expected:
        found |= hmac.compare_digest(given.encode(), each.encode())
    return found
