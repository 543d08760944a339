"""The model of a provider's file (docs/contract.md, section 6): what is asked, and what the answer means.

::

    request   method, url, query, headers, json; {e164} and the credentials stand in braces
    batch     how many numbers go into one request: a list in its json, and a list of answers joined by their numbers
    answer    an axis -> where its value stands, and which of the provider's words means which of ours
    errors    HTTP status -> what became of the call; body_errors: the same by what the body says

A value that the map does not have becomes the map's default, and its raw text is kept and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from ringfence.core.config.yaml_model import read_model
from ringfence.core.model.axes import Evidence, Outcome
from ringfence.core.numbers import Validity

from .axis_maps import AXES, AnswerMap, AxisMap, CarrierMap, Part, RiskMap, as_words
from .flaws import find_flaws, find_flaws_of_many, find_flaws_of_one
from .request_template import RequestTemplate

Region = Annotated[str, Field(pattern="^[A-Z]{2}$")]
"""An ISO 3166 region."""


class BodyError(Part):
    """Something in a body that says what became of the call, whatever the HTTP status.

    It counts where ``path`` holds one of ``values``, or a text that ``contains`` one of these; with a ``default``, also
    where it holds anything else. ``where`` limits it to bodies in which other paths hold these values.
    """

    path: str
    values: Annotated[dict[str, Outcome], BeforeValidator(as_words)] = Field(default_factory=dict)
    contains: Annotated[dict[str, Outcome], BeforeValidator(as_words)] = Field(default_factory=dict)
    default: Outcome | None = None
    where: dict[str, Any] = Field(default_factory=dict)


class StatusAnswer(Part):
    """An HTTP status that is an answer about the number.

    A body that holds ``has`` is believed at once. With ``unsigned`` another JSON object is believed too where the
    address is known to be the provider's; see :mod:`ringfence.connectors.lookups.declared.standing`.
    """

    has: str = Field(min_length=1)
    unsigned: bool = False
    validity: Validity
    evidence: Evidence


class ProviderFile(Part):
    """A lookup provider that is one request and a map; see the module."""

    name: str = Field(pattern="^[a-z][a-z0-9-]*$", description="in settings: upper case, `-` as `_`")
    title: str = ""
    note: str = Field("", description="what its word is worth, in one sentence")
    credentials: list[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]] = Field(default_factory=list)
    countries: list[Region] = Field(
        default_factory=list, description="ISO 3166 regions that it covers; none named: everywhere"
    )
    request: RequestTemplate
    batch: int = Field(1, ge=1, le=10_000, description="numbers in one request, at most")
    answer: AnswerMap
    evidence: Evidence = Field(Evidence.VENDOR_ASSERTED, description="how it knows what it tells")
    errors: dict[int, Outcome] = Field(default_factory=dict, description="HTTP status -> what became of the call")
    region_errors: dict[Region, dict[int, Outcome]] = Field(
        default_factory=dict, description="the same for the numbers of one region, which goes before `errors`"
    )
    body_errors: list[BodyError] = Field(default_factory=list, description="looked at before the status")
    item_errors: list[BodyError] = Field(default_factory=list, description="the same in one item of a batch")
    status_answers: dict[int, StatusAnswer] = Field(default_factory=dict)
    partial_by: str | None = Field(
        None, min_length=1, description="a path that holds something in an answer of which a part did not come"
    )
    recognised_by: str | None = Field(None, description="a path that every good answer has")
    price: float | None = Field(None, ge=0, allow_inf_nan=False, description="of one number")
    pace: float | None = Field(None, gt=0, allow_inf_nan=False, description="requests a second")

    @model_validator(mode="after")
    def _whole(self) -> ProviderFile:
        flaws = list(find_flaws(self.request, self.answer, self.credentials))
        if self.batch == 1:
            flaws += find_flaws_of_one(self.answer, item_errors=bool(self.item_errors))
        else:
            flaws += find_flaws_of_many(self.request, self.answer, status_answers=bool(self.status_answers))
        if flaws:
            raise ValueError("; ".join(flaws))
        return self


def parse_provider_file(text: str, where: str) -> ProviderFile:
    """Return the provider that YAML text declares; ``where`` names the file. Raises MappingError."""
    return read_model(text, ProviderFile, f"The declarations of the lookup provider {where}", _known_keys)


def provider_schema() -> dict[str, Any]:
    """Return the JSON Schema of a provider's file."""
    return ProviderFile.model_json_schema()


_MODELS: Mapping[str, type[BaseModel]] = {
    "request": RequestTemplate,
    "answer": AnswerMap,
    "carrier": CarrierMap,
    "risk": RiskMap,
    "body_errors": BodyError,
    "item_errors": BodyError,
    "status_answers": StatusAnswer,
    **dict.fromkeys(AXES, AxisMap),
}


def _known_keys(place: Sequence[str]) -> Iterable[str]:
    """Return the keys that may stand where an unknown one does."""
    model = next((_MODELS[part] for part in reversed(place[:-1]) if part in _MODELS), ProviderFile)
    return [field.alias or name for name, field in model.model_fields.items()]
