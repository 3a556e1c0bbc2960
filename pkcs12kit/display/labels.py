"""How certificates and names are called in text: as short as a person can still tell them apart.

Names come from outside: they are shown as text, never read as markup. Long serial numbers are shortened and validity is
given to the day, in UTC; the whole of both is in the JSON.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from rich.text import Text

from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name

_SERIAL_SHOWN: Final = 16
_SERIAL_ENDS: Final = 5


def short(name: Name) -> str:
    """Name it by its common name, or in whole where it has none."""
    return harmless(name.common_name or name) or "(no subject name)"


def serial(certificate: Certificate) -> str:
    """Write the serial number, the middle of a long one left out."""
    number = certificate.serial_number_text
    if len(number) > _SERIAL_SHOWN:
        return f"{number[:_SERIAL_ENDS]}...{number[-_SERIAL_ENDS:]}"
    return number


def labelled(certificate: Certificate) -> Text:
    """Tell certificates of one subject apart by the serial number."""
    return Text.assemble((short(certificate.subject), "cyan"), (f"  #{serial(certificate)}", "dim"))


def with_expiry(certificate: Certificate) -> Text:
    """Label it, and say until when it is valid."""
    until = certificate.not_after.astimezone(UTC).date().isoformat()
    return labelled(certificate).append(f"  until {until}", style="default")
