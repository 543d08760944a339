"""The model of a provider's file (docs/contract.md, section 6): what is asked, and what the answer means.

::

    request   method, url, query, headers, json; {e164} and the credentials stand in braces
    answer    an axis -> where its value stands, and which of the provider's words means which of ours
    errors    HTTP status -> what became of the call; body_errors: the same by what the body says

A value that the map does not have becomes the map's default, and its raw text is kept and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from ringfence.core.config.addresses import is_loopback
from ringfence.core.config.yaml_model import read_model
from ringfence.core.model.axes import Evidence, LineState, Outcome, Ported
from ringfence.core.numbers import LineType, Validity

NUMBER_PLACES = ("e164", "digits", "national", "region")
"""What may stand in braces for the number: with its plus, without it, as it is dialled at home, its ISO 3166 region."""

_PLACE = re.compile(r"\{([^{}]*)\}")


def word_of(value: object) -> str:
    """Return a value as the maps know it: `true` for JSON's true, and text in lower case without space around it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return str(value).strip().casefold()


def _as_words(values: object) -> object:
    return {word_of(key): value for key, value in values.items()} if isinstance(values, dict) else values


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Meant(_Part):
    """One of our values, with evidence of its own where a value is known in another way than the rest of its axis."""

    value: str
    evidence: Evidence | None = None


def _as_meant(values: object) -> object:
    words = _as_words(values)
    if not isinstance(words, dict):
        return words
    return {word: meant if isinstance(meant, dict) else {"value": word_of(meant)} for word, meant in words.items()}


Words = Annotated[dict[str, Meant], BeforeValidator(_as_meant, json_schema_input_type=dict[str, str | Meant])]


class Span(_Part):
    """Numbers from ``least`` to ``most`` that mean ``value``, such as the scores of a statistical model."""

    least: float = Field(alias="from")
    most: float = Field(alias="to")
    value: str


class AxisMap(_Part):
    """Where the value of an axis stands in the answer, and what it means.

    ``path`` leads through the JSON by names, and through lists by places: ``carrier.name``, ``results.0.type``.
    """

    path: str = Field(min_length=1)
    values: Words = Field(default_factory=dict, description="the provider's words -> ours")
    ranges: list[Span] = Field(default_factory=list, description="spans of numbers -> ours")
    default: str = Field(description="ours for whatever the map does not have")
    evidence: Evidence | None = Field(None, description="how the provider knows it, where not as it knows the rest")


class TextMap(_Part):
    """Where a text stands in the answer that is taken as it is."""

    path: str = Field(min_length=1)


class CarrierMap(_Part):
    """Where the carrier stands: its name (``path`` or ``name``), and its network codes."""

    path: str | None = None
    name: str | None = None
    mcc: str | None = None
    mnc: str | None = None


class RiskMap(_Part):
    """Where a risk score from 0 to 100 stands, and which values mean which flag."""

    score: str | None = None
    flags: dict[str, str] = Field(default_factory=dict, description="our flag -> the path that is true for it")


class AnswerMap(_Part):
    """What each axis is read from."""

    validity: AxisMap | None = None
    line_state: AxisMap | None = None
    line_type: AxisMap | None = None
    ported: AxisMap | None = None
    carrier: CarrierMap | None = None
    risk: RiskMap | None = None
    cost: TextMap | None = None

    def axes(self) -> Iterator[tuple[str, AxisMap, type[Any]]]:
        """Yield the name, the map and the values of each axis that a word is read for."""
        kinds = {"validity": Validity, "line_state": LineState, "line_type": LineType, "ported": Ported}
        for name, kind in kinds.items():
            if (axis := getattr(self, name)) is not None:
                yield name, axis, kind


class RequestTemplate(_Part):
    """The request about one number, or about a list of them."""

    method: Literal["GET", "POST"] = "GET"
    url: str
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    basic: list[str] | None = Field(None, min_length=2, max_length=2, description="user and password of HTTP Basic")
    json_body: Any = Field(None, alias="json")
    secret_in_url: bool = Field(
        False, description="agree that a credential goes into the URL: the vendor has no other way"
    )

    @field_validator("url")
    @classmethod
    def _safe(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
            raise ValueError("it is no web address such as https://api.example.com/v1/lookup; parameters go to query")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError(f"it would send credentials to {parts.hostname} in clear text: use https://")
        return value.strip()

    def texts(self) -> Iterator[tuple[str, str, bool]]:
        """Yield each place of the request, its template, and whether it is a part of the URL."""
        yield "request.url", self.url, True
        for name, text in self.query.items():
            yield f"request.query.{name}", text, True
        for name, text in self.headers.items():
            yield f"request.headers.{name}", text, False
        for text in self.basic or ():
            yield "request.basic", text, False
        for text in _texts_in(self.json_body):
            yield "request.json", text, False


class BodyError(_Part):
    """Something in a body that says what became of the call, whatever the HTTP status.

    It counts where ``path`` holds one of ``values``, or a text that ``contains`` one of these; with a ``default``, also
    where it holds anything else. ``where`` limits it to bodies in which other paths hold these values.
    """

    path: str
    values: Annotated[dict[str, Outcome], BeforeValidator(_as_words)] = Field(default_factory=dict)
    contains: Annotated[dict[str, Outcome], BeforeValidator(_as_words)] = Field(default_factory=dict)
    default: Outcome | None = None
    where: dict[str, Any] = Field(default_factory=dict)


class StatusAnswer(_Part):
    """An HTTP status that is an answer about the number, where the body holds ``has``."""

    has: str = Field(min_length=1)
    validity: Validity
    evidence: Evidence


class ProviderFile(_Part):
    """A lookup provider that is one request and a map; see the module."""

    name: str = Field(pattern="^[a-z][a-z0-9-]*$", description="in settings: upper case, `-` as `_`")
    title: str = ""
    note: str = Field("", description="what its word is worth, in one sentence")
    credentials: list[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]] = Field(default_factory=list)
    countries: list[Annotated[str, Field(pattern="^[A-Z]{2}$")]] = Field(
        default_factory=list, description="ISO 3166 regions that it covers; none named: everywhere"
    )
    request: RequestTemplate
    answer: AnswerMap
    evidence: Evidence = Field(Evidence.VENDOR_ASSERTED, description="how it knows what it tells")
    errors: dict[int, Outcome] = Field(default_factory=dict, description="HTTP status -> what became of the call")
    body_errors: list[BodyError] = Field(default_factory=list, description="looked at before the status")
    status_answers: dict[int, StatusAnswer] = Field(default_factory=dict)
    recognised_by: str | None = Field(None, description="a path that every good answer has")
    price: float | None = Field(None, ge=0, allow_inf_nan=False, description="of one number")
    pace: float | None = Field(None, gt=0, allow_inf_nan=False, description="requests a second")

    @model_validator(mode="after")
    def _whole(self) -> ProviderFile:
        problems = [*self._wrong_values(), *self._wrong_places()]
        if not any(axis for _, axis, _ in self.answer.axes()):
            problems.append("answer: name at least one of validity, line_state, line_type, ported")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _wrong_values(self) -> Iterator[str]:
        for name, axis, kind in self.answer.axes():
            ours = {str(each) for each in kind}
            if not axis.values and not axis.ranges:
                yield f"answer.{name}: it has neither values nor ranges"
            meant = [meant.value for meant in axis.values.values()] + [span.value for span in axis.ranges]
            for value in (*meant, axis.default):
                if value not in ours:
                    yield f"answer.{name}: {value!r} is none of {', '.join(sorted(ours))}"

    def _wrong_places(self) -> Iterator[str]:
        known = {*NUMBER_PLACES, *self.credentials}
        used: set[str] = set()
        for where, text, in_url in self.request.texts():
            for place in _PLACE.findall(text):
                used.add(place)
                if place not in known:
                    yield f"{where}: nobody knows {{{place}}}; there are {', '.join(sorted(known))}"
                elif in_url and place in self.credentials and not self.request.secret_in_url:
                    yield (
                        f"{where}: {{{place}}} is a credential and would stand in the URL, which servers and proxies "
                        "log; put it into a header, or say secret_in_url: true where the vendor has no other way"
                    )
        if not used.intersection(NUMBER_PLACES):
            yield f"request: the number stands nowhere; write {{e164}} or one of {', '.join(NUMBER_PLACES)}"
        for name in self.credentials:
            if name not in used:
                yield f"credentials: {name} is used nowhere in the request"
            if name in NUMBER_PLACES or name in ("base_url", "price", "pace"):
                yield f"credentials: {name} means something else"


def parse_provider_file(text: str, where: str) -> ProviderFile:
    """Return the provider that YAML text declares; ``where`` names the file. Raises MappingError."""
    return read_model(text, ProviderFile, f"The declarations of the lookup provider {where}", _known_keys)


def provider_schema() -> dict[str, Any]:
    """Return the JSON Schema of a provider's file."""
    return ProviderFile.model_json_schema()


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return a template with its places filled."""
    return _PLACE.sub(lambda found: values[found[1]], template)


_MODELS: Mapping[str, type[BaseModel]] = {
    "request": RequestTemplate,
    "answer": AnswerMap,
    "carrier": CarrierMap,
    "risk": RiskMap,
    "body_errors": BodyError,
    "status_answers": StatusAnswer,
}


def _known_keys(place: Sequence[str]) -> Iterable[str]:
    """Return the keys that may stand where an unknown one does."""
    for part in reversed(place[:-1]):
        if part in _MODELS:
            return _names(_MODELS[part])
        if part in ("validity", "line_state", "line_type", "ported"):
            return _names(AxisMap)
    return _names(ProviderFile)


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts_in(each)
