"""What an account of Twilio Lookup is like: the section `twilio` of an org file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..traits import Traits

Package = Literal["line_status", "line_type_intelligence", "reassigned_number"]
"""The data packages that this stand-in knows something about."""


class TwilioTraits(Traits):
    """Twilio Lookup: what is left out is as in most accounts."""

    packages: tuple[Package, ...] = Field(
        ("line_status", "line_type_intelligence"),
        description="Data packages that are enabled; the others have error 60606 in place of their values.",
    )
    refuses_packages: bool = Field(
        False, description="A request for a package that is not enabled gets 403 with error 60606."
    )
