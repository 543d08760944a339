"""May a number be used for a purpose, by the consent that is on record for it?"""

from __future__ import annotations

from datetime import datetime

from ..model.consent import Consent, ConsentState
from ..model.record_view import RecordView


def covers(view: RecordView, purpose: str, now: datetime) -> bool:
    """Return whether the record's consent covers the purpose at the aware moment ``now``."""
    return not view.withdrawn and is_consent(view.consent(), purpose, now)


def is_consent(consent: Consent | None, purpose: str, now: datetime) -> bool:
    """Return whether this is consent to the purpose at the aware moment ``now``.

    Consent that is nowhere on record, withdrawn, of a value that the mapping does not name, or given from a later day
    on is none. One that names no purposes was given for all of them.
    """
    if consent is None or consent.state is not ConsentState.GIVEN:
        return False
    if consent.at is not None and consent.at > now:
        return False

    wanted = purpose.strip().casefold()
    return not consent.purposes or any(each.strip().casefold() == wanted for each in consent.purposes)
