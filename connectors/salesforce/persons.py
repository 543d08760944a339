"""Person accounts: a contact that is an account's other half is left to the mapping of accounts, where there is one.

Salesforce shows the same person twice, as an account with `PersonMobilePhone` and as a contact with `MobilePhone`, and
lets the contact be changed through the account alone (docs/vendors/salesforce.md, section 4).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from ringfence.core.model.shapes import ObjectShape
from ringfence.core.ports.crm import Finding, Level

from .fields import PERSON
from .gone_records import CONTACT

ACCOUNT = "Account"
_PREFIX = "Person"


def is_left_to_accounts(shapes: Mapping[str, ObjectShape], name: str, known: Container[str]) -> bool:
    """Return whether an object's person accounts are read and written as accounts; ``known`` are its fields."""
    account = shapes.get(ACCOUNT)
    if name != CONTACT or PERSON not in known or account is None:
        return False
    return any(slot.field.startswith(_PREFIX) for slot in account.slots)


def hears_from_accounts(shapes: Mapping[str, ObjectShape]) -> bool:
    """Return whether accounts are mapped with the very flags that contacts are, so that none need be read twice."""
    contact = shapes[CONTACT].flag_fields()
    return bool(contact) and not _unheard_fields(shapes)


def _unheard_fields(shapes: Mapping[str, ObjectShape]) -> list[str]:
    """Return the flags of contacts, by their names on accounts, that the mapping of accounts leaves out."""
    there = shapes[ACCOUNT].flag_fields()
    return [name for each in shapes[CONTACT].flag_fields() if (name := _on_account(each)) not in there]


def _on_account(name: str) -> str:
    """Return the name under which an account shows a field of its contact."""
    return name.removesuffix("__c") + "__pc" if name.endswith("__c") else _PREFIX + name


def check_persons(shapes: Mapping[str, ObjectShape], name: str, known: Container[str]) -> Iterator[Finding]:
    """Yield which mapping person accounts belong to, where the org has any."""
    if name != CONTACT or PERSON not in known:
        return

    subject = f"{CONTACT}.{PERSON}"
    if not is_left_to_accounts(shapes, name, known):
        message = "the org has person accounts: Salesforce may refuse to change them as contacts."
        remedy = "Map Account with PersonMobilePhone and the flag PersonDoNotCall, filter IsPersonAccount = true."
        yield Finding(Level.WARNING, subject, message, remedy)
    elif unheard := _unheard_fields(shapes):
        message = "person accounts are handled as accounts, whose mapping has another opt-out flag than contacts."
        yield Finding(Level.WARNING, subject, message, f"Map {' and '.join(unheard)} as `opt_out` of Account.")
    else:
        yield Finding(Level.OK, subject, "person accounts are handled as accounts, and left out of contacts.")
