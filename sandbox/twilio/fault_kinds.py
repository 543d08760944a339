"""What a faults file can say about Twilio Lookup alone: its section of settings, and a kind of fault of its own."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..fault_kinds import Fault
from ..faults import ServiceSettings


class TwilioSettings(ServiceSettings):
    """Twilio Lookup: its limit. What is left out stays as it is."""

    requests_per_second: int | None = Field(None, ge=1)


class FailPackages(Fault):
    """A data package fails inside a 200, with an error code in place of its values."""

    kind: Literal["fail_packages"]
    error_code: int = Field(60616, ge=60000, le=61000)
    packages: tuple[str, ...] = Field(("line_status", "line_type_intelligence"), min_length=1)
