"""Person accounts: an account and a contact that are one person, which some orgs have beside businesses.

The account shows the contact's fields under names that begin with `Person`; a change of one shows on the other, and
moves the stamps of both. The contact can be read, but is changed through its account alone (Object Reference, "Person
Account Record Types").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .errors import RowError
from .journal import Journal
from .schema import FieldSpec
from .state import OrgState
from .table import Row, Value

EVERY = 3
"""Of so many contacts one is a person account."""

_FLAG = FieldSpec("IsPersonAccount", "boolean", "Is Person Account", createable=False, updateable=False, nillable=False)
_UNDER_PERSON = (
    "MobilePhone",
    "HomePhone",
    "OtherPhone",
    "AssistantPhone",
    "Email",
    "Title",
    "LeadSource",
    "DoNotCall",
    "HasOptedOutOfEmail",
    "HasOptedOutOfFax",
    "IndividualId",
    "MailingCity",
    "MailingCountry",
)
_OF_ACCOUNT = {"Phone": "Phone", "Fax": "Fax", "FirstName": "FirstName", "LastName": "LastName"}
SHARED = {**_OF_ACCOUNT, **{f"Person{name}": name for name in _UNDER_PERSON}}
"""Field of the account -> field of its contact."""


def add_person_fields(org: OrgState) -> None:
    """Add to accounts the fields of persons, and to contacts the one that tells whose they are."""
    contacts, accounts = org.table("Contact").spec, org.table("Account").spec
    contacts.add(replace(_FLAG, permissionable=False, defaulted=True))

    for name, source in SHARED.items():
        spec = contacts.find(source)
        if spec is not None and accounts.find(name) is None:
            accounts.add(replace(spec, name=name, label=f"Person Account: {spec.label}", nillable=True, compound=None))
    accounts.add(
        FieldSpec("PersonContactId", "reference", "Person Contact ID", 18, False, False, targets=("Contact",),
                  relationship="PersonContact", permissionable=False)
    )  # fmt: skip
    org.forget_access()


def make_persons(org: OrgState) -> None:
    """Make every third contact a person account, with an account of its own."""
    table = org.table("Account")
    for number, contact in enumerate(list(org.table("Contact").scan())):
        if number % EVERY == 0:
            account = Row(org.defaults("Account"), Name=contact["Name"], OwnerId=contact["OwnerId"])
            account.update({name: contact[source] for name, source in SHARED.items() if source in contact})
            stamps = ("CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp")
            account.update({name: contact[name] for name in stamps})
            account.update(IsPersonAccount=True, PersonContactId=contact["Id"])
            contact.update(IsPersonAccount=True, AccountId=table.insert(account))


def refuse_contact(object_name: str, row: Row) -> None:
    """Raise RowError for a change of a contact that is a person account."""
    if object_name == "Contact" and row["IsPersonAccount"] is True:
        text = "The contact of a person account cannot be changed: change its account"
        raise RowError("INVALID_CROSS_REFERENCE_KEY", text)


def mirror(
    org: OrgState, object_name: str, row: Row, values: Mapping[str, Value], user_id: str, journal: Journal
) -> None:
    """Show on the other half what was changed on one half of a person account."""
    if row["IsPersonAccount"] is not True or object_name not in ("Account", "Contact"):
        return

    if object_name == "Account":
        other, names = "Contact", SHARED
        half = org.table(other).rows[str(row["PersonContactId"])]
    else:
        other, names = "Account", {source: name for name, source in SHARED.items()}
        half = org.table(other).rows[str(row["AccountId"])]
    shared = {names[name]: value for name, value in values.items() if name in names}
    if not shared:
        return

    before = dict(half)
    journal.note(lambda: half.update(before))
    half.update(shared, LastModifiedDate=org.stamp(), SystemModstamp=org.stamp(), LastModifiedById=user_id)
