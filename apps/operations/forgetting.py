"""People whom a CRM has forgotten for good (HubSpot calls it a privacy deletion), forgotten here too."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing

from ringfence.core.numbers import mask
from ringfence.core.ports.crm import Org
from ringfence.core.state.audit import AuditAction
from ringfence.core.state.cursors import find_org
from ringfence.core.state.destructions import Destruction, end_destruction
from ringfence.core.state.erasure import Holder, erase_number, find_holders
from ringfence.core.state.persons_gone import PersonGone
from ringfence.core.state.store import Store

from ..wiring import Wiring
from .door import Door
from .state import recorded

PRIVACY_DELETION = "privacy-deletion"
"""The kind of job that forgets the person of a record."""

logger = logging.getLogger(__name__)


def forget_person(wiring: Wiring, org: Org, object_name: str, record_ids: Sequence[str], door: Door) -> str | None:
    """Erase the numbers of a person whose records a CRM has forgotten, and what the records leave; return a remark.

    The numbers are those that runs have written beside the records' verdicts. One that another record holds as well is
    not theirs alone, and stays. Killed in the middle, the same call does the rest. Raises BusyError while a run is at
    work on any account, and StateError.
    """
    with closing(wiring.open_state()) as store:
        if (org_id := find_org(store, org)) is None:
            return "Nothing is known of the account, and so nothing of the record."
        erased = shared = 0
        for record_id in record_ids:
            record = Holder(org.key, object_name, record_id)
            person = PersonGone(store, org_id, object_name, record_id)
            for e164 in person.find_numbers():
                if [each for each in find_holders(store, e164) if each != record]:
                    shared += 1
                else:
                    _erase(wiring, store, e164, person, door)
                    erased += 1
            person.forget(lambda _batches: None)
    logger.info("a person was forgotten", extra={"numbers": erased, "shared": shared})
    return f"{shared} of their numbers stay: other records hold them too." if shared else None


def _erase(wiring: Wiring, store: Store, e164: str, person: PersonGone, door: Door) -> None:
    with recorded(store, wiring, door, {"erased": True}, dry_run=False) as (run_id, summary):
        reason = "the CRM has deleted the person's record for good"
        destruction = Destruction(run_id, AuditAction.ERASE, door.author, mask(e164), reason)
        now = wiring.clock.now()
        # The record's own changes tell the numbers: they go last, so that a second try finds all that are left.
        erased = erase_number(store, e164, destruction, now, lambda _batches: None, person.is_theirs)
        summary["erased"] = dict(erased.rows)
        end_destruction(store, run_id, erased.rows, wiring.clock.now())
