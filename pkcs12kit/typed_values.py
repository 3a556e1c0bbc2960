"""Values as people type them, on the command line and in a manifest: times, durations, modes, IDs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from pkcs12kit.errors import InputError

_OBJECT_IDENTIFIER: Final = re.compile(r"[0-2](\.(0|[1-9][0-9]{0,38})){1,32}", re.ASCII)
# Fewer digits for years, because a datetime ends with the year 9999.
_DURATION: Final = re.compile(r"(?![0-9]{4,}y)([0-9]{1,5})([hdwy])", re.ASCII)
_OCTAL: Final = re.compile(r"(0o)?[0-7]{1,6}", re.ASCII)
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365)}


def parse_time(text: str) -> datetime:
    """Return the time of a text as in RFC 3339, or of a date, in UTC, which is meant where no offset is given.

    Raises :class:`~pkcs12kit.InputError` with an example.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a time; write it like 2018-06-01T00:00:00Z or 2018-06-01") from None
    return time_in_utc(instant)


def time_in_utc(instant: datetime) -> datetime:
    """Return the same time in UTC, which is meant where it has no offset. Raises :class:`~pkcs12kit.InputError`."""
    try:
        return instant.astimezone(UTC) if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    except OverflowError:
        text = instant.isoformat()
        raise InputError(f"{text!r} is before the year 1 or after the year 9999 in UTC") from None


def parse_duration(text: str) -> timedelta:
    """Return a span of time in hours, days, weeks or years of 365 days. Raises :class:`~pkcs12kit.InputError`."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise InputError(f"{text!r} is not a duration; write it like 30d, 12h, 6w or 2y")
    return int(found[1]) * _UNITS[found[2]]


def format_duration(span: timedelta) -> str:
    """Return a span of time as it is typed, in days where that is possible."""
    for unit in "dwyh":
        text = f"{span // _UNITS[unit]}{unit}"
        if not span % _UNITS[unit] and _DURATION.fullmatch(text):
            return text
    raise ValueError(f"no duration is typed so: {span}")


def parse_object_identifier(text: str) -> str:
    """Return an object identifier in dotted form unchanged. Raises :class:`~pkcs12kit.InputError` for another text."""
    if not _OBJECT_IDENTIFIER.fullmatch(text):
        raise InputError(f"{text!r} is not an object identifier; write it like 2.16.840.1.101.3.2.1.3.8")
    return text


def parse_mode(text: str) -> int:
    """Return a mode as chmod takes it, in octal digits. Raises :class:`~pkcs12kit.InputError` for another text."""
    if not _OCTAL.fullmatch(text):
        raise InputError(f"{text!r} is not a mode; write it in octal digits, like 0640 or 600")
    return int(text, 8)


def parse_key_id(text: str) -> bytes:
    """Return the ID of a key from hexadecimal, also with blanks or colons. Raises :class:`~pkcs12kit.InputError`."""
    try:
        key_id = bytes.fromhex(text.replace(":", " "))
    except ValueError:
        key_id = b""
    if not key_id:
        raise InputError(f"{text!r} is not a localKeyID; write it in hexadecimal, as inspect shows it")
    return key_id
