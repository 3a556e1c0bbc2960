"""Other certificates of a CA whose paths are asked for: its cross-certificates, and others with its name.

A cross-certificate of a CA has its name and its key, and another issuer (RFC 5280 section 3.2). Paths of a self-signed
certificate lead nowhere but to itself; those of its cross-certificates may lead to the trust anchor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.paths.failure import validity_failure
from pkcs12kit.paths.report import CrossCertificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.paths.report import PathReport


def find_cross_certificates(
    report: PathReport, pool: CertificatePool, search: Callable[[Certificate], PathReport], *, at_most: int
) -> tuple[CrossCertificate, ...]:
    """Return the cross-certificates of the target in a pool: those that lead to an anchor first, the best path first.

    They have the same name (RFC 5280 section 7.1) and key; the target and self-issued certificates are left out. There
    are none of a target that is neither self-issued nor a CA certificate. ``search`` returns the report for another
    target. It is called for the first ``at_most`` of them where the target is self-issued or has no valid path: those
    that are valid at the time first, then those that end last.
    """
    target = report.target
    if not _is_of_a_ca(target):
        return ()
    others = [one for one in pool.by_subject(target.subject) if one.node == target.node]
    found = [one for one in others if one != target and not one.is_self_issued]
    found.sort(key=lambda one: (_state(one, report.time) != "valid", -one.not_after.timestamp()))
    needed = target.is_self_issued or not report.valid
    judged = [_judged(one, report.time, search) for one in found[: at_most if needed else 0]]
    judged.sort(key=_precedence)
    return (
        *judged,
        *(CrossCertificate(certificate=one, state=_state(one, report.time)) for one in found[len(judged) :]),
    )


def same_name_other_key(target: Certificate, pool: CertificatePool) -> tuple[Certificate, ...]:
    """Return the certificates of a pool with the name of a CA and another key, which are not its cross-certificates."""
    if not _is_of_a_ca(target):
        return ()
    return tuple(one for one in pool.by_subject(target.subject) if one.node != target.node)


def leading(found: Iterable[CrossCertificate]) -> Iterator[CrossCertificate]:
    """Yield those that lead to a trust anchor."""
    return (one for one in found if one.leads_to_anchor)


def _is_of_a_ca(target: Certificate) -> bool:
    return bool(target.subject) and (target.is_self_issued or target.is_ca)


def _judged(
    certificate: Certificate, time: datetime | None, search: Callable[[Certificate], PathReport]
) -> CrossCertificate:
    report = search(certificate)
    return CrossCertificate(
        certificate=certificate,
        state=_state(certificate, time),
        path=next(iter(report.valid), None),
        closest=None if report.valid else next(iter(report.rejected), None),
        searched=True,
        incomplete=report.incomplete,
    )


def _precedence(found: CrossCertificate) -> tuple[bool, bool, float]:
    ends = found.certificate.not_after if found.path is None else found.path.expires
    return found.path is None, found.leads_to_anchor is False, -ends.timestamp()


def _state(certificate: Certificate, time: datetime | None) -> str:
    failure = None if time is None else validity_failure(certificate, time)
    return "valid" if failure is None else failure.reason.value
