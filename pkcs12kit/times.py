"""Instants as text, in the one form that the command, JSON and messages share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast


def format_time(instant: datetime) -> str:
    """Write an aware datetime as RFC 3339 in UTC, to the second: ``2018-06-01T00:00:00Z``."""
    # strftime does not pad years before 1000 everywhere
    return require_aware(instant).astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def require_aware(instant: datetime) -> datetime:
    """Return ``instant`` itself. Raises :class:`ValueError` without a time zone, :class:`TypeError` for no datetime."""
    if not isinstance(cast("object", instant), datetime):
        raise TypeError(f"a time is a datetime, not {type(instant).__name__}")
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone; give one, for example tzinfo=datetime.UTC")
    return instant
