"""People as HubSpot contacts: the property values of each."""

from ..dataset import Person
from ..phonebook import country_names
from ..screened import verdicts
from . import instants

SOURCES = {
    "Web": "ORGANIC_SEARCH",
    "Phone Inquiry": "OFFLINE",
    "Partner Referral": "REFERRALS",
    "Purchased List": "OFFLINE",
    "Other": "OTHER_CAMPAIGNS",
}
SLOTS = {"phone": "phone", "mobile": "mobilephone"}


def contact_values(person: Person, *, companions: bool) -> dict[str, str]:
    """Return the properties of a contact; with `companions` also what ringfence wrote, and the opt-out flag."""
    values = {
        "firstname": person.first,
        "lastname": person.last,
        "company": person.company,
        "email": person.email,
        # Two of three portals hold the name, as forms offer it; imports often hold the code.
        "country": person.country if len(person.email) % 3 == 0 else country_names()[person.country],
        "phone": person.phone or "",
        "mobilephone": person.mobile or "",
        "lifecyclestage": "lead" if person.lead else "customer",
        "hs_analytics_source": SOURCES[person.channel],
    }
    return values | _companion_values(person) if companions else values


def _companion_values(person: Person) -> dict[str, str]:
    values = {"rf_do_not_call": "true"} if person.opted_out else {}
    for slot, verdict in verdicts(person).items():
        prefix = f"rf_{SLOTS[slot]}"
        values |= {
            f"{prefix}_status": verdict.status,
            f"{prefix}_reason": verdict.reason,
            f"{prefix}_e164": verdict.e164 or "",
            f"{prefix}_line_type": verdict.line_type,
            f"{prefix}_screened_value": verdict.screened_value,
            f"{prefix}_last_screened": instants.instant(instants.to_milliseconds(verdict.last_screened)),
        }

    return values
