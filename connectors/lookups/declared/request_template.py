"""The request that a provider's file declares, with places in braces for the number and the credentials."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from phonenumbers import national_significant_number, parse, region_code_for_number
from pydantic import Field, field_validator

from ringfence.core.config.addresses import is_loopback

from .axis_maps import Part

NUMBER_PLACES = ("e164", "digits", "national", "region")
"""What may stand in braces for the number: with its plus, without it, as it is dialled at home, its ISO 3166 region."""

_PLACE = re.compile(r"\{([^{}]*)\}")


class RequestTemplate(Part):
    """The request about one number, or about the numbers of a list in its ``json``."""

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
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or "@" in value:
            raise ValueError("it is no web address such as https://api.example.com/v1/lookup; parameters go to query")
        if "{" in parts.netloc:
            # The setting of the address replaces the host as a whole, and whoever resolves names would see what it has.
            raise ValueError(f"nothing in braces can stand in the host {parts.netloc}; it may stand behind the host")
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


def places_in(template: str) -> list[str]:
    """Return what stands in braces."""
    return _PLACE.findall(template)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return a template with its places filled."""
    return _PLACE.sub(lambda found: values[found[1]], template)


def fill_body(template: Any, numbers: Sequence[Mapping[str, str]], secrets: Mapping[str, str]) -> Any:
    """Return a body with its places filled: a list whose one element names the number gets an element for each."""
    places = {**numbers[0], **secrets}
    if isinstance(template, str):
        return fill(template, places)
    if isinstance(template, dict):
        return {name: fill_body(each, numbers, secrets) for name, each in template.items()}
    if is_list_of_numbers(template):
        return [fill_body(template[0], [number], secrets) for number in numbers]
    if isinstance(template, list):
        return [fill_body(each, numbers, secrets) for each in template]
    return template


def lists_of_numbers(template: Any) -> Iterator[list[Any]]:
    """Yield each list in a body whose one element names the number."""
    if is_list_of_numbers(template):
        yield template
    elif isinstance(template, (dict, list)):
        for each in template.values() if isinstance(template, dict) else template:
            yield from lists_of_numbers(each)


def is_list_of_numbers(template: Any) -> bool:
    """Return whether a part of a body is a list whose one element names the number."""
    return isinstance(template, list) and len(template) == 1 and count_numbers(template) > 0


def count_numbers(template: Any) -> int:
    """Return how often the number is named in a part of a body."""
    return sum(place in NUMBER_PLACES for text in _texts_in(template) for place in places_in(text))


def number_places(e164: str) -> dict[str, str]:
    """Return what stands for a number at each of its places; the region is empty where it has none."""
    number = parse(e164)
    national, region = national_significant_number(number), region_code_for_number(number) or ""
    return {"e164": e164, "digits": e164.lstrip("+"), "national": national, "region": region}


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(each)
