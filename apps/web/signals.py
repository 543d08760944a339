"""``/signals``: what messaging providers, carriers and diallers tell, let in where they have signed it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, SecretStr

from ringfence.connectors.signals import generic, telnyx, twilio, vonage
from ringfence.connectors.signals.received import FORM, Finding, Received
from ringfence.core.model.blocks import Channel
from ringfence.core.model.signals import Outcome, Signal
from ringfence.core.suppression.signals import Became

from .bodies import read_body, read_json
from .metrics import count
from .problems import ProblemError
from .service import Served, Service

router = APIRouter(prefix="/signals", tags=["signals"])

_NO_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""What Twilio reads as: answer nothing to whoever wrote."""

_WHY = {
    Finding.MISSING: "it has no signature",
    Finding.STALE: "its time is missing or too far away",
    Finding.WRONG: "its signature is wrong; the public URL or the key may be another one",
    Finding.NO_KEY: "nothing is set by which it could be verified",
}

_FIELDS = {"type": "object", "additionalProperties": {"type": "string"}}
_OBJECT = {"type": "object"}
_EVENT = {
    "type": "object",
    "required": ["id", "number", "event", "occurred_at"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 200, "description": "Told again, it does nothing"},
        "number": {"type": "string", "minLength": 1, "maxLength": 80},
        "event": {"type": "string", "enum": [each.value for each in Outcome]},
        "occurred_at": {"type": "string", "format": "date-time", "description": "With its zone"},
        "channel": {"type": "string", "enum": [each.value for each in Channel]},
        "region": {"type": "string", "description": "The country of a national number: ISO 3166, or its name"},
        "record": {"type": "string", "description": "CRM:OBJECT:ID, where the event is about a record"},
    },
}


def _body_of(**schemas: Any) -> dict[str, Any]:
    """Return what describes a body that is one of these kinds, form or json."""
    content = {_MEDIA_TYPES[kind]: {"schema": schema} for kind, schema in schemas.items()}
    return {"requestBody": {"required": True, "content": content}}


_MEDIA_TYPES = {"form": FORM, "json": "application/json"}
_TWILIO = _body_of(form=_FIELDS)
_VONAGE = _body_of(json=_OBJECT, form=_FIELDS)
_DIALLER = _body_of(json=_EVENT)

Body = Annotated[bytes, Depends(read_body)]

logger = logging.getLogger(__name__)


class _Xml(Response):
    media_type = "text/xml"


class SignalAnswer(BaseModel):
    """What became of a signal."""

    result: Became = Field(description="What became of it; known: it was heard before, and does nothing.")


@router.post(
    "/twilio/inbound",
    summary="A message that somebody sent to a number of Twilio's",
    response_class=_Xml,
    openapi_extra=_TWILIO,
)
def twilio_inbound(request: Request, service: Served, body: Body) -> Response:
    """Take in a message; Twilio is told to answer nothing."""
    received = _receive(request, service, body)
    _verify("twilio", twilio.verify(received, _twilio_keys(service)))
    _take_in(service, "twilio", twilio.read_inbound(received))
    return _Xml(_NO_REPLY)


@router.post(
    "/twilio/status", summary="What became of a message that Twilio sent", status_code=204, openapi_extra=_TWILIO
)
def twilio_status(request: Request, service: Served, body: Body) -> Response:
    """Take in a delivery report."""
    received = _receive(request, service, body)
    _verify("twilio", twilio.verify(received, _twilio_keys(service)))
    _take_in(service, "twilio", twilio.read_status(received))
    return Response(status_code=204)


@router.post("/vonage/inbound", summary="A message that somebody sent to a number of Vonage's", openapi_extra=_VONAGE)
def vonage_inbound(request: Request, service: Served, body: Body) -> dict[str, str]:
    """Take in a message, of the Messages API or of the SMS API."""
    return _vonage(request, service, body, vonage.read_inbound)


@router.post("/vonage/status", summary="What became of a message that Vonage sent", openapi_extra=_VONAGE)
def vonage_status(request: Request, service: Served, body: Body) -> dict[str, str]:
    """Take in a delivery report, of the Messages API or of the SMS API."""
    return _vonage(request, service, body, vonage.read_status)


@router.post("/telnyx", summary="An event of Telnyx: a message or a call", openapi_extra=_body_of(json=_OBJECT))
def telnyx_event(request: Request, service: Served, body: Body) -> dict[str, str]:
    """Take in an event."""
    received = _receive(request, service, body)
    _verify("telnyx", telnyx.verify(received, filter(None, [service.wiring.settings.telnyx.public_key])))
    _take_in(service, "telnyx", telnyx.read(received))
    return {}


@router.post(
    "/generic", summary="What became of a call, told by a dialler of one's own", openapi_extra=_body_of(json=_EVENT)
)
def generic_signal(request: Request, service: Served, body: Body) -> SignalAnswer:
    """Take in one event, signed as X-Ringfence-Signature says. Its id makes repeats harmless."""
    received = _receive(request, service, body)
    _verify("generic", generic.verify(received, _reveal([service.wiring.settings.signals.secret])))
    signals = generic.read(read_json(body), received.now)
    (became,) = _take_in(service, "generic", signals, strict=True)
    return SignalAnswer(result=became)


def _vonage(
    request: Request, service: Service, body: bytes, read: Callable[[Received], list[Signal]]
) -> dict[str, str]:
    received = _receive(request, service, body)
    _verify("vonage", vonage.verify(received, _reveal([service.wiring.settings.vonage.signature_secret])))
    _take_in(service, "vonage", read(received))
    return {}


def _receive(request: Request, service: Service, body: bytes) -> Received:
    """Return the request with the address that the vendor called: the public one, and path and query as they came."""
    path = (request.scope.get("raw_path") or request.url.path.encode()).decode("latin-1")
    query = request.scope["query_string"].decode("latin-1")
    url = f"{service.public_url}{path}{'?' if query else ''}{query}"
    return Received(url, request.headers, body, service.clock.now())


def _verify(vendor: str, finding: Finding) -> None:
    """Count a request by its signature. Raises ProblemError (401) where it does not count; nothing is done then."""
    if finding is Finding.GENUINE:
        return
    count("signals", vendor=vendor, result=finding.value)
    logger.warning("A signal that should be from %s is refused: %s.", vendor, _WHY[finding])
    raise ProblemError(401, "The signature of this signal is missing or does not count.", code="signature")


def _take_in(service: Service, vendor: str, signals: Sequence[Signal], *, strict: bool = False) -> list[Became]:
    became = service.signals.take_in(signals, strict=strict)
    for each in became:
        count("signals", vendor=vendor, result=each.value)
    if not became:
        count("signals", vendor=vendor, result="nothing")
    return became


def _twilio_keys(service: Service) -> list[str]:
    settings: Any = service.wiring.settings.connectors["twilio"]
    # An API key's secret signs nothing: then the account's own token is set beside it.
    return _reveal([settings.webhook_token or settings.auth_token])


def _reveal(secrets: Iterable[SecretStr | None]) -> list[str]:
    return [each.get_secret_value() for each in secrets if each is not None]
