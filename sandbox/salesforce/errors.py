"""Refusals of the Salesforce API, in the shapes that the service uses.

A request-level refusal is a list with `errorCode`; a row of an sObject Collection uses `statusCode` instead
(REST guide, "sObject Collections" and "Status Codes and Error Responses"; recorded bodies of 2021 to 2025).
"""

from __future__ import annotations

from collections.abc import Sequence

NOT_FOUND_MESSAGE = "The requested resource does not exist"


class ApiError(Exception):
    """A refusal of the whole request.

    Takes the HTTP status, Salesforce's error code and message, and the fields it names (None leaves the key out, as the
    service does for refusals that come before any row is touched).
    """

    def __init__(self, status: int, code: str, message: str, fields: Sequence[str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def body(self) -> list[dict[str, object]]:
        """Return the JSON body of a request-level refusal."""
        error: dict[str, object] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = list(self.fields)
        return [error]


class RowError(Exception):
    """A refusal of one row; the other rows of the same request are not touched by it."""

    def __init__(self, code: str, message: str, fields: Sequence[str] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = tuple(fields)

    def result(self) -> dict[str, object]:
        """Return the result of a refused row in an sObject Collection; it carries no id, as recorded."""
        error = {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}
        return {"success": False, "errors": [error]}

    def alone(self) -> ApiError:
        """Return the refusal of a request that is about this row alone."""
        if self.code == "INVALID_CROSS_REFERENCE_KEY":
            return not_found()
        status = 403 if self.code.startswith("INSUFFICIENT_ACCESS") else 400
        if self.code == "ENTITY_IS_DELETED":
            status = 404
        # A column that does not exist is found before the row is touched: the recorded body names no fields.
        return ApiError(status, self.code, self.message, None if self.code == "INVALID_FIELD" else self.fields)


def not_found() -> ApiError:
    """Return the refusal of a URL, object or row that does not exist."""
    return ApiError(404, "NOT_FOUND", NOT_FOUND_MESSAGE)


def unparsable(message: str) -> ApiError:
    """Return the refusal of a body that is not the JSON that was expected."""
    return ApiError(400, "JSON_PARSER_ERROR", message)
