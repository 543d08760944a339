"""Which account of several a run, a plan or an org belongs to, whatever it was called then."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from ringfence.core.errors import ErrorCode, SettingsError, UsageError
from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.crm import Finding, Level, Org
from ringfence.core.state.run_history import Run, list_account_names
from ringfence.core.state.store import Store

from ..wiring import Wiring

logger = logging.getLogger(__name__)


def list_accounts_of(wiring: Wiring, crm: str) -> Iterator[Wiring]:
    """Yield the wiring of each account of a CRM; one whose file is wrong is left out, and told."""
    if not wiring.settings.account_files:
        yield wiring.of_crm(crm)
        return
    for name in wiring.accounts():
        try:
            account = wiring.of(name)
        except SettingsError as error:
            logger.error("An account is left out: %s", error)  # noqa: TRY400 - the words say all
            continue
        if account.account is not None and account.account.crm == crm:
            yield account


def account_of(wiring: Wiring, store: Store, run: Run) -> str:
    """Return what the account of a run is called now, whatever it was called then.

    Raises UsageError where no account of today is known to be it.
    """
    names = wiring.settings.account_files
    if not names:
        return run.system

    called = next((name for name in list_account_names(store, run.org_key) if name in names), None)
    if called is None:
        raise UsageError(
            f"Run {run.id} worked on {run.org or run.org_key} as {run.crm!r}, which no account of today is.",
            code=ErrorCode.RUN_OF_NO_ACCOUNT,
            details={"accounts": ", ".join(names)},
        )
    return called


def name_of_org(wiring: Wiring, store: Store, org_key: str) -> str:
    """Return what the account of an org is called now; as its CRM where no account of today is known to be it."""
    names = wiring.settings.account_files
    called = list_account_names(store, org_key) if names else []
    return next((name for name in called if name in names), org_key.partition(":")[0])


def shapes_of(wiring: Wiring, name: str, crm: str) -> Mapping[str, ObjectShape]:
    """Return the shapes under an account's mapping; of one that is not known today those of its CRM.

    Raises what :meth:`ringfence.apps.wiring.Wiring.mapping` does.
    """
    known = name in wiring.settings.account_files
    return wiring.shapes(name) if known else wiring.of_crm(crm).shapes(crm)


def warn_of_twins(wiring: Wiring, store: Store, name: str, org: Org) -> list[str]:
    """Return a sentence where another account of today has worked on the same org: it is one too many."""
    names = wiring.settings.account_files
    others = [each for each in list_account_names(store, org.key) if each != name and each in names] if names else []
    twins = (find_twin(name, each, org) for each in others)
    return [f"{twin.message} {twin.remedy}" for twin in twins]


def find_twin(name: str, other: str, org: Org) -> Finding:
    """Return what there is to say of two names for one org."""
    message = f"{name} and {other} are one and the same account of {org.crm}."
    return Finding(Level.WARNING, org.name, message, "Take one of the two files away, or correct its credentials.")
