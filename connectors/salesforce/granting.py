"""Granting fields through permission sets, 200 in one call where the org takes them so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ringfence.core.errors import SchemaError
from ringfence.core.ports.setup_steps import SetupStep

from ..http.batches import in_batches
from .composite import COLLECTION
from .errors import AnswerError, Fault, read_fault
from .setup_calls import SetupCalls

_TAKEN = "DUPLICATE_VALUE"


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to read or edit a field, or to read an object, for the permission set ``owner``.

    ``row`` is a grant of it that gives too little.
    """

    owner: str
    editable: bool
    row: str | None = None


OBJECT_GRANT = "object permission"
"""The kind of a step that lets a permission set's users read the records of an object."""


class Granting:
    """Grants for one run of set-up. ``find_sets`` returns name -> id of the permission sets; it is called once."""

    def __init__(self, calls: SetupCalls, find_sets: Callable[[], Mapping[str, str]]) -> None:
        self._calls = calls
        self._find_sets = find_sets
        self._sets: Mapping[str, str] | None = None

    def id_of(self, name: str) -> str:
        """Return the id of a permission set. Raises SchemaError where it is not there."""
        if self._sets is None:
            self._sets = self._find_sets()
        if name not in self._sets:
            raise SchemaError(f"The permission set {name} is not there.", "Run `ringfence setup salesforce` again.")
        return self._sets[name]

    def grant(self, steps: Sequence[SetupStep], refused: set[str]) -> Iterator[SetupStep]:
        """Yield each step when it is done; a field whose creation was ``refused`` is left out."""
        new = [step for step in steps if step.body.row is None and step.name not in refused]
        faults: dict[SetupStep, Fault] = {}
        for batch in in_batches(new, COLLECTION):
            faults.update(zip(batch, self._create(batch), strict=True))

        for step in steps:
            if step.name in refused:
                yield replace(step, refused="the field is not there")
            elif step.body.row is not None:
                self._calls.update("FieldPermissions", step.body.row, _rights(step.body))
                yield step
            else:
                fault = faults[step]
                yield replace(step, refused=str(fault)) if str(fault) and fault.code != _TAKEN else step

    def grant_reading(self, step: SetupStep) -> SetupStep:
        """Let the users of a permission set read the records of an object; return the step."""
        body = {"ParentId": self.id_of(step.body.owner), "SobjectType": step.name, "PermissionsRead": True}
        self._calls.create("ObjectPermissions", body)
        return step

    def _create(self, steps: Sequence[SetupStep]) -> list[Fault]:
        """Create the grants and return the fault of each, an empty one where there is none."""
        bodies = [self._body(step) for step in steps]
        try:
            return self._calls.create_many("FieldPermissions", bodies)
        except AnswerError:
            return [self._create_one(body) for body in bodies]

    def _create_one(self, body: Mapping[str, Any]) -> Fault:
        try:
            self._calls.create("FieldPermissions", body)
        except AnswerError as error:
            return error.fault if str(error.fault) else Fault("", error.message)
        return read_fault(None)

    def _body(self, step: SetupStep) -> dict[str, Any]:
        owner = {"ParentId": self.id_of(step.body.owner), "SobjectType": step.name.partition(".")[0]}
        return {**owner, "Field": step.name, **_rights(step.body)}


def _rights(grant: Grant) -> dict[str, bool]:
    return {"PermissionsRead": True, "PermissionsEdit": grant.editable}
