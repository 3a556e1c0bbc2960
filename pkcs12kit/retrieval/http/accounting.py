"""What one URL cost, and what all of them may."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import SystemRandom
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import Pkcs12KitError

if TYPE_CHECKING:
    from collections.abc import Callable

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


class TotalBudget:
    """The bytes of all responses of one fetcher. ``size`` is how many of them came over the network."""

    def __init__(self, limits: Limits) -> None:
        self._allowed = limits.retrieval_total_bytes
        self._left = self._allowed
        self.size = 0

    def spend(self, size: int) -> None:
        """Count bytes; raises :class:`UnansweredError` where there are more than allowed."""
        self._left -= size
        if self._left < 0:
            raise UnansweredError(
                f"more than {self._allowed:,} bytes of all URLs (limits.retrieval_total_bytes)", refused=True
            )


@dataclass(slots=True)
class Tally:
    """What came of one URL so far, counted as it comes. ``tell`` is called when bytes did."""

    budget: TotalBudget
    tell: Callable[[], object]
    attempts: int = 0
    size: int = 0
    http_status: int | None = None
    redirects: list[str] = field(default_factory=list)
    began: float | None = None

    @property
    def seconds(self) -> float:
        """Since the first request was sent."""
        return 0.0 if self.began is None else time.monotonic() - self.began

    def begins(self) -> None:
        """Note that a request is sent."""
        if self.began is None:
            self.began = time.monotonic()

    def heard(self, status: int) -> None:
        """Note what a server answered."""
        self.http_status = status

    def received(self, size: int) -> None:
        """Bytes came over the network; raises :class:`UnansweredError` where they are too many in all."""
        self.size += size
        self.budget.size += size
        self.tell()
        self.budget.spend(size)

    def unpacked(self, size: int) -> None:
        """Bytes came of decompressing, or from the cache; raises like :meth:`received`."""
        self.budget.spend(size)


class UnansweredError(Pkcs12KitError):
    """One request brought no content. The text says why in one line; it may quote text from outside.

    ``refused``: by us, by a limit or an address. ``passing``: the next request may succeed, after ``wait`` seconds if
    the server named a time. ``unreachable``: there was no connection, so other URLs of the same server fare the same.
    """

    def __init__(
        self,
        why: str,
        *,
        refused: bool = False,
        passing: bool = False,
        unreachable: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(why)
        self.refused = refused
        self.passing = passing
        self.unreachable = unreachable
        self.wait = wait
