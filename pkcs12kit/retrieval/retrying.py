"""Whether a URL is asked again, and when."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits

PASSING_STATUSES: Final = frozenset({408, 429, 502, 503, 504})
"""What a server says of a state that may pass (RFC 9110 section 15, RFC 6585 section 4).

Not 500, which says that it cannot answer this, nor any other: to ask again would change nothing.
"""

_SECONDS: Final = re.compile(r"[0-9]{1,15}")
_RANDOM: Final = SystemRandom()


def retry_after(value: str | None, *, now: datetime) -> float | None:
    """Give the seconds that a Retry-After header asks for (RFC 9110 section 10.2.3); None where it makes no sense."""
    if value is None:
        return None
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        date = parsedate_to_datetime(value)
        return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def seconds_before(attempt: int, *, asked_for: float | None, limits: Limits) -> float:
    """Give the seconds to wait before attempt number ``attempt``, which is 2 or more.

    At least what the server asked for. Else, or on top of it, a random part of ``limits.retrieval_backoff_seconds``,
    doubled for each attempt: those who were turned away together do not come back together.
    """
    backoff = limits.retrieval_backoff_seconds * float(1 << (attempt - 2)) * _RANDOM.uniform(0.5, 1)
    return backoff if asked_for is None else asked_for + backoff / 2
