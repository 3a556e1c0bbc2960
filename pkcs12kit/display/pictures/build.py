"""Pictures of what a search found, of a path and of a whole pool."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from pkcs12kit.display.pictures.picture import EdgeState, Picture, PictureEdge, PictureNode
from pkcs12kit.errors import FailureReason
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.issuers import KnownIssuers
from pkcs12kit.text import counted
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.report import PathReport


_DIGITS = re.compile(r"([0-9]{1,18})")
_KEY_SHOWN = 8  # hexadecimal digits: of 146 keys none share so many


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an edge may end: a name and a key, or the key identifier of one that is missing."""

    name: Name
    key: bytes | None
    missing: bytes | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is known of a certificate."""

    state: EdgeState
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a picture is made of."""

    title: str
    certificates: Sequence[Certificate]
    trust_anchors: tuple[TrustAnchor, ...]
    target: Certificate | None
    time: datetime | None
    judgements: Mapping[Certificate, Judgement] = field(default_factory=dict)
    presumed: Mapping[Certificate, Certificate | TrustAnchor] = field(default_factory=dict)
    """Issuers of certificates as a search took them, for those that nobody here signed."""
    left_out: str | None = None


def assemble(material: Material, limits: Limits) -> Picture:
    """Find the issuer of each certificate, and put all in an order that does not depend on where they came from."""
    certificates = list(dict.fromkeys((*_own(material.trust_anchors), *material.certificates)))
    known = KnownIssuers((*certificates, *material.trust_anchors), limits)
    issuers = {certificate: _issuer(certificate, known, material.presumed) for certificate in certificates}
    places = _in_order(material.trust_anchors, issuers)
    identifiers = {place: f"n{number}" for number, place in enumerate(places)}
    edges = [
        _edge(certificate, identifiers[issuer], identifiers[_Place(*certificate.node)], material)
        for certificate, issuer in issuers.items()
    ]
    edges.sort(key=lambda edge: (int(edge.issuer[1:]), int(edge.subject[1:]), edge.not_before, edge.sha256))
    return Picture(
        title=material.title,
        nodes=_nodes(places, identifiers, certificates, material),
        edges=tuple(edges),
        time=material.time,
        left_out=material.left_out,
    )


def order_of(name: Name) -> tuple[object, ...]:
    """Return the key to sort names by, their labels as people sort them: CA-9 before CA-10."""
    parts = _DIGITS.split(name.label.casefold())
    return (*((int(part), "") if number % 2 else (-1, part) for number, part in enumerate(parts)), (-2, str(name)))


def state_at(certificate: Certificate, time: datetime | None) -> EdgeState:
    """Say what the time alone says."""
    if time is not None and certificate.not_after < time:
        return EdgeState.EXPIRED
    if time is not None and certificate.not_before > time:
        return EdgeState.NOT_YET_VALID
    return EdgeState.OTHER


def _own(trust_anchors: Iterable[TrustAnchor]) -> Iterable[Certificate]:
    """Give the anchors' own certificates that are self-issued: of others the anchor stands for the issuer."""
    return (one.certificate for one in trust_anchors if one.certificate is not None and one.certificate.is_self_issued)


def _issuer(
    certificate: Certificate, known: KnownIssuers, presumed: Mapping[Certificate, Certificate | TrustAnchor]
) -> _Place:
    node = known.issuer_of(certificate)
    if node is None and certificate in presumed:
        node = presumed[certificate].node
    if node is not None:
        return _Place(*node)
    return _Place(certificate.issuer, None, certificate.issuer_key_identifier or b"")


def _in_order(trust_anchors: Iterable[TrustAnchor], issuers: Mapping[Certificate, _Place]) -> list[_Place]:
    """List the places level by level from the trust anchors down, then from those that nothing leads to."""
    below: dict[_Place, dict[_Place, None]] = {}
    certified: set[_Place] = set()
    for certificate, issuer in issuers.items():
        subject = _Place(*certificate.node)
        below.setdefault(issuer, {})[subject] = None
        below.setdefault(subject, {})
        if issuer != subject:
            certified.add(subject)
    anchors = dict.fromkeys(_Place(*anchor.node) for anchor in trust_anchors)
    rest = sorted(below, key=lambda place: (place in certified, _order(place)))
    found: dict[_Place, None] = {}
    for start in (list(anchors), *([place] for place in rest)):
        waiting = deque(place for place in start if place not in found)
        found.update(dict.fromkeys(waiting))
        while waiting:
            for place in sorted(below.get(waiting.popleft(), {}).keys() - found.keys(), key=_order):
                found[place] = None
                waiting.append(place)
    return list(found)


def _order(place: _Place) -> tuple[object, ...]:
    return (order_of(place.name), place.key or b"", place.missing or b"")


def _nodes(
    places: Sequence[_Place],
    identifiers: Mapping[_Place, str],
    certificates: Iterable[Certificate],
    material: Material,
) -> tuple[PictureNode, ...]:
    names = Counter(place.name for place in places)
    key_identifiers = {certificate.node: certificate.key_identifier for certificate in certificates}
    anchors = {anchor.node for anchor in material.trust_anchors}
    target = material.target.node if material.target is not None else None
    return tuple(
        PictureNode(
            id=identifiers[place],
            label=place.name.label,
            name=str(place.name),
            key=_short_key(place, key_identifiers) if names[place.name] > 1 else None,
            is_trust_anchor=place.key is not None and (place.name, place.key) in anchors,
            is_target=place.key is not None and (place.name, place.key) == target,
            is_missing=place.key is None,
        )
        for place in places
    )


def _short_key(place: _Place, key_identifiers: Mapping[tuple[Name, bytes], bytes | None]) -> str | None:
    if place.key is None:
        return place.missing.hex()[:_KEY_SHOWN] if place.missing else None
    identifier = key_identifiers.get((place.name, place.key)) or hashlib.sha256(place.key).digest()
    return identifier.hex()[:_KEY_SHOWN]


def _edge(certificate: Certificate, issuer: str, subject: str, material: Material) -> PictureEdge:
    by_time = state_at(certificate, material.time)
    judgement = material.judgements.get(certificate, Judgement(by_time))
    is_worse = judgement.state is EdgeState.REJECTED and by_time is not EdgeState.OTHER  # both hold: the first is shown
    return PictureEdge(
        issuer=issuer,
        subject=subject,
        serial=certificate.serial_number_text,
        sha256=certificate.sha256,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        state=by_time if is_worse else judgement.state,
        reasons=judgement.reasons,
    )


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
            title=f"Certification paths of {report.target.label}",
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
    names = ", ".join(dict.fromkeys(anchor.label for anchor in anchors))
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
            title=f"Certification path of {path.target.label}",
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
        below = sorted(chain.from_iterable(issued.pop(name, ()) for name in level), key=_certificate_order)
        yield from below
        level = [name for name in dict.fromkeys(certificate.subject for certificate in below) if name not in met]
        met.update(level)
    yield from sorted(chain.from_iterable(issued.values()), key=_certificate_order)


def _certificate_order(certificate: Certificate) -> tuple[object, ...]:
    return (order_of(certificate.subject), certificate.sha256)
