"""The contract of one provider's voice: how it is asked, and how it answers and refuses."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from urllib.parse import unquote

from starlette.responses import JSONResponse, Response

from .truth import Truth

Refused = Literal["auth", "credit", "rate", "permission", "too_many", "bad_request"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request below the path of the provider; `keys` are the credentials of the account, by setting."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    keys: Mapping[str, str]

    @property
    def body(self) -> Any:
        """The JSON of the body; None where it is none."""
        try:
            return json.loads(self.content)
        except ValueError:
            return None

    @property
    def fields(self) -> Mapping[str, Any]:
        """The body where it is a JSON object, else an empty one."""
        body = self.body
        return body if isinstance(body, dict) else {}


class Voice(ABC):
    """One provider. `credentials` names the settings of its account that hold secrets or ids."""

    name: ClassVar[str]
    credentials: ClassVar[tuple[str, ...]]
    batch: ClassVar[int] = 1

    @abstractmethod
    def is_authorised(self, asked: Asked) -> bool:
        """Return whether the request carries the credentials in the vendor's way."""

    @abstractmethod
    def numbers(self, asked: Asked) -> Sequence[str] | None:
        """Return the numbers that are asked about, in E.164; None for a path that looks nothing up."""

    def limit(self, asked: Asked) -> int:
        """Return how many numbers the request may be about."""
        return self.batch

    @abstractmethod
    def answer(self, asked: Asked, truths: Sequence[Truth]) -> Response:
        """Return the answer about these numbers."""

    @abstractmethod
    def refuse(self, why: Refused) -> Response:
        """Return the vendor's refusal."""

    def other(self, asked: Asked) -> Response | None:
        """Return the answer to a request that looks nothing up and costs nothing; None where there is no such path."""
        return None


def problem(status: int, body: Any) -> JSONResponse:
    """Return a refusal with a JSON body."""
    return JSONResponse(body, status)


def plus(number: object) -> str:
    """Return a number of digits as E.164."""
    return "+" + str(number).lstrip("+")


def one(number: str | None) -> Sequence[str] | None:
    """Return the one number that a query or a path is about, as E.164; None for none."""
    return [plus(unquote(number).strip())] if number else None
