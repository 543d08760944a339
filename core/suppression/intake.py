"""Taking in opt-outs: the flags that are up, those that were lowered, and who holds which number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model.record_view import Reading
from ..model.shapes import ObjectShape
from ..ports.crm import Crm, Page
from ..state.opt_out_ledger import Holding, Permissions


def take_opt_outs(crm: Crm, pages: Iterable[Page], shapes: Mapping[str, ObjectShape], permissions: Permissions) -> None:
    """Take in every flag that is up, and every one that was lowered: the pages of a feed's ``flagged()``."""
    for page in pages:
        shape = shapes[page.object]
        readings = [Reading(record, shape) for record in page.records]
        if page.gone:
            done = permissions.handed_over([reading.key for reading in readings])
            readings = [reading for reading in readings if reading.key not in done]
        if not page.authoritative:
            # An index may be behind: a flag said to be up is believed, one said to be down is read again.
            lowered = [reading.record.id for reading in readings if not reading.flagged]
            readings = [reading for reading in readings if reading.flagged]
            readings += [Reading(record, shape) for record in crm.fetch(page.object, lowered)] if lowered else []
        observe(permissions, readings, certain=True)
        if page.gone:
            permissions.hand_over(reading.key for reading in readings)


def observe(permissions: Permissions, readings: Iterable[Reading], *, certain: bool) -> None:
    """Take in what the records hold. Unless ``certain``, a flag that looks lowered changes nothing."""
    permissions.observe(
        [
            Holding(*reading.key, reading.all_e164s(), reading.flagged if certain or reading.flagged else None)
            for reading in readings
        ]
    )
