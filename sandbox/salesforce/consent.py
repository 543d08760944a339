"""`/consent/action/phone`: what the org knows of people's consent to calls, over records that an Individual links.

The least permissive preference of all of them is told. Orgs with Data Protection and Privacy have it, and users with
the permission for it (REST guide, "Compile Consent Settings"). The other actions are not stood in for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from .errors import ApiError, not_found
from .ids import full_id
from .state import OrgState
from .table import Row, Value
from .wire import Answer, Call, parse_moment, stamp_moment

PHONE = "phone"

_PEOPLE = {
    "Contact": ("IndividualId", "DoNotCall", "Email"),
    "Lead": ("IndividualId", "DoNotCall", "Email"),
    "Account": ("PersonIndividualId", "PersonDoNotCall", "PersonEmail"),
}
"""Object -> its fields with the Individual, the flag and the e-mail address."""

_CONSENTS = "ContactPointTypeConsent"
_SUCCESS = "Success"
_UNKNOWN = "Unable to find a record with this ID."

Explanation = dict[str, object]


def consent_to(org: OrgState, call: Call, action: str) -> Answer:
    """Answer for each id of `ids=` whether it may be called, at the moment of `datetime=` or now.

    With `aggregatedConsent` one answer stands for all, with `verbose` each says what was looked at.
    """
    if not org.traits.data_protection:
        raise ApiError(403, "FUNCTIONALITY_NOT_ENABLED", "This feature is not currently enabled for this user.")
    if not org.traits.privacy_data:
        text = "Requires View All Data or Allow User Access to Privacy Data"
        raise ApiError(403, "INSUFFICIENT_ACCESS", text)
    if action != PHONE:
        raise not_found()

    ids = [each.strip() for each in call.query.get("ids", "").split(",") if each.strip()]
    if not ids:
        raise ApiError(400, "MISSING_ARGUMENT", "ids parameter is required")
    when = _moment(org, call)
    found = {each: _consent(org, each, when, verbose=_is_set(call, "verbose")) for each in ids}
    if not _is_set(call, "aggregatedConsent"):
        return Answer(200, found)
    return Answer(200, _told(all(each.get("proceed") == _proceed(True) for each in found.values())))


def _consent(org: OrgState, given: str, when: datetime, *, verbose: bool) -> Explanation:
    found = _find(org, given)
    if found is None:
        return {"result": _UNKNOWN}
    looked_at = list(_refusals(org, *found, when))
    answer = _told(not looked_at)
    return {**answer, "explanation": looked_at} if verbose else answer


def _told(may: bool) -> Explanation:
    return {"result": _SUCCESS, "proceed": _proceed(may)}


def _proceed(may: bool) -> dict[str, str]:
    return {PHONE: str(may).lower(), f"{PHONE}Result": _SUCCESS}


def _people(org: OrgState) -> Iterator[tuple[str, Row, Value, Value, Value]]:
    """Yield (object, row, Individual, flag, e-mail address) of every person that is still there."""
    for name, (link, flag, email) in _PEOPLE.items():
        table = org.table(name)
        if link in table.spec.fields:
            for row in table.scan():
                if row["IsDeleted"] is not True and row["IsConverted"] is not True:
                    yield name, row, row[link], row[flag], row[email]


def _find(org: OrgState, given: str) -> tuple[Row, Value] | None:
    """Return the row of a person with this id or e-mail address, and its Individual."""
    row_id = full_id(given)
    found = ((row, link) for _, row, link, _, email in _people(org) if row["Id"] == row_id or email == given)
    return next(found, None)


def _refusals(org: OrgState, row: Row, individual: Value, when: datetime) -> Iterator[Explanation]:
    """Yield what says no among the row, those linked with it, and the consents of their Individual."""
    for name, other, link, flag, _ in _people(org):
        if flag is True and (other is row or (individual is not None and link == individual)):
            yield {"objectConsulted": name, "field": _PEOPLE[name][1], "recordId": other["Id"], "value": "true"}
    for told in org.table(_CONSENTS).scan() if individual is not None else ():
        if told["PartyId"] == individual and _says_no(told, when):
            yield {"objectConsulted": _CONSENTS, "status": "opt_out", "recordId": told["Id"], "value": "true"}


def _says_no(told: Row, when: datetime) -> bool:
    if (told["ContactPointType"], told["PrivacyConsentStatus"]) != ("Phone", "OptOut") or told["IsDeleted"] is True:
        return False
    begins, ends = told["EffectiveFrom"], told["EffectiveTo"]
    return (begins is None or stamp_moment(str(begins)) <= when) and (ends is None or stamp_moment(str(ends)) > when)


def _moment(org: OrgState, call: Call) -> datetime:
    given = call.query.get("datetime")
    if given is None:
        return org.clock.now()
    try:
        return parse_moment(given)
    except ValueError:
        raise ApiError(400, "INVALID_ARGUMENT", f"invalid date: {given}") from None


def _is_set(call: Call, name: str) -> bool:
    """Return whether a yes/no parameter is set; its name alone sets it."""
    return call.query.get(name, "false").lower() in ("", "true")
