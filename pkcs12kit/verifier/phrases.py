"""What findings are made of: an outcome in one word, and how certificates are named in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.findings import Finding, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from enum import Enum

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.findings import AnyCheck
    from pkcs12kit.paths.failure import Failure

_NAMED_AT_MOST: Final = 3


def ok(check: AnyCheck, why: str) -> Finding:
    """Say that it is as it should be."""
    return Finding(check=check, outcome=Outcome.OK, why=why)


def note(check: AnyCheck, why: str) -> Finding:
    """Say what is worth knowing, and no reason to say no."""
    return Finding(check=check, outcome=Outcome.NOTE, why=why)


def not_ok(check: AnyCheck, why: str) -> Finding:
    """Say no."""
    return Finding(check=check, outcome=Outcome.NOT_OK, why=why)


def not_checked(check: AnyCheck, why: str) -> Finding:
    """Say why there is no answer."""
    return Finding(check=check, outcome=Outcome.NOT_CHECKED, why=why)


def say(failure: Failure) -> str:
    """Say which certificate failed, why, and where the standard asks for it."""
    return f"{name_of(failure.certificate)}: {failure.detail} [{failure.section}]"


def name_of(certificate: Certificate) -> str:
    """Name a certificate as people do."""
    return certificate.subject.short_text or serial_number_label(certificate.serial_number)


def names(certificates: Sequence[Certificate]) -> str:
    """List the names of some, and the number of the others."""
    more = [f"and {len(certificates) - _NAMED_AT_MOST} more"] if len(certificates) > _NAMED_AT_MOST else []
    return ", ".join([*map(name_of, certificates[:_NAMED_AT_MOST]), *more])


def drawn(certificates: Iterable[Certificate]) -> str:
    """Draw certificates as a path, target first."""
    return " <- ".join(map(name_of, certificates))


def in_order_of(checks: type[Enum], findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort findings by the closed list of checks that they are of."""
    order = list(checks)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.check)))
