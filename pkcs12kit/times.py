"""Instants as text, in the one form that the command, JSON and messages share."""

from __future__ import annotations

from datetime import UTC, datetime

from pkcs12kit.arguments import require_kind
from pkcs12kit.errors import ArgumentError


def format_time(instant: datetime) -> str:
    """Write an aware datetime as RFC 3339 in UTC, to the second: ``2018-06-01T00:00:00Z``."""
    # strftime does not pad years before 1000 everywhere
    return require_aware(instant).astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def now() -> datetime:
    """Return the time of this computer's clock, in UTC."""
    return datetime.now(UTC)


def time_or_now(time: datetime | None) -> datetime:
    """Return the time, or now if it is None. Raises :class:`~pkcs12kit.ArgumentError` for a time without time zone."""
    return now() if time is None else require_aware(time)


def require_aware(instant: datetime) -> datetime:
    """Return ``instant`` itself. Raises :class:`~pkcs12kit.ArgumentError` unless it is a datetime with a time zone."""
    require_kind("time", instant, datetime)
    if instant.utcoffset() is None:
        raise ArgumentError(f"{instant.isoformat()} has no time zone; give one, for example tzinfo=datetime.UTC")
    return instant
