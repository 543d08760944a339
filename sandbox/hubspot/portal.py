"""A whole portal: its state, filled with people, and what people and HubSpot's own jobs do in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..clock import Clock
from ..dataset import COMPANIES, SWITCHBOARD, Person
from . import instants
from .formatting import PhoneFormatting
from .lifecycle import merge_records
from .seed import contact_values
from .state import PortalState
from .store import Row
from .traits import HubSpotTraits
from .values import check_properties


class HubSpotPortal(PortalState):
    """A portal with contacts made of `people` (leads too); the methods here are what happens behind the API's back.

    With `companions` the fields that `setup` creates exist already and are filled for people who were screened before.
    Every public method may be called while a server thread answers requests.
    """

    def __init__(
        self,
        *,
        people: Iterable[Person],
        clock: Clock,
        companions: bool = True,
        seed: int = 7,
        traits: HubSpotTraits | None = None,
    ) -> None:
        super().__init__(clock, traits=traits or HubSpotTraits(), seed=seed)

        if companions:
            self.create_companions()
        self._fill(people, companions=companions)
        if self.traits.formats_phones:
            known = self.definitions["contacts"].values()
            phones = frozenset(each.name for each in known if each.field_type == "phonenumber" and not each.read_only)
            self.formatting = PhoneFormatting(self.stores["contacts"], phones)

    def update_as_user(self, record_id: str, **properties: str | None) -> None:
        """Edit a contact as a person in the browser does; None or "" clears. Raises KeyError or ValueError."""
        with self.lock:
            row = self._contact(record_id)
            values, problems = check_properties(properties, self.definitions["contacts"], self.portal_id)
            if problems:
                raise ValueError(", ".join(f"{each['name']}: {each['error']}" for each in problems))

            self.stores["contacts"].update(row, values, self.now(), "CRM_UI", noop_bumps=False)

    def merge(self, primary: str, other: str) -> str:
        """Merge two contacts and return the id of the survivor. Raises KeyError for an id without a contact."""
        with self.lock:
            return merge_records(self, primary, other)

    def archive(self, record_id: str) -> None:
        """Move a contact to the recycle bin. Raises KeyError for an id without a record."""
        with self.lock:
            self.stores["contacts"].archive(self._contact(record_id), self.now())

    def set_modified(self, record_ids: Iterable[str], when: datetime) -> None:
        """Put contacts on one modification time (aware), as HubSpot's own batch jobs do with thousands of them."""
        with self.lock:
            self.stores["contacts"].set_modified(record_ids, instants.to_milliseconds(when))

    def _contact(self, record_id: str) -> Row:
        row = self.stores["contacts"].find(record_id)
        if row is None:
            raise KeyError(record_id)
        return row

    def _fill(self, people: Iterable[Person], *, companions: bool) -> None:
        store = self.stores["contacts"]
        for person in people:
            created, modified = instants.to_milliseconds(person.created), instants.to_milliseconds(person.modified)
            store.add(self.next_id(), contact_values(person, companions=companions), created, modified)
        for name in (*COMPANIES, SWITCHBOARD):
            self.stores["companies"].add(self.next_id(), {"name": name}, self.now(), self.now())
