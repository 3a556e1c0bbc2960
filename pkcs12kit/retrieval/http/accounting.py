"""Counts and waiting times: the cost of one URL, the budget for all of them, and the pause between two tries."""

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

TRANSIENT_STATUSES: Final = frozenset({408, 429, 502, 503, 504})
"""Statuses for a state that may pass (RFC 9110 section 15, RFC 6585 section 4).

500 is not among them: the server cannot answer this request, and a second one would change nothing.
"""

PROXY_LOGIN: Final = "proxy answers 407"
"""Part of the reason for a URL where a proxy refuses a request without a login, or with a wrong one."""
PROXY_FAILS: Final = "the proxy"
"""Part of the reason for a URL where the proxy is at fault, or may be."""

_SECONDS: Final = re.compile(r"[0-9]{1,15}")
_RANDOM: Final = SystemRandom()


class UnansweredError(Pkcs12KitError):
    """A request without content in response. The text is the reason in one line; it may quote untrusted text.

    ``refused``: pkcs12kit refused it, by a limit or an address. ``transient``: the next request may succeed, after
    ``wait`` seconds if the server named a time. ``unreachable``: no connection was made, so other URLs of the same
    server fail as well.
    """

    def __init__(
        self,
        why: str,
        *,
        refused: bool = False,
        transient: bool = False,
        unreachable: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(why)
        self.refused = refused
        self.transient = transient
        self.unreachable = unreachable
        self.wait = wait


class TotalBudget:
    """The budget of bytes for all responses of one fetcher. ``size`` counts those that came over the network."""

    def __init__(self, limits: Limits) -> None:
        self._allowed = limits.retrieval_total_bytes
        self._left = self._allowed
        self.size = 0

    def spend(self, size: int) -> None:
        """Count bytes; raise :class:`UnansweredError` where they exceed the budget."""
        self._left -= size
        if self._left < 0:
            raise UnansweredError(
                f"more than {self._allowed:,} bytes of all URLs (limits.retrieval_total_bytes)", refused=True
            )


@dataclass(slots=True)
class Tally:
    """Running counts for one URL. ``on_bytes`` is called when bytes have arrived."""

    budget: TotalBudget
    on_bytes: Callable[[], object]
    attempts: int = 0
    size: int = 0
    http_status: int | None = None
    redirects: list[str] = field(default_factory=list)
    started: float | None = None

    @property
    def seconds(self) -> float:
        """The time since the first request was sent."""
        return 0.0 if self.started is None else time.monotonic() - self.started

    def start(self) -> None:
        """Note the time at which the first request is sent."""
        if self.started is None:
            self.started = time.monotonic()

    def add_received(self, size: int) -> None:
        """Count bytes from the network; raise :class:`UnansweredError` where they exceed the budget of all URLs."""
        self.size += size
        self.budget.size += size
        self.on_bytes()
        self.budget.spend(size)

    def add_decoded(self, size: int) -> None:
        """Count bytes from decompression or from the cache; raise like :meth:`add_received`."""
        self.budget.spend(size)


def retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110 section 10.2.3); None for an invalid value."""
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
    """Return the seconds to wait before attempt number ``attempt``, which is 2 or more.

    It is at least the time that the server asked for. Instead of it, or in addition, it is a random part of
    ``limits.retrieval_backoff_seconds``, doubled for each attempt, so that clients that were turned away together do
    not come back together.
    """
    backoff = limits.retrieval_backoff_seconds * float(1 << (attempt - 2)) * _RANDOM.uniform(0.5, 1)
    return backoff if asked_for is None else asked_for + backoff / 2
