"""What the columns of the state store hold beyond the plain types, and the tables' common home."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, MetaData, String, Text, TypeDecorator

metadata = MetaData()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC moment, kept as naive UTC because SQLite knows no zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002 - SQLAlchemy passes it
        """Turn an aware moment into the naive UTC one that is stored."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002 - SQLAlchemy passes it
        """Turn the stored moment back into an aware one."""
        return None if value is None else value.replace(tzinfo=UTC)


class Words(TypeDecorator[str]):
    """Text that somebody else has written, such as a CRM's message, as both engines can hold it.

    Without the character NUL, which PostgreSQL's texts cannot hold, and with a question mark in the place of half a
    surrogate pair, which neither engine takes.
    """

    impl = Text
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: Any) -> Any:
        """Return the type that holds it: one without bounds on PostgreSQL, as for every column."""
        return String(self.length) if self.length and dialect.name == "sqlite" else Text()

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:  # noqa: ARG002 - SQLAlchemy passes it
        """Turn the text into the one that is stored."""
        if value is None or (value.isascii() and "\x00" not in value):
            return value
        return storable(value)


def storable(text: str) -> str:
    """Return the text as both engines can hold it."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
