"""The validity of certificates at a time, in words and as a bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkcs12kit.display.labels import day
from pkcs12kit.notebook.html import Element, badge, element
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Self

    from pkcs12kit.certificates.certificate import Certificate


@dataclass(frozen=True, slots=True)
class Axis:
    """The span of time of all bars of a path."""

    begin: datetime
    end: datetime

    @classmethod
    def over(cls, certificates: Iterable[Certificate]) -> Self:
        """Return an axis that covers the validity of all certificates, at least one."""
        both = [(certificate.not_before, certificate.not_after) for certificate in certificates]
        return cls(min(begin for begin, _ in both), max(end for _, end in both))

    def position(self, instant: datetime) -> float:
        """Return the position of an instant in percent, from 0 to 100."""
        span = (self.end - self.begin).total_seconds()
        return min(100.0, max(0.0, (instant - self.begin).total_seconds() / span * 100)) if span > 0 else 0.0

    def holds(self, instant: datetime) -> bool:
        """Return True if an instant is on the axis."""
        return self.begin <= instant <= self.end


def is_valid(certificate: Certificate, time: datetime) -> bool:
    """Return True if a time is within the validity."""
    return state(certificate, time)[1] == "good"


def state(certificate: Certificate, time: datetime) -> tuple[str, str]:
    """Return the state of a certificate at a time in words, and its kind: ``good`` or ``bad``.

    Both ends belong to the validity (RFC 5280 section 4.1.2.5).
    """
    if time > certificate.not_after:
        return "✗ expired", "bad"
    if time < certificate.not_before:
        return "✗ not yet valid", "bad"
    return "✓ current", "good"


def state_badge(certificate: Certificate, time: datetime) -> Element:
    """Return a badge with the state of a certificate."""
    return badge(*state(certificate, time))


def bar(certificate: Certificate, axis: Axis, time: datetime | None) -> Element:
    """Return a bar of the validity on an axis, with a mark for the time. The words beside it say the same."""
    left = axis.position(certificate.not_before)
    width = axis.position(certificate.not_after) - left
    span = element("span", class_="span", style=f"left:{left:.2f}%;width:{width:.2f}%")
    now = None
    if time is not None and axis.holds(time):
        now = element("span", class_="now", style=f"left:{axis.position(time):.2f}%")
    return element("div", span, now, class_="bar", aria_hidden="true")


def dates(certificate: Certificate, time: datetime | None) -> Element:
    """Return the first and the last day of the validity, and the part of it that has passed."""
    text = f"{day(certificate.not_before)} to {day(certificate.not_after)}"
    if time is not None:
        text += f" · {_how_far(certificate, time)}"
    return element("div", text, class_="dates")


def _how_far(certificate: Certificate, time: datetime) -> str:
    if time > certificate.not_after:
        return f"over for {counted((time - certificate.not_after).days, 'day')}"
    if time < certificate.not_before:
        return f"begins in {counted((certificate.not_before - time).days, 'day')}"
    gone = Axis(certificate.not_before, certificate.not_after).position(time)
    return f"{gone:.0f} % over, {counted((certificate.not_after - time).days, 'day')} left"
