"""Construction of pictures from a path, from the report of a search, or from a whole pool."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_kind
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import require_trust_anchors
from pkcs12kit.display.pictures.picture import EdgeState, Picture, PictureEdge, PictureNode
from pkcs12kit.errors import FailureReason
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.paths.issuers import KnownIssuers
from pkcs12kit.paths.report import PathReport
from pkcs12kit.text import counted
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor


_DIGITS = re.compile(r"([0-9]{1,18})")
_KEY_SHOWN = 8  # hexadecimal digits: of 146 keys none share so many


@dataclass(frozen=True, slots=True)
class _Vertex:
    """An end of an edge: a name with a key, or with the key identifier of a missing certificate."""

    name: Name
    key: bytes | None
    missing: bytes | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The state of a certificate, with the reasons for it."""

    state: EdgeState
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The content of a picture before its issuers are found."""

    title: str
    certificates: Sequence[Certificate]
    trust_anchors: tuple[TrustAnchor, ...]
    target: Certificate | None
    time: datetime | None
    judgements: Mapping[Certificate, Judgement] = field(default_factory=dict)
    presumed: Mapping[Certificate, Certificate | TrustAnchor] = field(default_factory=dict)
    """Issuers that a search assumed, for certificates that no key in the picture signed."""
    left_out: str | None = None


def assemble(material: Material, limits: Limits) -> Picture:
    """Return a picture of certificates with their issuers, in an order that does not depend on that of the input."""
    certificates = list(dict.fromkeys((*_own(material.trust_anchors), *material.certificates)))
    known = KnownIssuers((*certificates, *material.trust_anchors), limits)
    issuers = {certificate: _issuer(certificate, known, material.presumed) for certificate in certificates}
    vertices = _in_order(material.trust_anchors, issuers)
    identifiers = {vertex: f"n{number}" for number, vertex in enumerate(vertices)}
    edges = [
        _edge(certificate, identifiers[issuer], identifiers[_Vertex(*certificate.node)], material)
        for certificate, issuer in issuers.items()
    ]
    edges.sort(key=lambda edge: (int(edge.issuer[1:]), int(edge.subject[1:]), edge.not_before, edge.sha256))
    return Picture(
        title=material.title,
        nodes=_nodes(vertices, identifiers, certificates, material),
        edges=tuple(edges),
        time=material.time,
        left_out=material.left_out,
    )


def order_of(name: Name) -> tuple[object, ...]:
    """Return the sort key of a name: labels are sorted as people do, CA-9 before CA-10."""
    parts = _DIGITS.split(name.label.casefold())
    return (*((int(part), "") if number % 2 else (-1, part) for number, part in enumerate(parts)), (-2, str(name)))


def state_at(certificate: Certificate, time: datetime | None) -> EdgeState:
    """Return the state of a certificate as far as the time decides it."""
    if time is not None and certificate.not_after < time:
        return EdgeState.EXPIRED
    if time is not None and certificate.not_before > time:
        return EdgeState.NOT_YET_VALID
    return EdgeState.OTHER


def _own(trust_anchors: Iterable[TrustAnchor]) -> Iterable[Certificate]:
    """Return the trust anchors' own certificates, if self-issued. For others the anchor stands for the issuer."""
    return (one.certificate for one in trust_anchors if one.certificate is not None and one.certificate.is_self_issued)


def _issuer(
    certificate: Certificate, known: KnownIssuers, presumed: Mapping[Certificate, Certificate | TrustAnchor]
) -> _Vertex:
    node = known.issuer_of(certificate)
    if node is None and certificate in presumed:
        node = presumed[certificate].node
    if node is not None:
        return _Vertex(*node)
    return _Vertex(certificate.issuer, None, certificate.issuer_key_identifier or b"")


def _in_order(trust_anchors: Iterable[TrustAnchor], issuers: Mapping[Certificate, _Vertex]) -> list[_Vertex]:
    """Return the vertices level by level from the trust anchors down, then from those without issuers."""
    below: dict[_Vertex, dict[_Vertex, None]] = {}
    certified: set[_Vertex] = set()
    for certificate, issuer in issuers.items():
        subject = _Vertex(*certificate.node)
        below.setdefault(issuer, {})[subject] = None
        below.setdefault(subject, {})
        if issuer != subject:
            certified.add(subject)
    anchors = dict.fromkeys(_Vertex(*anchor.node) for anchor in trust_anchors)
    rest = sorted(below, key=lambda vertex: (vertex in certified, _order(vertex)))
    found: dict[_Vertex, None] = {}
    for start in (list(anchors), *([vertex] for vertex in rest)):
        waiting = deque(vertex for vertex in start if vertex not in found)
        found.update(dict.fromkeys(waiting))
        while waiting:
            for vertex in sorted(below.get(waiting.popleft(), {}).keys() - found.keys(), key=_order):
                found[vertex] = None
                waiting.append(vertex)
    return list(found)


def _order(vertex: _Vertex) -> tuple[object, ...]:
    return (order_of(vertex.name), vertex.key or b"", vertex.missing or b"")


def _nodes(
    vertices: Sequence[_Vertex],
    identifiers: Mapping[_Vertex, str],
    certificates: Iterable[Certificate],
    material: Material,
) -> tuple[PictureNode, ...]:
    names = Counter(vertex.name for vertex in vertices)
    key_identifiers = {certificate.node: certificate.key_identifier for certificate in certificates}
    anchors = {anchor.node for anchor in material.trust_anchors}
    target = material.target.node if material.target is not None else None
    return tuple(
        PictureNode(
            id=identifiers[vertex],
            label=vertex.name.label,
            name=str(vertex.name),
            key=_short_key(vertex, key_identifiers) if names[vertex.name] > 1 else None,
            is_trust_anchor=vertex.key is not None and (vertex.name, vertex.key) in anchors,
            is_target=vertex.key is not None and (vertex.name, vertex.key) == target,
            is_missing=vertex.key is None,
        )
        for vertex in vertices
    )


def _short_key(vertex: _Vertex, key_identifiers: Mapping[tuple[Name, bytes], bytes | None]) -> str | None:
    if vertex.key is None:
        return vertex.missing.hex()[:_KEY_SHOWN] if vertex.missing else None
    identifier = key_identifiers.get((vertex.name, vertex.key)) or hashlib.sha256(vertex.key).digest()
    return identifier.hex()[:_KEY_SHOWN]


def _edge(certificate: Certificate, issuer: str, subject: str, material: Material) -> PictureEdge:
    by_time = state_at(certificate, material.time)
    judgement = material.judgements.get(certificate, Judgement(by_time))
    is_worse = (
        judgement.state is EdgeState.REJECTED and by_time is not EdgeState.OTHER
    )  # both apply: the first is shown
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
    """Return a picture of the valid paths of a search, the best one highlighted, and of the refused certificates.

    - ``trust_anchors``: shown even if no path leads to them. The search's own trust anchors are shown if they issued
      a certificate in the picture.
    - ``time``: the time of the search, timezone-aware; the default is the report's own.
    - ``limits``: of more than ``limits.picture_certificates`` certificates, those of the valid paths and of the closest
      attempts are shown.
    """
    require_kind("report", report, PathReport)
    require_kind("limits", limits, Limits)
    given = require_trust_anchors(trust_anchors)
    time = report.time if time is None else time
    if time is not None:
        require_aware(time)
    certificates, left_out = _within(_of_report(report), limits)
    issuers = {certificate.issuer for certificate in certificates}
    near = (anchor for anchor in report.trust_anchors if anchor.name in issuers)
    anchors = tuple(dict.fromkeys((*(path.trust_anchor for path in report.valid), *near, *given)))
    return assemble(
        Material(
            title=f"Certification paths of {report.target.label}",
            certificates=certificates,
            trust_anchors=anchors[: limits.picture_certificates],
            target=report.target,
            time=time,
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
    """Return a picture of a whole pool, layered from the trust anchors down; unreachable certificates stand beside.

    - ``trust_anchors``: the tops of the picture.
    - ``time``: the time that decides which certificates are expired, timezone-aware. Besides that only signatures are
      checked, to find issuers: nothing is validated.
    - ``report``: the report of a search among these certificates, whose paths and refusals are shown in the pool.
    - ``limits``: of more than ``limits.picture_certificates`` certificates, those nearest to the anchors are shown.
    """
    require_kind("pool", pool, CertificatePool)
    require_kind("limits", limits, Limits)
    require_kind("report", report, PathReport, optional=True)
    require_aware(time)
    anchors = tuple(dict.fromkeys(require_trust_anchors(trust_anchors)))[: limits.picture_certificates]
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
    """Return a picture of one path, target at the bottom. Not checked: whether the path is valid.

    ``time`` (timezone-aware) decides which certificates are expired. The default is the time that a validated path was
    validated for; for other paths it is unknown.
    """
    require_kind("path", path, CertificationPath)
    parameters = getattr(path, "parameters", None)
    if time is None and parameters is not None:
        time = parameters.time
    if time is not None:
        require_aware(time)
    states = {certificate: state_at(certificate, time) for certificate in path.certificates}
    return assemble(
        Material(
            title=f"Certification path of {path.target.label}",
            certificates=path.certificates,
            trust_anchors=(path.trust_anchor,),
            target=path.target,
            time=time,
            judgements={
                certificate: Judgement(EdgeState.CHOSEN if state is EdgeState.OTHER else state)
                for certificate, state in states.items()
            },
            presumed=dict(zip(path.certificates, path.issuers, strict=True)),
        ),
        DEFAULT_LIMITS,
    )


def _of_report(report: PathReport) -> Iterator[Certificate]:
    """Yield the certificates of a search, the most important first."""
    yield report.target
    for path in report.valid:
        yield from path.certificates
    for rejected in report.rejected:
        yield from rejected.certificates
        yield from (failure.certificate for failure in rejected.failures)


def _within(certificates: Iterable[Certificate], limits: Limits) -> tuple[list[Certificate], str | None]:
    """Return as many certificates as the limit allows, and a sentence about the others."""
    every = list(dict.fromkeys(certificates))
    most = limits.picture_certificates
    if len(every) <= most:
        return every, None
    return every[:most], f"{len(every) - most:,} of {len(every):,} certificates are left out (picture_certificates)"


def _judgements(report: PathReport) -> dict[Certificate, Judgement]:
    """Return the state of each certificate in a search. On a valid path, refusals on other paths are only reasons."""
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
    """Return the issuer of each certificate in the paths of a search."""
    presumed: dict[Certificate, Certificate | TrustAnchor] = {}
    for rejected in report.rejected:
        presumed.update(zip(rejected.certificates, rejected.certificates[1:], strict=False))
    for path in report.valid:
        presumed.update(zip(path.certificates, path.issuers, strict=True))
    return presumed


def _downwards(pool: CertificatePool, trust_anchors: Iterable[TrustAnchor]) -> Iterator[Certificate]:
    """Yield the certificates of a pool level by level from the anchors down, by name, then the unreachable ones."""
    issued: dict[Name, list[Certificate]] = {}
    for certificate in pool:
        issued.setdefault(certificate.issuer, []).append(certificate)
    level = list(dict.fromkeys(anchor.name for anchor in trust_anchors))
    found = set(level)
    while level:
        below = sorted(chain.from_iterable(issued.pop(name, ()) for name in level), key=_certificate_order)
        yield from below
        level = [name for name in dict.fromkeys(certificate.subject for certificate in below) if name not in found]
        found.update(level)
    yield from sorted(chain.from_iterable(issued.values()), key=_certificate_order)


def _certificate_order(certificate: Certificate) -> tuple[object, ...]:
    return (order_of(certificate.subject), certificate.sha256)
