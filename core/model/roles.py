"""What callers of the service and users of the console may do (docs/contract.md, section 4)."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody may do."""

    FORM = "form"  # a web page of ours: the check of a number as it is typed, and nothing else
    VIEWER = "viewer"
    OPERATOR = "operator"
    COMPLIANCE = "compliance"
    ADMIN = "admin"

    def may(self, needed: Role) -> bool:
        """Return whether this role includes the needed one."""
        return needed in _INCLUDED[self]


_INCLUDED = {
    Role.FORM: {Role.FORM},
    Role.VIEWER: {Role.FORM, Role.VIEWER},
    Role.OPERATOR: {Role.FORM, Role.VIEWER, Role.OPERATOR},
    Role.COMPLIANCE: {Role.FORM, Role.VIEWER, Role.COMPLIANCE},
    Role.ADMIN: set(Role),
}
