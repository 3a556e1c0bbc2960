"""Where in its validity a time lies, in words and as a bar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from pkcs12kit.notebook.html import Element, badge, element
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Self

    from pkcs12kit.certificates.certificate import Certificate


@dataclass(frozen=True, slots=True)
class Axis:
    """The span of time that bars are drawn over: the same for all certificates of a path."""

    begin: datetime
    end: datetime

    @classmethod
    def over(cls, certificates: Iterable[Certificate]) -> Self:
        """Take in the validity of every certificate, of which there is one at least."""
        both = [(certificate.not_before, certificate.not_after) for certificate in certificates]
        return cls(min(begin for begin, _ in both), max(end for _, end in both))

    def place(self, instant: datetime) -> float:
        """Give the place of an instant in percent, between 0 and 100."""
        span = (self.end - self.begin).total_seconds()
        return min(100.0, max(0.0, (instant - self.begin).total_seconds() / span * 100)) if span > 0 else 0.0

    def holds(self, instant: datetime) -> bool:
        """Whether an instant is on the axis at all."""
        return self.begin <= instant <= self.end


def day(instant: datetime) -> str:
    """Write the day of an instant, in UTC."""
    return instant.astimezone(UTC).date().isoformat()


def is_valid(certificate: Certificate, time: datetime) -> bool:
    """Whether a time is within the validity."""
    return state(certificate, time)[1] == "good"


def state(certificate: Certificate, time: datetime) -> tuple[str, str]:
    """Say in a word what a certificate is at a time, and whether that is good or bad.

    Both ends of the validity are part of it (RFC 5280 section 4.1.2.5).
    """
    if time > certificate.not_after:
        return "✗ expired", "bad"
    if time < certificate.not_before:
        return "✗ not yet valid", "bad"
    return "✓ current", "good"


def state_badge(certificate: Certificate, time: datetime) -> Element:
    """Mark a certificate with its state."""
    return badge(*state(certificate, time))


def bar(certificate: Certificate, axis: Axis, time: datetime | None) -> Element:
    """Draw the validity of a certificate over an axis, and the time where there is one; the words stand beside it."""
    left = axis.place(certificate.not_before)
    width = axis.place(certificate.not_after) - left
    span = element("span", class_="span", style=f"left:{left:.2f}%;width:{width:.2f}%")
    now = None
    if time is not None and axis.holds(time):
        now = element("span", class_="now", style=f"left:{axis.place(time):.2f}%")
    return element("div", span, now, class_="bar", aria_hidden="true")


def dates(certificate: Certificate, time: datetime | None) -> Element:
    """Say from when to when it is valid, and how much of that is over."""
    text = f"{day(certificate.not_before)} to {day(certificate.not_after)}"
    if time is not None:
        text += f" · {_how_far(certificate, time)}"
    return element("div", text, class_="dates")


def _how_far(certificate: Certificate, time: datetime) -> str:
    if time > certificate.not_after:
        return f"over for {counted((time - certificate.not_after).days, 'day')}"
    if time < certificate.not_before:
        return f"begins in {counted((certificate.not_before - time).days, 'day')}"
    gone = Axis(certificate.not_before, certificate.not_after).place(time)
    return f"{gone:.0f} % over, {counted((certificate.not_after - time).days, 'day')} left"
