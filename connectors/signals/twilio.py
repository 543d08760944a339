"""What Twilio tells: messages that people sent, and what became of ours.

Twilio signs the exact address that it called, followed by each field of the form, name and value, in the order of the
names (Webhooks Security in Twilio's documentation). Of a JSON body the address carries a SHA-256 digest. The key is
the account's auth token, and HMAC-SHA-1 the way; an account with shared keys names another way in a header of its own.
The port may stand in the address or not: Twilio has done both.

The signature covers no time, so that the same request counts for ever: repeats are told by the message's id.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from ringfence.core.errors import UsageError
from ringfence.core.model.blocks import Channel
from ringfence.core.model.signals import OptOutWord, Outcome, Signal

from .codes import codes_of
from .received import Finding, Received, is_equal

VENDOR = "twilio"
HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"

_WAYS: dict[str, Callable[..., Any]] = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}
_PORTS = {"https": 443, "http": 80}
_CALLS = {"busy": Outcome.BUSY, "no-answer": Outcome.NO_ANSWER, "completed": Outcome.CONNECTED}
_NO_SUCH_NUMBER = ("404", "410", "604")
"""SIP's words for a number that does not exist, or no longer does; of other failures nothing is known of the number."""

_OPT_OUT_TYPES = {"STOP": OptOutWord.STOP, "START": OptOutWord.START}


def verify(received: Received, keys: Iterable[str]) -> Finding:
    """Return whether Twilio sent the request, by any of the keys that are set."""
    given = received.headers.get(HEADER.lower())
    used = [key for key in keys if key]
    if given is None:
        return Finding.MISSING
    if not used:
        return Finding.NO_KEY

    way = _WAYS.get(_named_way(received.headers.get(SETTINGS_HEADER.lower(), "")))
    fields = _signed_fields(received)
    if way is None or fields is None:
        return Finding.WRONG
    expected = (sign(url, fields, key, way) for key in used for url in _spellings(received.url))
    return Finding.GENUINE if is_equal(given.strip(), expected) else Finding.WRONG


def sign(url: str, fields: Sequence[tuple[str, str]], key: str, way: Callable[..., Any] = hashlib.sha1) -> str:
    """Return Twilio's signature over an address and the fields of a form; one that comes twice alike counts once."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return b64encode(hmac.new(key.encode(), text.encode(), way).digest()).decode()


def read_inbound(received: Received) -> list[Signal]:
    """Return the message that somebody sent us, with the opt-out that Twilio itself saw in it.

    Raises UsageError where it is no message.
    """
    told = _read(received)
    sid, sender = _need(told, "MessageSid", "SmsSid"), _need(told, "From")
    number = _phone(sender)
    if number is None:
        return []
    # The moment is ours: Twilio tells none of when it was sent.
    return [
        Signal(
            VENDOR,
            f"{sid}:inbound",
            number,
            received.now,
            word=_OPT_OUT_TYPES.get(told.get("OptOutType", "").strip().upper()),
            said=told.get("Body", ""),
            channel=Channel.SMS,
            sender=told.get("MessagingServiceSid") or told.get("To", ""),
        )
    ]


def read_status(received: Received) -> list[Signal]:
    """Return what became of a message or of a call of ours; nothing for a report that is not the last.

    Raises UsageError where it is no report.
    """
    told = _read(received)
    if told.get("CallSid"):
        return _read_call(told, received)
    sid, status = _need(told, "MessageSid", "SmsSid"), _need(told, "MessageStatus", "SmsStatus").lower()
    number, code = _phone(_need(told, "To")), told.get("ErrorCode", "").strip()
    meaning = codes_of(VENDOR).read(status, code)
    if meaning is None or number is None:
        return []
    return [
        Signal(
            VENDOR,
            f"{sid}:{status}",
            number,
            received.now,
            outcome=meaning.outcome,
            word=meaning.word,
            code=code,
            detail=meaning.means,
            channel=Channel.SMS,
            sender=told.get("MessagingServiceSid") or told.get("From", ""),
        )
    ]


def _read_call(told: dict[str, str], received: Received) -> list[Signal]:
    sid, status = told["CallSid"], _need(told, "CallStatus").lower()
    number = _phone(_need(told, "To"))
    outcome, code = _CALLS.get(status), told.get("SipResponseCode", "")
    if status == "completed" and told.get("AnsweredBy", "").startswith("machine"):
        outcome = Outcome.VOICEMAIL
    elif status == "failed" and code in _NO_SUCH_NUMBER:
        outcome = Outcome.OUT_OF_SERVICE
    if number is None or outcome is None or not told.get("Direction", "outbound").startswith("outbound"):
        return []
    ours = told.get("From", "")
    base = Signal(VENDOR, f"{sid}:{status}", number, received.now, channel=Channel.VOICE, sender=ours)
    return [base._replace(outcome=outcome, code=code or status)]


def _signed_fields(received: Received) -> Sequence[tuple[str, str]] | None:
    """Return the fields that the signature covers besides the address; None where the body is not what was signed."""
    digest = parse_qs(urlsplit(received.url).query).get("bodySHA256")
    if digest is not None:
        return [] if is_equal(digest[0].lower(), [hashlib.sha256(received.body).hexdigest()]) else None
    if not received.is_form:
        return None if received.body else []
    try:
        return received.read_form()
    except UsageError:
        return None


def _named_way(header: str) -> str:
    """Return how the request says that it is signed; without a word of it, in the old way."""
    for part in header.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return "HMAC_SHA1"


def _spellings(url: str) -> Iterator[str]:
    """Yield the address as it is, without its port, and with the port that its scheme has."""
    yield url
    parts = urlsplit(url)
    host = parts.netloc
    if parts.port is not None:
        yield urlunsplit(parts._replace(netloc=host.rpartition(":")[0]))
    elif parts.scheme in _PORTS:
        yield urlunsplit(parts._replace(netloc=f"{host}:{_PORTS[parts.scheme]}"))


def _read(received: Received) -> dict[str, str]:
    """Return the fields of a form, or of a JSON body, by name. Raises UsageError where it is neither."""
    if received.is_form:
        return dict(received.read_form())
    try:
        found = json.loads(received.body)
    except (ValueError, RecursionError) as error:
        raise UsageError("The body is neither a form nor JSON.", "Let Twilio send its own requests here.") from error
    if not isinstance(found, dict):
        raise UsageError("The body is no object.", "Let Twilio send its own requests here.")
    return {str(name): value if isinstance(value, str) else str(value) for name, value in found.items() if value}


def _need(told: dict[str, str], *names: str) -> str:
    found = next((told[name] for name in names if told.get(name)), None)
    if found is None:
        raise UsageError(f"{names[0]} is missing.", "Let Twilio send its own requests here.")
    return found


def _phone(address: str) -> str | None:
    """Return the phone number of an address, which WhatsApp and RCS prefix; None for one without, such as a name."""
    number = address.strip().rpartition(":")[2]
    return number if number.startswith("+") else None
