"""Changes of records other than edits: merging, and converting a lead."""

from __future__ import annotations

from .journal import Journal
from .state import OrgState
from .table import Table, Value
from .writes import change_row, find_row, new_row

_CARRIED = (
    "FirstName",
    "LastName",
    "Salutation",
    "Title",
    "Email",
    "Phone",
    "MobilePhone",
    "Fax",
    "LeadSource",
    "DoNotCall",
    "HasOptedOutOfEmail",
    "HasOptedOutOfFax",
)


def merge_rows(org: OrgState, winner: str, losers: list[str]) -> None:
    """Merge one or two losers into the winner, which deletes them; raises ValueError for another number of losers."""
    if not 1 <= len(losers) <= 2:
        raise ValueError("a merge takes one or two losers")
    table = _table_of(org, winner)
    master = find_row(table, winner)
    for loser in losers:
        change = {"IsDeleted": True, "MasterRecordId": master["Id"]}
        change_row(table, find_row(table, loser), change, org.human_id, org.stamp(), Journal())
    change_row(table, master, {}, org.human_id, org.stamp(), Journal())


def convert(org: OrgState, lead_id: str, contact_id: str | None = None) -> str:
    """Convert a lead to a contact with the same values, also in custom fields of the same name; return its id.

    A contact that is there already keeps what it holds, and is given what it lacks: an unticked box counts as held.
    """
    leads, contacts = org.table("Lead"), org.table("Contact")
    lead = find_row(leads, lead_id)
    custom = [name for name, field in leads.spec.fields.items() if field.custom and name in contacts.spec.fields]
    values = {name: lead[name] for name in (*_CARRIED, *custom) if lead[name] is not None}
    values["MailingCountry"] = lead["Country"]

    if contact_id is None:
        contact_id = contacts.insert(new_row(org, contacts, values, org.human_id, org.stamp()))
    else:
        contact = find_row(contacts, contact_id)
        lacking = {name: value for name, value in values.items() if contact[name] is None}
        change_row(contacts, contact, lacking, org.human_id, org.stamp(), Journal())

    change: dict[str, Value] = {
        "IsConverted": True,
        "Status": "Closed - Converted",
        "ConvertedContactId": contact_id,
        "ConvertedDate": org.clock.now().date().isoformat(),
    }
    change_row(leads, lead, change, org.human_id, org.stamp(), Journal())

    return contact_id


def _table_of(org: OrgState, row_id: str) -> Table:
    return next(table for table in org.tables.values() if row_id.startswith(table.spec.prefix))
