"""Pictures of what a search found, of a path and of a whole pool."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pkcs12kit.certificates.times import require_aware
from pkcs12kit.display.pictures.assembling import Judgement, Material, assemble, label_of, order_of, state_at
from pkcs12kit.display.pictures.picture import EdgeState
from pkcs12kit.errors import FailureReason
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.display.pictures.picture import Picture
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.report import PathReport

_OF_TIME = {FailureReason.EXPIRED: EdgeState.EXPIRED, FailureReason.NOT_YET_VALID: EdgeState.NOT_YET_VALID}


def picture_of_report(
    report: PathReport,
    *,
    trust_anchors: Iterable[TrustAnchor] = (),
    time: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Picture:
    """Picture the valid paths of a search, the best of them apart, and the certificates that were refused.

    ``trust_anchors`` are shown whether or not a path leads to them; those of the search that issued something in the
    picture are shown anyway.
    ``time`` is when the search was for, timezone-aware; the report knows it. Of more than
    ``limits.picture_certificates`` certificates those of the valid paths and of the closest attempts are shown.
    """
    time = time or report.time
    certificates, left_out = _within(_of_report(report), limits)
    issuers = {certificate.issuer for certificate in certificates}
    near = (anchor for anchor in report.trust_anchors if anchor.name in issuers)
    anchors = tuple(dict.fromkeys((*(path.trust_anchor for path in report.valid), *near, *trust_anchors)))
    return assemble(
        Material(
            title=f"Certification paths of {label_of(report.target.subject)}",
            certificates=certificates,
            trust_anchors=anchors[: limits.picture_certificates],
            target=report.target,
            time=require_aware(time) if time is not None else None,
            judgements=_judgements(report),
            presumed=_presumed(report),
            left_out=left_out,
        ),
        limits,
    )


def picture_of_pool(
    pool: CertificatePool,
    *,
    trust_anchors: Iterable[TrustAnchor] = (),
    time: datetime,
    report: PathReport | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Picture:
    """Picture a whole pool, layered from the trust anchors down; what no anchor leads to stands beside them.

    ``time``, timezone-aware, says which certificates are expired; nothing else is validated, signatures apart: they
    say whose key issued what. With ``report``, of a search among these certificates, its paths and refusals are shown
    in the pool. Of more than ``limits.picture_certificates`` certificates those nearest to the anchors are shown.
    """
    anchors = tuple(dict.fromkeys(trust_anchors))[: limits.picture_certificates]
    searched = _of_report(report) if report is not None else ()
    certificates, left_out = _within(chain(searched, _downwards(pool, anchors)), limits)
    count = counted(len(pool), "certificate")
    names = ", ".join(dict.fromkeys(label_of(anchor.name) for anchor in anchors))
    return assemble(
        Material(
            title=f"{count}, seen from {names}" if names else count,
            certificates=certificates,
            trust_anchors=anchors,
            target=report.target if report is not None else None,
            time=require_aware(time),
            judgements=_judgements(report) if report is not None else {},
            presumed=_presumed(report) if report is not None else {},
            left_out=left_out,
        ),
        limits,
    )


def picture_of_path(path: CertificationPath, *, time: datetime | None = None) -> Picture:
    """Picture one path, target at the bottom. That the path is valid, a picture of it does not say.

    ``time``, timezone-aware, is when it is looked at; a validated path knows it.
    """
    parameters = getattr(path, "parameters", None)
    if time is None and parameters is not None:
        time = parameters.time
    states = {certificate: state_at(certificate, time) for certificate in path.certificates}
    return assemble(
        Material(
            title=f"Certification path of {label_of(path.target.subject)}",
            certificates=path.certificates,
            trust_anchors=(path.trust_anchor,),
            target=path.target,
            time=require_aware(time) if time is not None else None,
            judgements={
                certificate: Judgement(EdgeState.CHOSEN if state is EdgeState.OTHER else state)
                for certificate, state in states.items()
            },
            presumed=dict(zip(path.certificates, path.issuers, strict=True)),
        ),
        DEFAULT_LIMITS,
    )


def _of_report(report: PathReport) -> Iterator[Certificate]:
    """List what a search was about, the most telling first."""
    yield report.target
    for path in report.valid:
        yield from path.certificates
    for rejected in report.rejected:
        yield from rejected.certificates
        yield from (failure.certificate for failure in rejected.failures)


def _within(certificates: Iterable[Certificate], limits: Limits) -> tuple[list[Certificate], str | None]:
    """Take as many as the limit allows, and say how many are left out."""
    every = list(dict.fromkeys(certificates))
    most = limits.picture_certificates
    if len(every) <= most:
        return every, None
    return every[:most], f"{len(every) - most:,} of {len(every):,} certificates are left out (picture_certificates)"


def _judgements(report: PathReport) -> dict[Certificate, Judgement]:
    """Say of each certificate what the search found; where it is on a valid path, a refusal elsewhere is a remark."""
    reasons: dict[Certificate, dict[str, None]] = {}
    states: dict[Certificate, EdgeState] = {}
    for rejected in report.rejected:
        for failure in rejected.failures:
            state = _OF_TIME.get(failure.reason, EdgeState.REJECTED)
            if states.get(failure.certificate) in {None, EdgeState.REJECTED}:
                states[failure.certificate] = state
            reasons.setdefault(failure.certificate, {})[f"{failure.detail} [{failure.section}]"] = None
    for number, path in reversed(list(enumerate(report.valid))):
        states.update(dict.fromkeys(path.certificates, EdgeState.VALID if number else EdgeState.CHOSEN))
    return {certificate: Judgement(state, tuple(reasons.get(certificate, ()))) for certificate, state in states.items()}


def _presumed(report: PathReport) -> dict[Certificate, Certificate | TrustAnchor]:
    """Say whom the search took for the issuer of each certificate."""
    presumed: dict[Certificate, Certificate | TrustAnchor] = {}
    for rejected in report.rejected:
        presumed.update(zip(rejected.certificates, rejected.certificates[1:], strict=False))
    for path in report.valid:
        presumed.update(zip(path.certificates, path.issuers, strict=True))
    return presumed


def _downwards(pool: CertificatePool, trust_anchors: Iterable[TrustAnchor]) -> Iterator[Certificate]:
    """List a pool by names from the anchors down, level by level, then the rest; whatever order it is in."""
    issued: dict[Name, list[Certificate]] = {}
    for certificate in pool:
        issued.setdefault(certificate.issuer, []).append(certificate)
    level = list(dict.fromkeys(anchor.name for anchor in trust_anchors))
    met = set(level)
    while level:
        below = sorted(chain.from_iterable(issued.pop(name, ()) for name in level), key=_order)
        yield from below
        level = [name for name in dict.fromkeys(certificate.subject for certificate in below) if name not in met]
        met.update(level)
    yield from sorted(chain.from_iterable(issued.values()), key=_order)


def _order(certificate: Certificate) -> tuple[object, ...]:
    return (order_of(certificate.subject), certificate.sha256)
