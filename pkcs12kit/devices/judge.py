"""Verdicts on served chains by the documented rules of clients; the clients are not run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

from pkcs12kit.devices.model import Effect
from pkcs12kit.devices.properties import find_properties, measure
from pkcs12kit.devices.versions import find_devices
from pkcs12kit.errors import ArgumentError
from pkcs12kit.findings import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.devices.model import Device, DeviceRule, LifetimeLimit, RootInclusion
    from pkcs12kit.findings import Evidence
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.tls.certificate_message import CertificateMessage

BY_RULE: Final = "by rule"
_MOMENT: Final = timedelta(seconds=1)  # notAfter is part of the validity (RFC 5280 section 4.1.2.5)


class Bearing(Enum):
    """The effect of a remark on the answer. The value is printed by ``--json``."""

    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One remark on a client's answer to a served chain."""

    bearing: Bearing
    """The effect on the answer."""
    why: str
    """The remark, one sentence."""
    certificate: Certificate | None = None
    """The certificate that it is about, if any."""
    evidence: Evidence | None = None
    """The evidence of the rule; None where no rule is known."""
    source: str = ""
    """The source of the rule; empty where no rule is known."""

    def to_json(self) -> dict[str, object]:
        """Return the remark as ``--json`` prints it."""
        return {
            "bearing": self.bearing.value,
            "why": self.why,
            "certificate": None if self.certificate is None else self.certificate.to_json(),
            "standing": None if self.evidence is None else self.evidence.value,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceVerdict:
    """The answer of a client to a served chain, by its rules; nothing was tried."""

    device: str
    """The name of the client."""
    title: str
    """The program and its versions."""
    answer: Answer
    """Yes, no, or unknown where a rule is not known."""
    remarks: tuple[Remark, ...]
    """The reasons and notes, refusals first."""

    @property
    def basis(self) -> str:
        """The basis of the answer: always ``by rule``."""
        return BY_RULE

    @property
    def refusals(self) -> tuple[Remark, ...]:
        """The remarks that are refusals; empty where none is known."""
        return tuple(remark for remark in self.remarks if remark.bearing is Bearing.REFUSED)

    def to_json(self) -> dict[str, object]:
        """Return the verdict as ``--json`` prints it."""
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
    """Return whether a client of :data:`~pkcs12kit.devices.table.DEVICES` would accept a served chain.

    - ``device``: the name of the client, also with a version (``go-1.24``) or a condition (``go>=1.24``). All versions
      that it stands for have to accept the chain.
    - ``message``: the served chain.
    - ``path``: the best path of its certificates to ``trust_anchors``, validated with ``parameters``; None for none.
    - ``trust_anchors``: the trust anchors of the client.
    - ``parameters``: the inputs of path validation.

    The answer is yes where there is a path and all its properties are known to be accepted, no where one is known to be
    refused, and unknown otherwise. Not judged: revocation, the version of TLS and its algorithms, and Certificate
    Transparency. Raises :class:`~pkcs12kit.errors.UnknownNameError` for an unknown device, and
    :class:`~pkcs12kit.errors.ArgumentError` for a message without certificates.
    """
    devices, meaning = find_devices(device)
    if not message.certificates:
        raise ArgumentError("the message has no certificate")
    anchors = tuple(trust_anchors)
    cases = [_Case(device=one, message=message, path=path, trust_anchors=anchors) for one in devices]
    # what several versions refuse for one reason is one remark
    remarks = [*{(one.bearing, one.why): one for case in reversed(cases) for one in reversed(case.remarks())}.values()]
    remarks.reverse()
    if meaning:
        remarks.append(Remark(bearing=Bearing.NOTE, why=meaning))
    if parameters.server_name is None:
        remarks.append(
            Remark(bearing=Bearing.NOTE, why="the name in the certificate was not checked: no server name was given")
        )
    remarks.sort(key=lambda remark: list(Bearing).index(remark.bearing))
    bearings = {remark.bearing for remark in remarks}
    answer = Answer.NO if Bearing.REFUSED in bearings else Answer.UNKNOWN if Bearing.UNKNOWN in bearings else Answer.YES
    title = "; ".join(one.title for one in devices)
    return DeviceVerdict(device=device, title=title, answer=answer, remarks=tuple(remarks))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A device and the served chain that its rules are applied to."""

    device: Device
    message: CertificateMessage
    path: ValidatedPath | None
    trust_anchors: Sequence[TrustAnchor]

    @property
    def target(self) -> Certificate:
        return self.message.certificates[0] if self.path is None else self.path.certificates[0]

    @property
    def shipped(self) -> bool | None:
        """True where the client ships the trust anchor; None where that is not known."""
        anchors = self.trust_anchors if self.path is None else (self.path.trust_anchor,)
        known = {None if inclusion is None else inclusion.ships for inclusion in map(self._inclusion, anchors)}
        return known.pop() if len(known) == 1 else None

    def _inclusion(self, anchor: TrustAnchor) -> RootInclusion | None:
        return None if anchor.certificate is None else self.device.inclusion_of(anchor.certificate.sha256)

    def remarks(self) -> list[Remark]:
        return [
            *self.judge_properties(),
            *self.judge_limits(),
            *self.judge_lifetime(),
            *self.judge_path(),
            *self.notes(),
        ]

    def judge_properties(self) -> Iterator[Remark]:
        for found, certificate in find_properties(self.message, self.path, self.trust_anchors).items():
            rule = self.device.rule_for(found)
            if rule is None:
                why = f"{found.value}: it is not known whether this is accepted"
                yield Remark(bearing=Bearing.UNKNOWN, why=why, certificate=certificate)
                continue
            bearing = self._bearing_of(rule)
            if bearing is not None:
                note = f" ({rule.note})" if rule.note else ""
                doubt = "" if rule.effect is Effect.DEPENDS else _doubt(bearing)
                yield Remark(
                    bearing=bearing,
                    why=f"{found.value}: {rule.effect.value}{note}{doubt}",
                    certificate=certificate,
                    evidence=rule.evidence,
                    source=rule.source,
                )

    def _bearing_of(self, rule: DeviceRule) -> Bearing | None:
        if rule.since is not None and self.target.not_before.date() < rule.since:
            return None
        match rule.effect:
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

    def judge_limits(self) -> Iterator[Remark]:
        figures = list(measure(self.message, self.path))
        for limit in self.device.limits:
            broken = ((figure, of) for quantity, figure, of in figures if quantity is limit.quantity)
            for figure, certificate in broken:
                if limit.excludes(figure):
                    note = f" ({limit.note})" if limit.note else ""
                    yield Remark(
                        bearing=Bearing.REFUSED,
                        why=f"{figure:,} {limit.quantity.value}, and it accepts {limit.figures}{note}",
                        certificate=certificate,
                        evidence=limit.evidence,
                        source=limit.source,
                    )
                    break  # one remark for each limit is enough

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
            yield Remark(bearing=Bearing.UNKNOWN, why="the served chain makes no valid path to the trust anchors")

    def notes(self) -> Iterator[Remark]:
        anchors = self.trust_anchors if self.path is None else (self.path.trust_anchor,)
        for anchor in anchors:
            inclusion = self._inclusion(anchor)
            if inclusion is None:
                why = f"it is not known whether it ships {anchor.name}"
                yield Remark(bearing=Bearing.NOTE, why=why, certificate=anchor.certificate)
                continue
            has_it = (
                "it ships" if inclusion.ships else "it must be given, for example by the MDM in a profile, the root"
            )
            more = f"; {inclusion.note}" if inclusion.note else ""
            yield Remark(
                bearing=Bearing.NOTE,
                why=f"{has_it} {inclusion.root.name}{more}",
                certificate=anchor.certificate,
                evidence=inclusion.evidence,
                source=inclusion.source,
            )
        for note in self.device.notes:
            yield Remark(bearing=Bearing.NOTE, why=note.text, evidence=note.evidence, source=note.source)


def _lifetime(lifetime: LifetimeLimit, valid: timedelta) -> str:
    days = -(-valid // timedelta(days=1))  # a day that has begun counts as a day
    which = " below roots that it ships" if lifetime.below_shipped_roots else ""
    note = f" ({lifetime.note})" if lifetime.note else ""
    return f"valid for {days:,} days; issued since {lifetime.since}, it accepts at most {lifetime.days:,}{which}{note}"


def _doubt(bearing: Bearing) -> str:
    return "; it is not known whether it ships this root" if bearing is Bearing.UNKNOWN else ""
