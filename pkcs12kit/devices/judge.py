"""Would a client take what a server sends? Answered by its rules, without having it: by rule, and never tried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

from pkcs12kit.devices.model import Effect
from pkcs12kit.devices.table import DEVICES
from pkcs12kit.devices.traits import find_traits, measure
from pkcs12kit.findings import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.devices.model import Device, Lifetime, Shipping, Statement
    from pkcs12kit.findings import Evidence
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.tls.certificate_message import CertificateMessage

BY_RULE: Final = "by rule"
_MOMENT: Final = timedelta(seconds=1)  # notAfter is part of the validity (RFC 5280 section 4.1.2.5)


class Bearing(Enum):
    """What a remark does to the answer. The value is what ``--json`` prints."""

    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing to say of a client and of what is sent.

    ``certificate`` is the one that it is about, if one is. ``evidence`` and ``source`` say where the rule is known
    from; None and empty where no rule is, which is why the answer is not known.
    """

    bearing: Bearing
    why: str
    certificate: Certificate | None = None
    evidence: Evidence | None = None
    source: str = ""

    def to_json(self) -> dict[str, object]:
        """Describe it for ``--json``."""
        return {
            "bearing": self.bearing.value,
            "why": self.why,
            "certificate": None if self.certificate is None else self.certificate.to_json(),
            "standing": None if self.evidence is None else self.evidence.value,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceVerdict:
    """Whether a client takes what is sent, by its rules: nothing was tried. What refuses comes first in ``remarks``."""

    device: str
    title: str
    answer: Answer
    remarks: tuple[Remark, ...]

    @property
    def basis(self) -> str:
        """How the answer was come by: ``by rule``, always."""
        return BY_RULE

    @property
    def refusals(self) -> tuple[Remark, ...]:
        """The remarks for which it refuses; empty where it is not known to."""
        return tuple(remark for remark in self.remarks if remark.bearing is Bearing.REFUSED)

    def to_json(self) -> dict[str, object]:
        """Describe it for ``--json``."""
        return {
            "device": self.device,
            "title": self.title,
            "accepted": self.answer.value,
            "basis": self.basis,
            "remarks": [remark.to_json() for remark in self.remarks],
        }


def judge_by_rules(
    device: str,
    *,
    message: CertificateMessage,
    path: ValidatedPath | None,
    trust_anchors: Iterable[TrustAnchor],
    parameters: ValidationParameters,
) -> DeviceVerdict:
    """Say whether a client of :data:`~pkcs12kit.devices.table.DEVICES` would take a Certificate message.

    ``path`` is the best that the certificates of ``message`` make to ``trust_anchors``, validated with ``parameters``;
    None where they make none. The answer is yes where there is one and everything that is special about it is known to
    be accepted, no where one thing is known to be refused, else unknown. Not judged are revocation, the protocol and
    its algorithms, and Certificate Transparency. Raises :class:`KeyError` for a name that is no device's, and
    :class:`ValueError` for a message without certificates.
    """
    if device not in DEVICES:
        raise KeyError(f"no device {device!r}; there are {', '.join(DEVICES)}")
    if not message.certificates:
        raise ValueError("no certificate was sent")
    case = _Case(device=DEVICES[device], message=message, path=path, trust_anchors=tuple(trust_anchors))
    remarks = [*case.judge_traits(), *case.judge_bounds(), *case.judge_lifetime(), *case.judge_path(), *case.notes()]
    if parameters.server_name is None:
        remarks.append(
            Remark(bearing=Bearing.NOTE, why="whether the certificate is for the server's name was not asked")
        )
    remarks.sort(key=lambda remark: list(Bearing).index(remark.bearing))
    bearings = {remark.bearing for remark in remarks}
    answer = Answer.NO if Bearing.REFUSED in bearings else Answer.UNKNOWN if Bearing.UNKNOWN in bearings else Answer.YES
    return DeviceVerdict(device=device, title=case.device.title, answer=answer, remarks=tuple(remarks))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    device: Device
    message: CertificateMessage
    path: ValidatedPath | None
    trust_anchors: Sequence[TrustAnchor]

    @property
    def target(self) -> Certificate:
        return self.message.certificates[0] if self.path is None else self.path.certificates[0]

    @property
    def shipped(self) -> bool | None:
        """Whether the client comes with the anchor; None where that is not known."""
        anchors = self.trust_anchors if self.path is None else (self.path.trust_anchor,)
        known = {None if shipping is None else shipping.ships for shipping in map(self._shipping, anchors)}
        return known.pop() if len(known) == 1 else None

    def _shipping(self, anchor: TrustAnchor) -> Shipping | None:
        return None if anchor.certificate is None else self.device.ships(anchor.certificate.sha256)

    def judge_traits(self) -> Iterator[Remark]:
        for trait, certificate in find_traits(self.message, self.path, self.trust_anchors).items():
            statement = self.device.of(trait)
            if statement is None:
                why = f"{trait.value}: what it makes of that is not known"
                yield Remark(bearing=Bearing.UNKNOWN, why=why, certificate=certificate)
                continue
            bearing = self._bearing_of(statement)
            if bearing is not None:
                note = f" ({statement.note})" if statement.note else ""
                doubt = "" if statement.effect is Effect.DEPENDS else _doubt(bearing)
                yield Remark(
                    bearing=bearing,
                    why=f"{trait.value}: {statement.effect.value}{note}{doubt}",
                    certificate=certificate,
                    evidence=statement.evidence,
                    source=statement.source,
                )

    def _bearing_of(self, statement: Statement) -> Bearing | None:
        if statement.since is not None and self.target.not_before.date() < statement.since:
            return None
        match statement.effect:
            case Effect.ACCEPTED:
                return None
            case Effect.REFUSED:
                return Bearing.REFUSED
            case Effect.REFUSED_BELOW_SHIPPED_ROOTS:
                return self._below_shipped_roots()
            case Effect.DEPENDS:
                return Bearing.UNKNOWN

    def _below_shipped_roots(self) -> Bearing | None:
        if self.shipped is None:
            return Bearing.UNKNOWN
        return Bearing.REFUSED if self.shipped else None

    def judge_bounds(self) -> Iterator[Remark]:
        figures = list(measure(self.message, self.path))
        for bound in self.device.bounds:
            broken = ((figure, of) for quantity, figure, of in figures if quantity is bound.quantity)
            for figure, certificate in broken:
                if bound.broken_by(figure):
                    note = f" ({bound.note})" if bound.note else ""
                    yield Remark(
                        bearing=Bearing.REFUSED,
                        why=f"{figure:,} {bound.quantity.value}, and it takes {bound.figures}{note}",
                        certificate=certificate,
                        evidence=bound.evidence,
                        source=bound.source,
                    )
                    break  # once is enough

    def judge_lifetime(self) -> Iterator[Remark]:
        valid = self.target.not_after - self.target.not_before + _MOMENT
        for lifetime in self.device.lifetimes:
            if valid <= timedelta(days=lifetime.days) or self.target.not_before.date() < lifetime.since:
                continue
            bearing = self._below_shipped_roots() if lifetime.below_shipped_roots else Bearing.REFUSED
            if bearing is not None:
                yield Remark(
                    bearing=bearing,
                    why=f"{_lifetime(lifetime, valid)}{_doubt(bearing)}",
                    certificate=self.target,
                    evidence=lifetime.evidence,
                    source=lifetime.source,
                )

    def judge_path(self) -> Iterator[Remark]:
        if self.path is None:
            yield Remark(bearing=Bearing.UNKNOWN, why="what is sent makes no valid path to the trust anchors")

    def notes(self) -> Iterator[Remark]:
        anchors = self.trust_anchors if self.path is None else (self.path.trust_anchor,)
        for anchor in anchors:
            shipping = self._shipping(anchor)
            if shipping is None:
                why = f"whether it comes with {anchor.name} is not known"
                yield Remark(bearing=Bearing.NOTE, why=why, certificate=anchor.certificate)
                continue
            has_it = "it comes with" if shipping.ships else "it has to be given, for example by the MDM in a profile:"
            more = f"; {shipping.note}" if shipping.note else ""
            yield Remark(
                bearing=Bearing.NOTE,
                why=f"{has_it} {shipping.root.name}{more}",
                certificate=anchor.certificate,
                evidence=shipping.evidence,
                source=shipping.source,
            )
        for note in self.device.notes:
            yield Remark(bearing=Bearing.NOTE, why=note.text, evidence=note.evidence, source=note.source)


def _lifetime(lifetime: Lifetime, valid: timedelta) -> str:
    days = -(-valid // timedelta(days=1))  # a day that has begun counts
    which = " below roots that it ships" if lifetime.below_shipped_roots else ""
    note = f" ({lifetime.note})" if lifetime.note else ""
    return f"valid for {days:,} days; issued since {lifetime.since}, it takes {lifetime.days:,} at most{which}{note}"


def _doubt(bearing: Bearing) -> str:
    return "; whether it ships this root is not known" if bearing is Bearing.UNKNOWN else ""
