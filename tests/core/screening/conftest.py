"""Screenings over a real lookup cache: a run that buys, and a dry run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ringfence.core.model.caps import CapKind, Caps
from ringfence.core.model.policy import Policy
from ringfence.core.ports.lookup import Lookup
from ringfence.core.screening.buying import BuyingGateway
from ringfence.core.screening.gateway import KnownAnswers
from ringfence.core.screening.rehearsing import RehearsingGateway
from ringfence.core.screening.routing import Routing
from ringfence.core.screening.screening import Screening, SuppressionCheck, no_ledger
from ringfence.core.state.lookup_cache import LookupCache
from ringfence.core.state.store import Store
from testkit.clock import SetClock

CAPS = [kind.value for kind in CapKind]


@pytest.fixture
def run(store: Store, clock: SetClock) -> Any:
    """Begin a run with these providers and options."""
    ids = iter(range(100))

    def begin(*lookups: Lookup, suppressed: SuppressionCheck = no_ledger, **options: Any) -> Screening:
        known, options = open_cache(store, f"run-{next(ids)}", lookups, options)
        return Screening(clock, suppressed, BuyingGateway(known, clock, **options))

    return begin


@pytest.fixture
def rehearse(store: Store, clock: SetClock) -> Any:
    """Begin a dry run with these providers and options."""

    def begin(*lookups: Lookup, suppressed: SuppressionCheck = no_ledger, **options: Any) -> Screening:
        known, options = open_cache(store, "dry-run", lookups, options)
        return Screening(clock, suppressed, RehearsingGateway(known, **options))

    return begin


def open_cache(
    store: Store, run_id: str, lookups: Sequence[Lookup], options: dict[str, Any]
) -> tuple[KnownAnswers, dict[str, Any]]:
    """Return what is known to a run, and the options that are left for its gateway."""
    ours = {name: options[name] for name in ("crm_realms", "retry_lost") if name in options}
    caps = Caps(**{name: options.pop(name) for name in tuple(options) if name in CAPS})
    policy = options.pop("policy", Policy())
    ours["routing"] = Routing.of(policy, lookups)
    known = KnownAnswers(LookupCache(store, run_id, caps), lookups, policy.max_age, **ours)
    return known, {name: value for name, value in options.items() if name not in ours}
