"""What a linked Individual says of being called: its own refusals, and its consent to the telephone.

An org has Individual and ContactPointTypeConsent where Data Protection and Privacy is on (docs/vendors/salesforce.md,
section 4). Contacts, leads and person accounts name the Individual that they are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringfence.core.model.consent import read_time
from ringfence.core.model.values import Record
from ringfence.core.ports.crm import Finding, Level
from ringfence.core.ports.services import Clock

from ..http.batches import in_batches
from .client import SalesforceClient
from .errors import AnswerError
from .fields import write_moment
from .paging import read_pages
from .schema import Described, Schema
from .soql import Query, any_of, literal, since

INDIVIDUAL = "Individual"
CONSENTS = "ContactPointTypeConsent"
LINKS = {"Account": "PersonIndividualId", "Contact": "IndividualId", "Lead": "IndividualId"}
"""Object -> its field with the id of the Individual."""

AT_ONCE = 400
"""Ids that a query names; its address has room for the fields of a mapped object beside them."""

REFUSALS = ("HasOptedOutSolicit", "HasOptedOutProcessing", "ShouldForget")
"""Checkboxes of an Individual that stand for a refusal of calls."""

_PARTY, _FROM, _TO = "PartyId", "EffectiveFrom", "EffectiveTo"
_TOLD = ("ContactPointType", "PrivacyConsentStatus")


def find_link(object_name: str, known: Mapping[str, Described]) -> str | None:
    """Return the field by which an object names an Individual; None where there is none that the user sees."""
    link = LINKS.get(object_name)
    return link if link in known else None


def find_individuals(client: SalesforceClient, schema: Schema, clock: Clock) -> Individuals | None:
    """Return the Individuals of the org; None where it has none, or shows nothing of what they refuse to this user."""
    fields = see_fields(schema, INDIVIDUAL)
    consents = see_fields(schema, CONSENTS) if fields else {}
    refusals = tuple(name for name in REFUSALS if name in fields)
    if not {_PARTY, *_TOLD} <= consents.keys():
        consents = {}
    return Individuals(client, clock, refusals, consents) if fields and (refusals or consents) else None


def check_individuals(individuals: Individuals | None) -> Finding:
    """Return whether what Individuals say is read, in an org whose records may name one."""
    if individuals is None:
        message = "records may name an Individual, and the user sees none: what people refuse there is not heard."
        remedy = "Where the org uses Individuals, run `ringfence setup salesforce`: it lets the user read them."
        return Finding(Level.WARNING, INDIVIDUAL, message, remedy)
    read = [*individuals.refusals, *([CONSENTS] if individuals.consents else [])]
    return Finding(Level.OK, INDIVIDUAL, f"what people refuse there is heard: {', '.join(read)}.")


def see_fields(schema: Schema, name: str) -> Mapping[str, Described]:
    """Return the fields of an object by name; none where the user does not see it."""
    try:
        return schema.fields(name)
    except AnswerError:
        return {}


@dataclass(frozen=True, slots=True)
class Individuals:
    """The Individuals of an org. ``refusals`` are their checkboxes that stand for a refusal.

    ``consents`` are the described fields of ContactPointTypeConsent by name; none where the user does not see it. A
    consent without a beginning or an end has always been in effect, or will ever be.
    """

    client: SalesforceClient
    clock: Clock
    refusals: tuple[str, ...]
    consents: Mapping[str, Described]

    def look_up(self, ids: Iterable[str]) -> dict[str, bool]:
        """Return id -> whether the Individual refuses calls now, for those of the ids that are to be seen."""
        refusing: dict[str, bool] = {}
        parties: set[str] = set()
        queries = []
        for batch in in_batches(sorted(set(ids)), AT_ONCE):
            named = ",".join(map(literal, batch))
            queries.append(Query(INDIVIDUAL, ("Id", *self.refusals), (f"Id IN ({named})",)))
            if self.consents:
                queries.append(self._opt_outs(f"{_PARTY} IN ({named})"))

        for number, page in read_pages(self.client, queries, "opt_outs"):
            if queries[number].object == INDIVIDUAL:
                refusing |= {row["Id"]: any(row[name] is True for name in self.refusals) for row in page.rows}
            else:
                parties |= self.parties(page.rows)
        return {each: refuses or each in parties for each, refuses in refusing.items()}

    def refusing(self) -> list[Query]:
        """Return the queries for all that refuse; :meth:`parties` reads their rows."""
        found = []
        if self.refusals:
            found.append(Query(INDIVIDUAL, ("Id",), (any_of(f"{name} = true" for name in self.refusals),)))
        return [*found, self._opt_outs()] if self.consents else found

    def changed(self, moment: datetime) -> list[Query]:
        """Return the queries for those whose word may have changed since the moment, by time alone too.

        :meth:`parties` reads their rows. A consent begins and ends without a change of its row.
        """
        found, now = [Query(INDIVIDUAL, ("Id",), (since(moment),))], self._now()
        if self.consents:
            turns = [f"({name} >= {self._at(name, moment)} AND {name} <= {self._at(name, now)})" for name in self._ends]
            found.append(Query(CONSENTS, ("Id", _PARTY), (any_of([since(moment), *turns]),)))
        return found

    def parties(self, rows: Iterable[Mapping[str, Any]]) -> set[str]:
        """Return the ids of the Individuals that rows are about; consents that are not in effect are left out."""
        now = self._now()
        return {str(row.get(_PARTY) or row["Id"]) for row in rows if _is_in_effect(row, now)}

    def _now(self) -> datetime:
        return self.client.server_now() or self.clock.now()

    @property
    def _ends(self) -> list[str]:
        return [name for name in (_FROM, _TO) if name in self.consents]

    def _opt_outs(self, *conditions: str) -> Query:
        phone = (f"{_TOLD[0]} = 'Phone'", f"{_TOLD[1]} = 'OptOut'")
        return Query(CONSENTS, ("Id", _PARTY, *self._ends), (*conditions, *phone))

    def _at(self, name: str, moment: datetime) -> str:
        text = write_moment(moment)
        return text[:10] if self.consents[name]["type"] == "date" else text


def _is_in_effect(row: Mapping[str, Any], now: datetime) -> bool:
    begins, ends = read_time(row.get(_FROM)), read_time(row.get(_TO))
    return (begins is None or begins <= now) and (ends is None or ends > now)


def find_links(rows: Iterable[Mapping[str, Any]], link: str | None) -> dict[str, str]:
    """Return record id -> id of its Individual, for the rows that name one in the field ``link``."""
    return {row["Id"]: row[link] for row in rows if row.get(link)} if link else {}


def tell(individuals: Individuals | None, records: Sequence[Record], links: Mapping[str, str]) -> Sequence[Record]:
    """Return the records with what their Individuals say now; ``links`` is record id -> Individual."""
    if individuals is None or not links:
        return records
    told = individuals.look_up(links.values())
    return [record._replace(withdrawn=told.get(links.get(record.id, ""))) for record in records]
