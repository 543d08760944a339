"""Stops a run under a mapping by which people who opted out would no longer be heard."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ErrorCode, MappingError
from ..model.shapes import ObjectShape
from ..state.opt_out_ledger import OptOutLedger


def check_opt_out_fields(ledger: OptOutLedger, shapes: Mapping[str, ObjectShape], *, accepted: bool) -> None:
    """Raise MappingError where the mapping names no opt-out, or another one than before, where flags are up.

    Under such a mapping all of them would look lowered, though nobody has lowered one. ``accepted`` says that it is
    meant: then the fields of this mapping count from now on.
    """
    flagged = ledger.count_flagged()
    known = ledger.read_opt_out_fields()

    for name, shape in shapes.items():
        if accepted or not flagged.get(name):
            continue
        if not shape.opt_outs:
            raise _refuse(f"The mapping of {name} names no opt-out", flagged[name])
        for earlier in known.get(name, ()):
            if not earlier.is_heard_by(shape.opt_outs):
                what = f"The mapping of {name} names another opt-out than {earlier.field} as it was"
                raise _refuse(what, flagged[name])

    ledger.keep_opt_out_fields({name: shape.opt_outs for name, shape in shapes.items() if shape.opt_outs})


def _refuse(what: str, records: int) -> MappingError:
    return MappingError(
        f"{what}, and the flag is up on {records:,} of its records: none of them would be heard any more.",
        "Name the same field and values under `opt_out` again. To end these opt-outs, clear the flags in the CRM and "
        "sync before the mapping changes.",
        code=ErrorCode.OPT_OUT_UNHEARD,
    )
