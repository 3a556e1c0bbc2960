"""Labels of certificates in text: as short as a person can still tell them apart.

Names come from outside: they are shown as text, never read as markup. Long serial numbers are shortened, and times of
expiry are days in UTC; JSON has both in full.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from rich.text import Text

from pkcs12kit.text import without_middle

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate

_SERIAL_SHOWN: Final = 16
_SERIAL_ENDS: Final = 5


def short_serial(serial_number: str) -> str:
    """Return a serial number without the middle of a long one."""
    return without_middle(serial_number, longest=_SERIAL_SHOWN, ends=_SERIAL_ENDS)


def named(certificate: Certificate) -> str:
    """Return the label of a certificate with its serial number, for a sentence."""
    return f"{certificate.subject.label} #{short_serial(certificate.serial_number_text)}"


def labelled(certificate: Certificate) -> Text:
    """Return the subject of a certificate and its serial number, which tells certificates of one subject apart."""
    number = short_serial(certificate.serial_number_text)
    return Text.assemble((certificate.subject.label, "cyan"), (f"  #{number}", "dim"))


def with_expiry(certificate: Certificate) -> Text:
    """Return the subject of a certificate, its serial number and the day on which it expires, in UTC."""
    return labelled(certificate).append(f"  until {day(certificate.not_after)}", style="default")


def day(instant: datetime) -> str:
    """Return the day of an instant, in UTC: ``2018-06-01``."""
    return instant.astimezone(UTC).date().isoformat()
