"""Requests and answers of the portal, independent of the HTTP library."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import bad_request

TYPE_NAMES = {
    "contacts": "contacts",
    "contact": "contacts",
    "0-1": "contacts",
    "companies": "companies",
    "company": "companies",
    "0-2": "companies",
}


def type_name_of(given: str) -> str:
    """Return `contacts` or `companies` for any name of theirs; raises RefusalError(400) for any other object type."""
    known = TYPE_NAMES.get(given.lower())
    if known is None:
        raise bad_request(f"Unable to infer object type from: {given}")
    return known


@dataclass(frozen=True, slots=True)
class Call:
    """A request: path parameters, query (name -> all its values), raw body, and the address for links."""

    params: dict[str, str]
    query: dict[str, list[str]]
    body: bytes
    url: str

    @property
    def type_name(self) -> str:
        """The object type, `contacts` or `companies`; raises RefusalError(400) for any other."""
        return type_name_of(self.params["type"])

    def text(self) -> str:
        """Return the body as text; raises RefusalError(400) when it is not UTF-8."""
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            raise bad_request("Invalid input JSON: the body is not UTF-8") from None

    def json(self) -> dict[str, Any]:
        """Return the body as a JSON object; raises RefusalError(400) for anything else."""
        body = self._parse()
        if not isinstance(body, dict):
            raise bad_request("Invalid input JSON on line 1, column 1: the body is no object")
        return body

    def json_list(self) -> list[Any]:
        """Return the body as a JSON list; raises RefusalError(400) for anything else."""
        body = self._parse()
        if not isinstance(body, list):
            raise bad_request("Invalid input JSON on line 1, column 1: the body is no list")
        return body

    def _parse(self) -> Any:
        try:
            return json.loads(self.text())
        except ValueError:
            raise bad_request("Invalid input JSON on line 1, column 1: the body is no JSON") from None

    def names(self, parameter: str) -> list[str]:
        """Return the values of a query parameter that is comma-separated, repeated, or both."""
        parts = ",".join(self.query.get(parameter, [])).split(",")

        return [part.strip() for part in parts if part.strip()]

    def first(self, parameter: str) -> str | None:
        """Return the first value of a query parameter, or None."""
        values = self.query.get(parameter)
        return values[0] if values else None

    def flag(self, parameter: str) -> bool:
        """Return whether a query parameter says true, in upper or lower case."""
        return (self.first(parameter) or "").lower() == "true"

    def whole(self, parameter: str, default: int) -> int:
        """Return a query parameter as a whole number, or the default; raises RefusalError(400) for other text."""
        text = self.first(parameter) or str(default)
        if not text.isascii() or not text.isdigit():
            raise bad_request(f"Invalid {parameter}: {text}")
        return int(text)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; a `body` of None sends no body, a text is a web page.

    `refused` tells that the body gets a correlationId, `counted` that the rate headers are sent with it; `headers` are
    further ones.
    """

    status: int
    body: Any = field(default=None)
    refused: bool = False
    counted: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
