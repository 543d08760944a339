"""The signature that HLR Lookups wants under each request (its API description, authentication)."""

from __future__ import annotations

import hashlib
import hmac

from requests import PreparedRequest
from requests.auth import AuthBase

from ringfence.core.ports.services import Clock


class DigestAuth(AuthBase):
    """Signs what is about to be sent: HMAC-SHA256 of path, time, method and body, so the secret itself never travels.

    ``root`` is the part of the path that all endpoints share and that is not signed. The time is that of sending, in
    whole seconds since 1970, so that a request that had to wait for its turn is still fresh.
    """

    def __init__(self, key: str, secret: str, root: str, clock: Clock) -> None:
        self._key = key
        self._secret = secret.encode()
        self._root = root
        self._clock = clock

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Put the three headers on the request."""
        moment = str(int(self._clock.now().timestamp()))
        path = request.path_url.rpartition(self._root)[2]
        body = request.body or b""
        signed = f"{path}{moment}{request.method}".encode() + (body.encode() if isinstance(body, str) else body)
        request.headers["X-Digest-Key"] = self._key
        request.headers["X-Digest-Timestamp"] = moment
        request.headers["X-Digest-Signature"] = hmac.new(self._secret, signed, hashlib.sha256).hexdigest()
        return request
