"""How HubSpot signs what it sends: the newer signature beside the older one, as it does for workflow actions."""

from __future__ import annotations

import base64
import hashlib
import hmac

_PLAIN = {f"%{ord(sign):02X}": sign for sign in ":/?@!$'()*,;"}


def sign(secret: str, method: str, uri: str, body: bytes, at_ms: int) -> dict[str, str]:
    """Return the headers of a request that is sent at a time in epoch milliseconds."""
    plain = uri
    for code, meant in _PLAIN.items():
        plain = plain.replace(code, meant)
    newer = hmac.new(secret.encode(), f"{method}{plain}".encode() + body + str(at_ms).encode(), hashlib.sha256)
    older = hashlib.sha256(f"{secret}{method}{uri}".encode() + body)
    return {
        "X-HubSpot-Signature-v3": base64.b64encode(newer.digest()).decode(),
        "X-HubSpot-Request-Timestamp": str(at_ms),
        "X-HubSpot-Signature": older.hexdigest(),
        "X-HubSpot-Signature-Version": "v2",
    }
