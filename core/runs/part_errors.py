"""The error that ended a part of a run, as JSON values, and back as the error that ends the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import errors
from ..errors import ErrorCode, RingfenceError
from .ending import describe_end

_BY_NAME: dict[str, type[RingfenceError]] = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, RingfenceError) and kind is not errors.CostError
}


def error_to_json(error: Exception) -> dict[str, Any]:
    """Return what another process needs to end its run by this error; a fault is told by its kind and place alone."""
    if isinstance(error, RingfenceError):
        return {
            "error": type(error).__name__,
            "message": error.message,
            "remedy": error.remedy,
            "code": error.code.value,
            "details": error.details,
        }
    end = describe_end(error, lambda known: (known.message, known.remedy))
    fault = ErrorCode.INTERNAL.value
    return {"error": "RingfenceError", "message": end.message, "remedy": end.remedy, "code": fault, "details": {}}


def error_from_json(told: Mapping[str, Any]) -> RingfenceError:
    """Return the error that a part of the run ended by."""
    kind = _BY_NAME.get(told["error"], RingfenceError)
    return kind(told["message"], told["remedy"], code=ErrorCode(told["code"]), details=told["details"])
