"""Data Protection and Privacy: an org without it shows nobody an Individual, nor a link to one."""

from __future__ import annotations

from .state import OrgState

_OBJECTS = ("Individual", "ContactPointTypeConsent")
_LINK = "IndividualId"


def leave_out_individuals(org: OrgState) -> None:
    """Take away what only orgs with Data Protection and Privacy have."""
    for name in _OBJECTS:
        del org.tables[name]
    for name in ("Contact", "Lead"):
        org.table(name).spec.remove(_LINK)
    org.forget_access()
