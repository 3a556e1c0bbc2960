"""What one URL cost, and what all of them may."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pkcs12kit.retrieval.unanswered import UnansweredError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.limits import Limits


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
