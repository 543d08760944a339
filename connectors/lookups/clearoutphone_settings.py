"""The settings of ClearoutPhone, and what it can tell."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr

from ringfence.core.model.axes import Axis
from ringfence.core.ports.lookup import ProviderProfile

from .provider_settings import ProviderSettings

NAME = "clearoutphone"

MOST_IN_A_FILE = 10_000
"""Numbers in one file. Nobody publishes how many it takes; this many are 130 kB, and all that a run asks at once."""

BULK_FROM = 100
"""Where a file begins to pay: below, single answers are there before a file is looked at for the first few times.

It is not set lower because a file's answers come all at once or not at all, and not higher because the numbers that are
gathered until it is reached are the ones in doubt after a kill.
"""

PRICE = 0.007
"""US dollars for a credit, where 5,000 are bought, as customers tell; a number costs one."""

PROFILE = ProviderProfile(
    title="ClearoutPhone",
    tells=frozenset({Axis.VALIDITY, Axis.LINE_TYPE, Axis.CARRIER}),
    price=PRICE,
    batch=BULK_FROM,
    note=(
        "It judges by numbering plans and carriers; a valid number need not be alive. Many numbers go out as one file "
        "whose answers come later."
    ),
)


class ClearoutPhoneSettings(ProviderSettings):
    """The settings ``RINGFENCE_CLEAROUTPHONE__*``."""

    variable: ClassVar[str] = "RINGFENCE_CLEAROUTPHONE"
    usual: ClassVar[str] = "https://api.clearoutphone.io/v1"

    api_token: SecretStr | None = Field(None, description="API token")
    bulk_from: int = Field(
        BULK_FROM, ge=1, le=MOST_IN_A_FILE, description="from how many numbers on a question goes out as one file"
    )
    base_url: str = Field(usual, description="address of the API")
    price: float = Field(PRICE, ge=0, allow_inf_nan=False, description="what one credit, and so one number, costs")
