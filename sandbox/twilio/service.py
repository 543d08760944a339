"""The account as a service of the sandbox."""

from __future__ import annotations

from starlette.types import ASGIApp

from ..fault_kinds import ANSWER_FAULTS
from ..faults import Faults
from ..service import Service, ServiceContext
from .app import ENDPOINT, twilio_app
from .fault_kinds import FailPackages, TwilioSettings
from .faults import TwilioFaults
from .state import TwilioAccount
from .traits import TwilioTraits


class TwilioService(Service):
    """Twilio Lookup: an account that answers for any number, whoever the people are."""

    fault_paths = (ENDPOINT,)
    fault_kinds = (*ANSWER_FAULTS, FailPackages)
    fault_settings = TwilioSettings
    traits = TwilioTraits

    def __init__(self, context: ServiceContext) -> None:
        self._clock = context.clock
        self._account = TwilioAccount(clock=context.clock, seed=context.seed, traits=context.traits_as(TwilioTraits))

    @property
    def state(self) -> TwilioAccount:
        """The account."""
        return self._account

    def app(self) -> ASGIApp:
        """Return the Lookup API of the account."""
        return twilio_app(self._account)

    def settings(self, url: str) -> dict[str, str]:
        """Return address and credentials; which lookups to buy is left open."""
        return {
            "RINGFENCE_TWILIO__BASE_URL": url,
            "RINGFENCE_TWILIO__ACCOUNT_SID": self._account.sid,
            "RINGFENCE_TWILIO__AUTH_TOKEN": self._account.auth_token,
        }

    def fault_gate(self, faults: Faults) -> TwilioFaults:
        """Return the gate that injects faults into the account."""
        return TwilioFaults(self._account, self._clock, faults)
