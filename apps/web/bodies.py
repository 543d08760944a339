"""Bodies of requests: read once, as the bytes that signatures are made over, and as JSON without surprises."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from .problems import ProblemError

MOST_DEPTH = 20
"""How deep objects and lists of a body may be nested."""


class StrictRoute(APIRoute):
    """A route whose body is JSON without surprises, before it is compared with its model: see :func:`read_json`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()
        guards = [each.call for each in self.dependant.dependencies if each.call and hasattr(each.call, "role")]

        async def answer_strictly(request: Request) -> Response:
            if self.body_field is not None:
                try:
                    read_json(await request.body())
                except ProblemError:
                    for guard in guards:  # who may not call hears that, and nothing of the body
                        await guard(request)
                    raise
            return await answer(request)

        return answer_strictly


async def read_body(request: Request) -> bytes:
    """Return the bytes of the body as they came."""
    return await request.body()


def read_json(body: bytes) -> Any:
    """Return the JSON value of a body. Raises ProblemError (422) for what is none, too deep, or has a key twice."""
    try:
        value = json.loads(body, object_pairs_hook=_without_doubles, parse_constant=_refuse_constant)
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        raise ProblemError(422, f"The body is no JSON: {error}.", code="not_json") from None
    except ValueError:
        detail = "The body is no JSON: send UTF-8, no NaN or Infinity, and no number of thousands of digits."
        raise ProblemError(422, detail, code="not_json") from None
    _refuse_depth(value, MOST_DEPTH)
    return value


def _without_doubles(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ProblemError(422, "A key of the body stands there twice.", code="duplicate_key")
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _refuse_depth(value: Any, left: int) -> None:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if inner and not left:
        raise _too_deep()
    for each in inner:
        _refuse_depth(each, left - 1)


def _too_deep() -> ProblemError:
    return ProblemError(422, f"The body is nested deeper than {MOST_DEPTH} levels.", code="too_deep")
