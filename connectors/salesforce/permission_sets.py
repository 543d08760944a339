"""The permission sets of set-up: for the user that ringfence logs in as, for people who see the fields, for flows."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.core.model.shapes import ObjectShape


@dataclass(frozen=True, slots=True)
class PermissionSetWords:
    """A permission set by its API name, and what people read of it."""

    name: str
    label: str
    description: str


@dataclass(frozen=True, slots=True)
class PermissionSetSpec(PermissionSetWords):
    """A permission set on the mapped fields, and whether it lets its users edit them or only see them."""

    editable: bool

    def fields(self, shape: ObjectShape) -> list[str]:
        """Return the fields of an object that it grants: those that a sync writes, or those that it keeps."""
        if self.editable:
            return sorted(shape.owned_fields())
        return sorted({*shape.companion_fields(), *shape.flag_fields()})


EDIT = PermissionSetSpec(
    "RF_Ringfence",
    "ringfence",
    "For the user that ringfence logs in as: it keeps the companion fields and raises opt-out flags.",
    editable=True,
)
READ = PermissionSetSpec(
    "RF_Ringfence_Read",
    "ringfence: see the phone status",
    "For people who should see what ringfence found out about phone numbers. It changes nothing.",
    editable=False,
)

PERMISSION_SETS = (READ, EDIT)
"""In the order in which set-up makes them: once the last one is assigned to the user, set-up counts as done."""

FLOWS = PermissionSetWords(
    "RF_Ringfence_Flows",
    "ringfence: ask from flows",
    "For people whose flows ask ringfence: it lets them use the credential, and shows it to nobody.",
)
INDIVIDUALS = PermissionSetWords(
    "RF_Ringfence_Individuals",
    "ringfence: hear Individuals",
    "For the user that ringfence logs in as, where Data Protection and Privacy is on: it reads what people refuse.",
)
"""Sets of an emitted project alone: the second one can only be deployed where the org has Individuals."""
