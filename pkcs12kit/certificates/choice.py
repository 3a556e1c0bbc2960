"""Several certificates of one server, such as an expired one and its renewal: which belong together, which is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.text import shortened
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate

_LISTED: Final = 5


def are_akin(one: Certificate, other: Certificate) -> bool:
    """Return True if two certificates have the same subject, the same key, or a name in common."""
    if one.subject_public_key_info == other.subject_public_key_info or (one.subject and one.subject == other.subject):
        return True
    return not _names(one).isdisjoint(_names(other))


def by_preference(certificates: Iterable[Certificate], time: datetime) -> tuple[Certificate, ...]:
    """Return the certificates of one private key, each once, the one to use first.

    Those that are valid at the time come before all others. Among them, and among the others, the newest is first: the
    one with the latest ``not_before``, then with the latest ``not_after``, then the first of those given.
    """
    return tuple(sorted(dict.fromkeys(certificates), key=lambda one: _preference(one, time), reverse=True))


def name_others(preferred: Sequence[Certificate], time: datetime) -> str | None:
    """Return a sentence that names the first of :func:`by_preference` and the others; None if there are no others."""
    if len(preferred) < 2:  # noqa: PLR2004  # one certificate is not a choice
        return None
    used, *others = preferred
    why = "the newest that is valid" if _is_valid(used, time) else "the newest, but none of them is valid"
    named = shortened(others, _LISTED, lambda one: _describe(one, time))
    return (
        f"{len(preferred)} certificates belong to the private key: {_describe(used, time)} is used, {why} at"
        f" {format_time(time)}; not used: {', '.join(named)}"
    )


def _preference(certificate: Certificate, time: datetime) -> tuple[bool, datetime, datetime]:
    return _is_valid(certificate, time), certificate.not_before, certificate.not_after


def _is_valid(certificate: Certificate, time: datetime) -> bool:
    return certificate.not_before <= time <= certificate.not_after


def _describe(certificate: Certificate, time: datetime) -> str:
    if time < certificate.not_before:
        when = f"valid from {format_time(certificate.not_before)}"
    else:
        when = f"{'expired' if time > certificate.not_after else 'valid until'} {format_time(certificate.not_after)}"
    return f"{serial_number_label(certificate.serial_number)} of {certificate.subject.label} ({when})"


def _names(certificate: Certificate) -> frozenset[object]:
    try:
        return frozenset(certificate.extensions.subject_alternative_name or ())
    except MalformedCertificateError:
        return frozenset()
