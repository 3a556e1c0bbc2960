"""The search for certificates and CRLs in a list, by expiry and by text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_kind
from pkcs12kit.display.certificate_facts import alternative_names, sha1_fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from pkcs12kit.certificates.names import Name
    from pkcs12kit.contents.items import ListedCertificate, ListedCrl

_LAST: Final = datetime.max.replace(tzinfo=UTC)
_DIGITS: Final = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The criteria of a search; None accepts everything."""

    until: datetime | None
    issuer: str | None
    text: str | None
    digits: str | None
    """The text as hexadecimal digits, if it can be that of a serial number or a fingerprint."""

    @classmethod
    def of(cls, time: datetime, *, expires_within: timedelta | None, issuer: str | None, contains: str | None) -> Self:
        """Return the criteria, as ``Contents.select`` has them."""
        require_kind("expires_within", expires_within, timedelta, optional=True)
        text = None if contains is None else contains.casefold().strip()
        digits = None if text is None else text.removeprefix("0x").replace(":", "").replace(" ", "")
        return cls(
            until=None if expires_within is None else _later(time, expires_within),
            issuer=None if issuer is None else issuer.casefold().strip(),
            text=text,
            digits=digits if _DIGITS.fullmatch(digits or "") else None,
        )

    def fits(self, listed: ListedCertificate) -> bool:
        """Return True for a certificate that fits all criteria."""
        certificate = listed.certificate
        if self.until is not None and certificate.not_after > self.until:
            return False
        if self.issuer is not None and not _names(certificate.issuer, self.issuer):
            return False
        return self.text is None or any(self.text in text.casefold() for text in _texts(listed)) or self._in(listed)

    def fits_crl(self, listed: ListedCrl) -> bool:
        """Return True for a CRL that fits all criteria."""
        crl = listed.crl
        if self.until is not None and (crl.next_update is None or crl.next_update > self.until):
            return False
        if self.issuer is not None and not _names(crl.issuer, self.issuer):
            return False
        if self.text is None:
            return True
        return _names(crl.issuer, self.text) or (self.digits is not None and self.digits in crl.signed.sha256)

    def _in(self, listed: ListedCertificate) -> bool:
        """Return True where the digits are in a fingerprint or the serial number."""
        certificate = listed.certificate
        serial = f"{certificate.serial_number:x}"
        return self.digits is not None and any(
            self.digits in digits
            for digits in (serial, f"0{serial}", certificate.sha256, sha1_fingerprint(certificate))
        )


def _later(time: datetime, span: timedelta) -> datetime:
    try:
        return time + span
    except OverflowError:
        return _LAST


def _names(name: Name, text: str) -> bool:
    return text in str(name).casefold() or text in name.label.casefold()


def _texts(listed: ListedCertificate) -> Iterator[str]:
    certificate = listed.certificate
    for name in (certificate.subject, certificate.issuer):
        yield from _values(name)
        yield str(name)
        yield name.label
    yield certificate.serial_number_text
    yield from alternative_names(certificate)


def _values(name: Name) -> Iterator[str]:
    """Yield the values as they are, because the text of a name has escapes in it."""
    for attributes in name.relative_distinguished_names:
        for _, value in attributes:
            if isinstance(value, str):
                yield value
