"""What an account of Twilio Lookup is like: the section `twilio` of an org file."""

from __future__ import annotations

from ..traits import Traits


class TwilioTraits(Traits):
    """Twilio Lookup: what is left out is as in most accounts."""
