"""Times as HubSpot writes and reads them."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_milliseconds(when: datetime) -> int:
    """Return an aware time as milliseconds since the epoch, cut, not rounded."""
    return (when - _EPOCH) // _MILLISECOND


def instant(milliseconds: int) -> str:
    """Return the time in UTC with milliseconds, which are left out where they are zero, as Java's Instant does."""
    text = (_EPOCH + milliseconds * _MILLISECOND).isoformat(
        timespec="milliseconds" if milliseconds % 1000 else "seconds"
    )
    return f"{text[:-6]}Z"


def parse(text: str) -> int:
    """Read epoch milliseconds or ISO 8601 (without a zone: UTC); raises ValueError or OverflowError."""
    if text.lstrip("-").isdigit():
        instant(int(text))
        return int(text)
    when = datetime.fromisoformat(text)
    return to_milliseconds(when if when.tzinfo else when.replace(tzinfo=UTC))
