"""Those who send signals, as a test plays them: each signs as its vendor does."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .served import RunningService

TOKEN, SIGNATURE_SECRET, SECRET = "twilio-auth-token", "vonage-signature-secret", "dialler-secret"
TELNYX_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TELNYX_PUBLIC = b64encode(TELNYX_KEY.public_key().public_bytes_raw()).decode()
SETTINGS = {
    "RINGFENCE_TWILIO__WEBHOOK_TOKEN": TOKEN,
    "RINGFENCE_VONAGE__SIGNATURE_SECRET": SIGNATURE_SECRET,
    "RINGFENCE_TELNYX__PUBLIC_KEY": TELNYX_PUBLIC,
    "RINGFENCE_SIGNALS__SECRET": SECRET,
}
"""The keys by which a service knows them."""

FORM = "application/x-www-form-urlencoded"


def tell_twilio(
    served: RunningService, fields: Mapping[str, str], kind: str = "inbound", key: str = TOKEN
) -> requests.Response:
    """Post a form as Twilio does."""
    path = f"/signals/twilio/{kind}"
    signed = served.service.public_url + path + "".join(name + fields[name] for name in sorted(fields))
    signature = b64encode(hmac.new(key.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signature}
    return served.post(path, data=urlencode(fields), headers=headers)


def stop(served: RunningService, number: str, sid: str, text: str = "Stop", key: str = TOKEN) -> requests.Response:
    """Text something to a number of ours, by Twilio."""
    return tell_twilio(served, {"MessageSid": sid, "From": number, "To": "+14155550100", "Body": text}, key=key)


def tell_vonage(
    served: RunningService, document: Any, kind: str = "status", now: datetime | None = None
) -> requests.Response:
    """Post JSON as Vonage's Messages API does."""
    body = json.dumps(document).encode()
    moment = now or served.service.clock.now()
    claims = {"iat": int(moment.timestamp()), "payload_hash": hashlib.sha256(body).hexdigest()}
    parts = [urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in ({"alg": "HS256"}, claims)]
    signature = hmac.new(SIGNATURE_SECRET.encode(), b".".join(parts), hashlib.sha256).digest()
    token = b".".join([*parts, urlsafe_b64encode(signature).rstrip(b"=")]).decode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return served.post(f"/signals/vonage/{kind}", data=body, headers=headers)


def tell_telnyx(served: RunningService, kind: str, payload: Any, now: datetime | None = None) -> requests.Response:
    """Post an event as Telnyx does."""
    moment = now or served.service.clock.now()
    event = {"event_type": kind, "id": "e1", "occurred_at": moment.isoformat(), "payload": payload}
    body, timestamp = json.dumps({"data": event}).encode(), str(int(moment.timestamp()))
    signature = b64encode(TELNYX_KEY.sign(f"{timestamp}|".encode() + body)).decode()
    headers = {"telnyx-signature-ed25519": signature, "telnyx-timestamp": timestamp}
    return served.post("/signals/telnyx", data=body, headers=headers)


def tell_dialler(
    served: RunningService, document: Any, now: datetime | None = None, key: str = SECRET
) -> requests.Response:
    """Post a signal as a dialler of one's own does; bytes go out as they are."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    seconds = str(int((now or served.service.clock.now()).timestamp()))
    signature = hmac.new(key.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"X-Ringfence-Signature": f"t={seconds},v1={signature}"}
    return served.post("/signals/generic", data=body, headers=headers)
