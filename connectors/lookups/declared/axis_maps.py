"""What each axis of an answer is read from: a path into the JSON, and which word of the provider's means which of ours.

A path leads by names, and through lists by places, joined by points: ``carrier.name``, ``results.0.type``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ringfence.core.model.axes import Evidence, LineState, Ported
from ringfence.core.numbers import LineType, Validity


def word_of(value: object) -> str:
    """Return a value as the maps know it: `true` for JSON's true, and text in lower case without space around it.

    A list or an object is no word: it becomes an empty one.
    """
    if isinstance(value, (dict, list)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return str(value).strip().casefold()


def as_words(values: object) -> object:
    """Return a mapping with its keys as the maps know them; anything else as it is."""
    return {word_of(key): value for key, value in values.items()} if isinstance(values, dict) else values


class Part(BaseModel):
    """A part of a provider's file: it takes no key that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Meant(Part):
    """One of our values, with evidence of its own where a value is known in another way than the rest of its axis."""

    value: str
    evidence: Evidence | None = None


def _as_meant(values: object) -> object:
    words = as_words(values)
    if not isinstance(words, dict):
        return words
    return {word: meant if isinstance(meant, dict) else {"value": word_of(meant)} for word, meant in words.items()}


Words = Annotated[dict[str, Meant], BeforeValidator(_as_meant, json_schema_input_type=dict[str, str | Meant])]


class Span(Part):
    """Numbers from ``least`` to ``most`` that mean ``value``, such as the scores of a statistical model."""

    least: float = Field(alias="from")
    most: float = Field(alias="to")
    value: str


class AxisMap(Part):
    """Where the value of an axis stands in the answer, and what it means.

    ``path`` leads through the JSON by names, and through lists by places: ``carrier.name``, ``results.0.type``.
    """

    path: str = Field(min_length=1)
    values: Words = Field(default_factory=dict, description="the provider's words -> ours")
    ranges: list[Span] = Field(default_factory=list, description="spans of numbers -> ours")
    default: str = Field(description="ours for whatever the map does not have")
    evidence: Evidence | None = Field(None, description="how the provider knows it, where not as it knows the rest")


class TextMap(Part):
    """Where a text stands in the answer that is taken as it is."""

    path: str = Field(min_length=1)


class CostMap(TextMap):
    """Where the cost of a lookup stands, and its currency; without one it is kept and settles nothing."""

    currency: str | None = Field(None, pattern="^[A-Z]{3}$", description="ISO 4217 code of the amounts")


class CarrierMap(Part):
    """Where the carrier stands: its name (``path`` or ``name``), and its network codes."""

    path: str | None = None
    name: str | None = None
    mcc: str | None = None
    mnc: str | None = None


class RiskMap(Part):
    """Where a risk score from 0 to 100 stands, and which values mean which flag."""

    score: str | None = None
    flags: dict[str, str] = Field(default_factory=dict, description="our flag -> the path that is true for it")


class AnswerMap(Part):
    """What each axis is read from. In a file with ``batch`` the paths begin at one of the items."""

    items: str | None = Field(
        None, min_length=1, description="where the list of answers stands, with `batch`; `.` where the body is the list"
    )
    number: str | None = Field(
        None, min_length=1, description="where an answer names its number; one about another number is not taken"
    )
    validity: AxisMap | None = None
    line_state: AxisMap | None = None
    line_type: AxisMap | None = None
    ported: AxisMap | None = None
    carrier: CarrierMap | None = None
    risk: RiskMap | None = None
    cost: CostMap | None = None

    def axes(self) -> Iterator[tuple[str, AxisMap, type[Any]]]:
        """Yield the name, the map and the values of each axis that a word is read for."""
        for name, kind in AXES.items():
            if (axis := getattr(self, name)) is not None:
                yield name, axis, kind


AXES: dict[str, type[Any]] = {
    "validity": Validity,
    "line_state": LineState,
    "line_type": LineType,
    "ported": Ported,
}
"""The axes that a word is read for, each with its values."""
