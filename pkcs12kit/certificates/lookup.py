"""Certificates of a pool that a user names: by SHA-256 fingerprint, whole or its beginning, or by a copy of one."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.errors import InputError
from pkcs12kit.text import counted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import CertificatePool

LEAST_DIGITS: Final = 8
"""Hexadecimal digits of a fingerprint, at least: fewer could be a word or a serial number."""
_DIGITS: Final = 64
_PREFIX: Final = re.compile(r"sha-?256(?: ?fingerprint)? ?[=:] ?", re.IGNORECASE | re.ASCII)  # as OpenSSL prints it
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{8,64}", re.ASCII)
_SHORTEST_SHOWN: Final = 16
_NAMED: Final = 3
_LIKE: Final = 4
"""The part of the digits that may differ in a fingerprint that looks like the one that was given: a quarter."""


def fingerprint_digits(text: str) -> str | None:
    """Return the digits of a SHA-256 fingerprint in lower case; None for another text.

    At least :data:`LEAST_DIGITS` digits from its beginning, with or without colons or blanks, and after
    ``sha256 Fingerprint=`` as OpenSSL prints it.
    """
    if len(text) > 4 * _DIGITS:
        return None
    digits = _PREFIX.sub("", text.strip(), count=1).replace(":", "").replace(" ", "").lower()
    return digits if _HEXADECIMAL.fullmatch(digits) else None


def by_fingerprint(digits: str, certificates: Iterable[Certificate], *, name: str) -> Certificate:
    """Return the only certificate whose SHA-256 fingerprint begins with these digits; ``name`` is for messages.

    Raises :class:`~pkcs12kit.InputError` for none, naming what is like it, and for several.
    """
    several = tuple(dict.fromkeys(certificates))
    found = [one for one in several if one.sha256.startswith(digits)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"{name}: {counted(len(found), 'certificate')} have a SHA-256 fingerprint that begins so: {_listed(found)};"
            " give more digits"
        )
    like = _like(digits, several)
    raise InputError(
        f"{name}: none of the {counted(len(several), 'certificate')} given has a SHA-256 fingerprint that begins so,"
        f" and no file has this name; {like or 'pkcs12kit show --json prints the fingerprints'}"
    )


def require_member(certificate: Certificate, pool: CertificatePool, *, name: str) -> None:
    """Raise :class:`~pkcs12kit.InputError` unless a pool has a certificate; the message names those most like it."""
    alike = pool.by_subject(certificate.subject)
    if certificate in alike:
        return
    same_key = [one for one in alike if one.subject_public_key_info == certificate.subject_public_key_info]
    if same_key:
        near = f"of the same name and key there are {_listed(same_key)}"
    elif alike:
        near = f"of the same name, with another key, there are {_listed(alike)}"
    else:
        near = "nor is any other of its name"
    raise InputError(
        f"{name}: {certificate.label} {serial_number_label(certificate.serial_number)} is not among the"
        f" {counted(len(pool), 'certificate')} given; {near}"
    )


def identified(certificate: Certificate) -> str:
    """Return a certificate for messages: its label, issuer and serial number."""
    number = serial_number_label(certificate.serial_number)
    issuer = "self-issued" if certificate.is_self_issued else f"issued by {certificate.issuer.label}"
    return f"{certificate.label} {number} ({issuer})"


def _listed(certificates: Sequence[Certificate]) -> str:
    digits = _distinct_digits(certificates)
    return ", ".join(
        shortened(certificates, _NAMED, lambda one: f"{identified(one)}, SHA-256 {one.sha256[:digits]}...")
    )


def _distinct_digits(certificates: Sequence[Certificate]) -> int:
    """Return the number of digits that tell fingerprints apart."""
    for digits in range(_SHORTEST_SHOWN, _DIGITS, _SHORTEST_SHOWN):
        if len({one.sha256[:digits] for one in certificates}) == len(certificates):
            return digits
    return _DIGITS


def _like(digits: str, certificates: Sequence[Certificate]) -> str | None:
    """Return a sentence about the certificate that may be meant; None where no fingerprint or number is like it."""
    for one in certificates:
        if hashlib.sha1(one.der, usedforsecurity=False).hexdigest().startswith(digits):
            return f"it begins the SHA-1 fingerprint of {identified(one)}, SHA-256 {one.sha256}"
        if digits in {f"{one.serial_number:x}".zfill(LEAST_DIGITS), one.serial_number_text}:
            return f"it is the serial number of {identified(one)}, SHA-256 {one.sha256}"
    nearest = min(certificates, key=lambda one: _difference(one.sha256, digits), default=None)
    if nearest is None or _difference(nearest.sha256, digits) * _LIKE > len(digits):
        return None
    return f"the nearest is {identified(nearest)}, SHA-256 {nearest.sha256}"


def _difference(fingerprint: str, digits: str) -> int:
    return sum(one != other for one, other in zip(fingerprint, digits, strict=False))
