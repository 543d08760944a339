"""What a plan file would do, for a person who decides whether to apply it. No CRM is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ringfence.core.errors import ErrorCode, FileError
from ringfence.core.model.change_view import ChangeView, view_change
from ringfence.core.model.field_roles import FieldRoles
from ringfence.core.model.review import Review
from ringfence.core.state.run_history import find_applied
from ringfence.core.writing.plan_reader import Plan, open_plan

from ..wiring import Wiring
from .accounts import name_of_org, shapes_of


@dataclass(frozen=True, slots=True)
class PlanReview:
    """A plan whose seal holds, and what its changes amount to.

    ``crm`` is what its account is called, ``system`` the account's CRM, ``applied_by`` the run that has carried it out
    already; ``needs_mapping`` tells that it was made under another mapping than the configured one; ``now`` is the
    moment of the review, in UTC.
    """

    plan: Plan
    crm: str
    system: str
    roles: FieldRoles
    review: Review
    applied_by: str | None
    needs_mapping: bool
    now: datetime

    @property
    def applicable(self) -> bool:
        """Return whether the plan could be applied now."""
        return self.applied_by is None and self.now <= self.plan.good_until

    def views(self) -> Iterator[ChangeView]:
        """Yield the changes of the plan, taken apart, as often as wanted."""
        return (view_change(change, self.roles) for change in self.plan.changes())


def review_plan(wiring: Wiring, path: Path) -> PlanReview:
    """Read a plan file through, and return what it would do. Nothing is changed, and no CRM is asked.

    Raises FileError for a file that is no plan, was changed, or belongs to another state store, and the errors of the
    wiring.
    """
    store = wiring.open_state_if_there()
    if store is None:
        raise FileError(
            f"There is no state store here, so the seal of {path} cannot be checked.",
            "Use the state store of its dry run, or go to its folder.",
            code=ErrorCode.NO_STATE,
        )

    with closing(store):
        plan = open_plan(path, store.keyring)
        applied_by = find_applied(store, plan.head.run_id)
        name = name_of_org(wiring, store, plan.head.org)

    system = plan.head.org.partition(":")[0]
    shapes = shapes_of(wiring, name, system)
    roles = plan.roles or FieldRoles.of(shapes)
    review = Review(roles).take(plan.changes())

    rewrites = any(slot.normalize for shape in shapes.values() for slot in shape.slots)
    needs_mapping = roles != FieldRoles.of(shapes) or (review.total("phones_rewritten") > 0 and not rewrites)
    return PlanReview(plan, name, system, roles, review, applied_by, needs_mapping, wiring.clock.now())
