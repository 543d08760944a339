"""Fills a new org with users, and with the people as contacts (with accounts) and leads."""

from __future__ import annotations

from collections.abc import Iterable

from ..dataset import Person
from ..phonebook import country_names
from ..screened import verdicts
from .companions import companion_names
from .ids import new_ids
from .state import OrgState
from .table import Row
from .wire import stamp_text

_SLOTS = {"phone": companion_names("Phone"), "mobile": companion_names("MobilePhone")}
_USERS = (
    ("integration@sandbox.example", "Integration", "User", True),
    ("casey.sales@sandbox.example", "Casey", "Sales", True),
    ("lead.desk@sandbox.example", "Lead", "Desk", True),
)


def seed_setup(org: OrgState, seed: int) -> None:
    """Create organization and users, whose ids the state keeps: API user, person, owner by assignment rule.

    The organization's id comes from the seed, so that orgs of different seeds are different accounts.
    """
    sandbox = not org.traits.production
    organization = Row(
        Name="Ringfence Sandbox",
        InstanceName="CS42" if sandbox else "NA42",
        IsSandbox=sandbox,
        OrganizationType=org.traits.edition,
        TimeZoneSidKey="Europe/London",
    )
    org.org_id = organization["Id"] = next(new_ids("00D", after=seed))
    org.table("Organization").restore(_stamped(org, organization, ""))
    ids = []

    for username, first, last, active in _USERS:
        row = Row(Username=username, Email=username, FirstName=first, LastName=last, Name=f"{first} {last}")
        row.update(IsActive=active, UserType="Standard", TimeZoneSidKey="Europe/London")
        ids.append(org.table("User").insert(_stamped(org, row, "")))

    for row in (*org.table("User").scan(), *org.table("Organization").scan()):
        row["CreatedById"] = row["LastModifiedById"] = ids[0]

    org.user_id, org.human_id, org.assigned_owner_id = ids


def _stamped(org: OrgState, row: Row, user_id: str) -> Row:
    stamp = org.stamp()
    row.update(CreatedDate=stamp, CreatedById=user_id, LastModifiedDate=stamp, SystemModstamp=stamp)
    row["LastModifiedById"] = user_id
    return row


def load_people(org: OrgState, people: Iterable[Person], *, companions: bool) -> None:
    """Add the people: as leads, or as contacts of one account per company."""
    names = country_names()
    accounts: dict[str, str] = {}
    for person in people:
        country = names.get(person.country, person.country)
        table = org.table("Lead" if person.lead else "Contact")
        row = Row(org.defaults(table.spec.name))
        row.update(
            FirstName=person.first,
            LastName=person.last,
            Name=f"{person.first} {person.last}",
            Email=person.email,
            Phone=person.phone,
            MobilePhone=person.mobile,
            DoNotCall=person.opted_out,
            LeadSource=person.channel,
            OwnerId=org.human_id,
        )

        if kinds := org.record_types.ids.get(table.spec.name):
            row["RecordTypeId"] = kinds[len(table.rows) % len(kinds)]

        if person.lead:
            row.update(Company=person.company, Country=country)
        else:
            row.update(AccountId=_account(org, accounts, person), MailingCountry=country)

        if companions:
            _fill_companions(row, person)

        _stamp_person(org, row, person)
        table.insert(row)

    _campaign(org)


def _campaign(org: OrgState) -> None:
    """Add a campaign that every other contact is a member of, as filters of mappings often ask for."""
    row = Row(org.defaults("Campaign"), Name="Spring mailing", Type="Email", Status="Completed", IsActive=True)
    row["OwnerId"] = org.human_id
    campaign = org.table("Campaign").insert(_stamped(org, row, org.human_id))
    for number, contact in enumerate(org.table("Contact").scan()):
        if number % 2 == 0:
            member = Row(org.defaults("CampaignMember"), CampaignId=campaign, ContactId=contact["Id"], Status="Sent")
            org.table("CampaignMember").insert(_stamped(org, member, org.human_id))


def _account(org: OrgState, accounts: dict[str, str], person: Person) -> str:
    known = accounts.get(person.company)
    if known is None:
        row = Row(org.defaults("Account"), Name=person.company, OwnerId=org.human_id)
        _stamp_person(org, row, person)
        known = accounts[person.company] = org.table("Account").insert(row)
    return known


def _fill_companions(row: Row, person: Person) -> None:
    for slot, verdict in verdicts(person).items():
        status, reason, e164, line_type, screened_value, last_screened = _SLOTS[slot]
        row[status] = verdict.status
        row[reason] = verdict.reason
        row[e164] = verdict.e164
        row[line_type] = verdict.line_type
        row[screened_value] = verdict.screened_value
        row[last_screened] = stamp_text(verdict.last_screened)


def _stamp_person(org: OrgState, row: Row, person: Person) -> None:
    modified = stamp_text(person.modified)
    row.update(CreatedDate=stamp_text(person.created), CreatedById=org.human_id, LastModifiedDate=modified)
    row.update(SystemModstamp=modified)
    row["LastModifiedById"] = org.human_id if person.screened == "never" else org.user_id
