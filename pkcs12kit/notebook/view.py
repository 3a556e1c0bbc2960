"""What drawing needs to know beside the value: the time to look at, and how much to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pkcs12kit.certificates.times import require_aware

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How to look at a value.

    ``time`` is the one that the caller named; None where that is the value's own business: a path is looked at as of
    the time that it was validated for, anything that has no time of its own as of now.
    """

    limits: Limits
    time: datetime | None = None

    def __post_init__(self) -> None:
        if self.time is not None:
            require_aware(self.time)

    def at(self, own: datetime | None) -> View:
        """Look at something that has a time of its own; a time that the caller named goes first."""
        return View(limits=self.limits, time=self.time or own)

    @property
    def time_or_now(self) -> datetime:
        """The time named, or this moment."""
        return self.time or datetime.now(UTC)

    def time_in_words(self) -> str:
        """Say which time it is, to the day."""
        instant = self.time_or_now.astimezone(UTC).date().isoformat()
        return instant if self.time is not None else f"today, {instant}"
