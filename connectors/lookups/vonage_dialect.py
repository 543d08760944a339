"""What Vonage Identity Insights is asked, and what each of its insights says.

Every insight has a status of its own; their codes come in upper or lower case. Validity is that of the format, whether
a number was ported is inferred from its two carriers, and the state of the line is told where operators allow it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ringfence.core.errors import SettingsError
from ringfence.core.model.axes import Carrier, Evidence, LineState, Outcome, Ported
from ringfence.core.numbers import LineType, Validity
from ringfence.core.ports.lookup import Lookup
from ringfence.core.ports.services import Services

from .application_token import ApplicationToken
from .exchange import Exchange, Reply, Request
from .http_lookup import HttpLookup, threads_for
from .reading import Reading
from .refusals import Refusal, refusal_by_status
from .vonage_settings import NAME, PROFILE, VonageLookupSettings
from .words import Words, as_text, fold

_PATH = "/identity-insights/v1/requests"
PURPOSE = "FraudPreventionAndDetection"
"""The one purpose under which operators answer (Identity Insights, technical details)."""

OUTCOMES = {
    "ok": Outcome.OK,
    "partial_success": Outcome.PARTIAL,
    "invalid_number_format": Outcome.OK,  # that is what it says of the number
    "no_coverage": Outcome.NOT_COVERED,
    "unsupported_network_type": Outcome.NOT_COVERED,
    "not_found": Outcome.PARTIAL,  # nothing for this insight, which is not "no such number"
    "unauthorized": Outcome.NOT_PERMITTED,
    "invalid_purpose": Outcome.NOT_PERMITTED,
    "supplier_error": Outcome.PROVIDER_ERROR,
    "internal_error": Outcome.PROVIDER_ERROR,
}
"""Status of an insight -> what became of it; any other is a fault of the provider's."""

NETWORK_TYPES = {
    "mobile": LineType.MOBILE,
    "landline": LineType.LANDLINE,
    "tollfree": LineType.TOLL_FREE,
    "premium": LineType.PREMIUM,
    "virtual": LineType.VOIP,
}


def connect(settings: VonageLookupSettings, services: Services) -> Lookup:
    """Return the connector; no call is made. Raises SettingsError for a file without a private key."""
    if not settings.application_id or not settings.private_key_file:
        raise SettingsError(
            "The credentials of Vonage Identity Insights are not set.",
            "Set RINGFENCE_VONAGE__APPLICATION_ID and RINGFENCE_VONAGE__PRIVATE_KEY_FILE.",
        )
    key_file, threads = Path(settings.private_key_file), threads_for(settings.pace)
    exchange = Exchange(
        NAME,
        PROFILE.title,
        settings.base_url,
        services,
        account=settings.application_id,
        auth=ApplicationToken(settings.application_id, key_file, "RINGFENCE_VONAGE__PRIVATE_KEY_FILE", services.clock),
        pace=settings.pace,
        connections=threads,
    )
    dialect = VonageDialect(reachability=settings.reachability)
    return HttpLookup(PROFILE, exchange, dialect, services, price=settings.price, threads=threads)


class VonageDialect:
    """See :class:`ringfence.connectors.lookups.http_lookup.Dialect`."""

    def __init__(self, *, reachability: bool) -> None:
        names = ["format", "original_carrier", "current_carrier", *(["reachability"] if reachability else [])]
        self._insights: Mapping[str, Any] = {name: {} for name in names}

    def ask(self, numbers: Sequence[str]) -> Request:
        """Return the request about the one number."""
        body = {"phone_number": numbers[0].lstrip("+"), "purpose": PURPOSE, "insights": self._insights}
        return Request("POST", _PATH, json=body)

    def read(self, numbers: Sequence[str], reply: Reply) -> Mapping[str, Reading] | Refusal | None:
        """Return what the insights say."""
        if reply.status != 200:
            return None if reply.is_html else refusal_by_status(reply)
        insights = reply.mapping.get("insights")
        return {numbers[0]: read_insights(insights)} if isinstance(insights, dict) else None


def read_insights(insights: Mapping[str, Any]) -> Reading:
    """Return what the insights of one number say together; what became of the state of the line is the outcome."""
    words = Words()
    original, original_code = _insight(insights, "original_carrier")
    current, current_code = _insight(insights, "current_carrier")
    reach, reach_code = _insight(insights, "reachability")

    validity = _read_validity(insights)
    has_carriers = original_code == "ok" and current_code == "ok"
    line, evidence = LineState.UNKNOWN, Evidence.ROUTING_DB if current_code == "ok" else Evidence.FORMAT
    if reach_code in ("ok", "partial_success") and isinstance(reach.get("is_reachable"), bool):
        line = LineState.ACTIVE if reach["is_reachable"] else LineState.UNREACHABLE
        validity, evidence = Validity.VALID, Evidence.LIVE_NETWORK

    code = reach_code or _insight(insights, "format")[1]
    network = as_text(current.get("network_code"))
    carrier = Carrier(
        as_text(current.get("name")),
        network[:3],
        network[3:],
        as_text(original.get("name")),
        as_text(original.get("network_code")),
    )
    return Reading(
        OUTCOMES.get(code, Outcome.PROVIDER_ERROR),
        code,
        validity,
        line,
        evidence,
        line_type=words.read(
            "line_type", current.get("network_type") or original.get("network_type"), NETWORK_TYPES, LineType.UNKNOWN
        ),
        carrier=carrier if any(carrier) else None,
        ported=_infer_ported(original, current) if has_carriers else Ported.UNKNOWN,
        product="Identity Insights",
        unrecognised=tuple(words.unrecognised),
    )


def _read_validity(insights: Mapping[str, Any]) -> Validity:
    """Return whether the format is one; the others of its insights say it too where it is not."""
    told, code = _insight(insights, "format")
    every = {_insight(insights, name)[1] for name in insights}
    if told.get("is_format_valid") is False or "invalid_number_format" in every:
        return Validity.INVALID
    return Validity.VALID if code == "ok" and told.get("is_format_valid") is True else Validity.UNKNOWN


def _infer_ported(original: Mapping[str, Any], current: Mapping[str, Any]) -> Ported:
    first, now = (fold(each.get("network_code") or each.get("name")) for each in (original, current))
    if not first or not now:
        return Ported.UNKNOWN
    return Ported.ASSUMED_NO if first == now else Ported.ASSUMED_YES


def _insight(insights: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any], str]:
    """Return an insight and the code of its status, folded; empty where it was not asked for or did not come."""
    insight = insights.get(name)
    if not isinstance(insight, dict):
        return {}, ""
    status = insight.get("status")
    return insight, fold(status.get("code")) if isinstance(status, dict) else ""
