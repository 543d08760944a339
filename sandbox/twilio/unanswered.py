"""What the data packages hold that no account here can have (Twilio's example bodies, April 2026): the keys alone."""

from __future__ import annotations

_SIM = ("last_sim_swap", "carrier_name", "mobile_country_code", "mobile_network_code")
_PERSON = ("first_name", "last_name", "national_id", "date_of_birth")
_ADDRESS = ("address_lines", "city", "state", "postal_code", "address_country")
_PUMPING = ("carrier_risk_category", "number_blocked", "number_blocked_date", "number_blocked_last_3_months")
_RISKS = ("carrier_risk", "disposable_phone_risk", "velocity_risk", "quality")

UNANSWERED = {
    "caller_name": ("caller_name", "caller_type"),
    "sim_swap": _SIM,
    "call_forwarding": ("call_forwarding_enabled",),
    "identity_match": (*(f"{name}_match" for name in (*_PERSON, *_ADDRESS)), "summary_score", "error_message"),
    "sms_pumping_risk": (*_PUMPING, "sms_pumping_risk_score"),
    "phone_number_quality_score": tuple(f"{name}_{kind}" for name in _RISKS for kind in ("score", "category")),
    "pre_fill": ("first_name", "last_name", "address_line", "country_code", "state", "postal_code"),
}
"""Package -> the keys that stay null beside its error."""
