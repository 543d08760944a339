"""What a name in a query means to the user: a field of the object, or one of another object by its relationships."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from ...clock import Clock
from ..access import Access
from ..errors import ApiError
from ..schema import FieldSpec
from ..table import Row, Table, Value
from .tokens import Token, caret

MOST_STEPS = 5
"""Relationships from child to parent in one path."""

Getter = Callable[[Row], Value]


@dataclass(frozen=True, slots=True)
class World:
    """The objects that can be asked for, what the user may see of each, and the time."""

    tables: Mapping[str, Table]
    access_of: Callable[[str], Access]
    clock: Clock

    def named(self, name: str) -> str | None:
        """Return the exact name of an object, or None."""
        return next((known for known in self.tables if known.lower() == name.lower()), None)

    def today(self) -> date:
        """Return the day that date literals count from."""
        return self.clock.now().astimezone(UTC).date()

    def now(self) -> datetime:
        """Return the present moment."""
        return self.clock.now()


@dataclass(frozen=True, slots=True)
class Step:
    """One relationship of a path: its name, the field that holds the parent's id, and where parents are."""

    name: str
    reference: str
    table: Table


@dataclass(frozen=True, slots=True)
class Path:
    """A field and the relationships that lead to it."""

    field: FieldSpec
    steps: tuple[Step, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the relationships and of the field."""
        return (*(step.name for step in self.steps), self.field.name)

    @property
    def getter(self) -> Getter:
        """What gives the value of a row; None where a relationship is empty."""
        name, steps = self.field.name, self.steps
        if not steps:
            return lambda row: row.get(name)

        def get(row: Row) -> Value:
            at = row
            for step in steps:
                parent = step.table.rows.get(str(at[step.reference]))
                if parent is None:
                    return None
                at = parent
            return at.get(name)

        return get


@dataclass(slots=True)
class Scope:
    """The query text, for the caret picture in refusals, and the object as the user sees it.

    `alias` is the other name that the query gives the object.
    """

    text: str
    access: Access
    world: World
    alias: str = ""
    _known: dict[str, Path] = field(default_factory=dict)

    def path(self, token: Token) -> Path:
        """Return what a token names; raises ApiError INVALID_FIELD with the caret picture."""
        known = self._known.get(token.text)
        if known is None:
            known = self._known[token.text] = self._find(token)
        return known

    def field(self, token: Token) -> FieldSpec:
        """Return the field that a token names; raises as `path` does."""
        return self.path(token).field

    def _find(self, token: Token) -> Path:
        *relations, name = token.text.split(".")
        if relations and relations[0].lower() in (self.alias.lower(), self.access.spec.name.lower()):
            relations = relations[1:]
        if len(relations) > MOST_STEPS:
            raise self.refusal(token, f"Maximum relationship depth of {MOST_STEPS} levels exceeded.")

        access, steps = self.access, list[Step]()
        for relation in relations:
            step, target = self._step(token, access, relation)
            steps.append(step)
            access = self.world.access_of(target)

        spec = access.visible.get(name.lower())
        if spec is None:
            raise self._no_column(token, access, name)
        return Path(spec, tuple(steps))

    def _step(self, token: Token, access: Access, relation: str) -> tuple[Step, str]:
        for spec in access.visible.values():
            if spec.relationship and spec.relationship.lower() == relation.lower():
                target = next((name for name in spec.targets if name in self.world.tables), None)
                if target is not None:
                    return Step(spec.relationship, spec.name, self.world.tables[target]), target

        raise self.refusal(
            token,
            f"Didn't understand relationship '{relation}' in field path. If you are attempting to use a custom"
            " relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL"
            " or the describe call for the appropriate names.",
        )

    def _no_column(self, token: Token, access: Access, name: str) -> ApiError:
        return self.refusal(
            token,
            f"No such column '{name}' on entity '{access.spec.name}'. If you are attempting to use a custom field, be"
            " sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for"
            " the appropriate names.",
        )

    def refusal(self, token: Token, message: str, code: str = "INVALID_FIELD") -> ApiError:
        """Return a refusal that points at a token."""
        return ApiError(400, code, caret(self.text, token.at) + message)

    def fields(self) -> Iterator[FieldSpec]:
        """Yield the fields of the object that the user sees."""
        return iter(self.access.visible.values())
