"""From certificates, and what is known of each, to the nodes and edges of a picture."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pkcs12kit.display.pictures.issuers import KnownIssuers
from pkcs12kit.display.pictures.picture import EdgeState, Picture, PictureEdge, PictureNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits

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


def label_of(name: Name) -> str:
    """Name it by its common name; where it has none, by its most specific text: names in whole are too long to draw."""
    specific = (value for rdn in reversed(name.relative_distinguished_names) for _, value in rdn)
    return name.common_name or next((value for value in specific if isinstance(value, str) and value), "(no name)")


def order_of(name: Name) -> tuple[object, ...]:
    """Sort by label as people do: CA-9 before CA-10."""
    parts = _DIGITS.split(label_of(name).casefold())
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
            label=label_of(place.name),
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
