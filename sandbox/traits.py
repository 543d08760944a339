"""What the accounts behind the stand-ins are like: the contents of an org file, one section for each service.

Traits hold for as long as the sandbox runs, and belong to an account as it is set up; what goes wrong now and then is a
fault (faults.py). Every trait has a default, which is what most accounts are like.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ringfence.core.errors import FixError


class OrgError(FixError):
    """The org file is wrong by itself: an unknown key, or a value that the account cannot have."""


class Traits(BaseModel):
    """What one account is like; each service adds its own in a subclass, `traits.py` beside its code.

    Unknown keys are errors, values never change: a test that wants another account sets other traits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class OrgFile(Traits):
    """All of an org file: a section for each service that is installed, added by org_schema.py."""

    def section(self, service: str) -> Traits:
        """Return the traits of a service."""
        section: Traits = getattr(self, service)
        return section
