"""The country of national numbers, as a person names it."""

from __future__ import annotations

from ringfence.core.errors import UsageError
from ringfence.core.numbers.regions import read_region

from ..wiring import Wiring


def home_region(wiring: Wiring, region: str | None) -> str | None:
    """Return the ISO 3166 region of national numbers: the named country, else the default one, else None.

    ``region`` is a code or an English name. Raises UsageError when it is neither.
    """
    if not region:
        return wiring.settings.default_region

    found = read_region(region)
    if found is None:
        raise UsageError(f"{region!r} is no country.", "Use a code such as US, or an English name.")
    return found
