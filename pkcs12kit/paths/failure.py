"""The reasons why a certification path fails, as data, and how a check reports one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.errors import FailureReason, MalformedCertificateError, PathError
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.policy_table import PolicyRow
    from pkcs12kit.paths.revocation.attempts import EvidenceAttempt
    from pkcs12kit.paths.revocation.locations import EvidenceLocations
    from pkcs12kit.paths.validation.parameters import ValidationParameters

SECTION_OF_VALIDITY: Final = "RFC 5280 section 6.1.3 (a)(2)"
SECTION_OF_OWN_KEY: Final = "RFC 5280 section 6.1.5 (c)"
SECTION_OF_TRUST_ANCHORS: Final = "RFC 5280 section 6.1.1 (d), by choice"

# Reasons about the certificate only: every other path through it fails as well.
_OF_THE_CERTIFICATE_ALONE: Final = frozenset(
    {
        FailureReason.NOT_YET_VALID,
        FailureReason.EXPIRED,
        FailureReason.NOT_A_CA,
        FailureReason.KEY_USAGE,
        FailureReason.UNKNOWN_CRITICAL_EXTENSION,
        FailureReason.MALFORMED_CERTIFICATE,
        FailureReason.EXTENDED_KEY_USAGE,
        FailureReason.SERVER_NAME,
        FailureReason.POLICY_MAPPING,
    }
)
# Reasons about the certificate and the issuer above it: with another key of that name it may be valid.
_OF_THE_ISSUER_TOO: Final = frozenset(
    {FailureReason.BAD_SIGNATURE, FailureReason.UNSUPPORTED_ALGORITHM, FailureReason.WEAK_ALGORITHM}
)
# Reasons about the certificate, the issuer above it, and the trust anchor to which the signer of a CRL leads.
_OF_THE_ISSUER_AND_THE_ANCHOR: Final = frozenset({FailureReason.REVOKED, FailureReason.REVOCATION_UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingIssuer:
    """The issuer of a certificate that was not supplied, as the certificate describes it. Nothing of it is verified."""

    name: Name
    key_identifier: bytes | None
    """The identifier of the issuer's key (RFC 5280 section 4.2.1.1)."""
    locations: tuple[str, ...]
    """The URLs of the issuer's certificate (caIssuers, RFC 5280 section 4.2.2.1)."""
    found_key_identifiers: tuple[bytes, ...] = ()
    """The key identifiers of supplied issuers with that name that did not sign the certificate.

    Either the issuer has a new key, or one of them is an impostor.
    """
    look_alikes: tuple[Certificate, ...] = ()
    """The first supplied certificates with that name, trust anchors included; none of them signed the certificate."""
    look_alike_count: int = 0
    """The number of supplied certificates with that name, trust anchors included."""

    def to_json(self) -> dict[str, Any]:
        """Return the issuer as ``--json`` prints it."""
        return {
            "name": str(self.name),
            "key_identifier": self.key_identifier.hex() if self.key_identifier is not None else None,
            "locations": list(self.locations),
            "found_key_identifiers": [identifier.hex() for identifier in self.found_key_identifiers],
            "look_alikes": [
                one.to_json() | {"key_identifier": one.key_identifier.hex() if one.key_identifier is not None else None}
                for one in self.look_alikes
            ],
            "look_alike_count": self.look_alike_count,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A statement of a certificate, often of another one than the failing one, that makes a check fail."""

    certificate: Certificate | None
    """The certificate with the statement; None for a requirement of the caller, or an anchor without certificate."""
    extension: str
    """The extension, field or input as the standard spells it, for example ``nameConstraints``."""
    value: str
    """The value as text, for example ``permitted: DNS .mil``."""
    detail: str
    """The consequence, without the certificate's name."""

    def to_json(self) -> dict[str, Any]:
        """Return the cause as ``--json`` prints it."""
        return {
            "certificate": None if self.certificate is None else self.certificate.to_json(),
            "extension": self.extension,
            "value": self.value,
            "detail": self.detail,
        }


class Processed(NamedTuple):
    """A certificate that validation has processed, with those above it."""

    certificate: Certificate
    above: Processed | None


class Descent(NamedTuple):
    """The inputs of a validation up to the certificate that failed; explanations are made from it."""

    anchor: TrustAnchor
    parameters: ValidationParameters
    above: Processed | None
    """The certificates that were processed before the one that failed, the last one first; None without any."""
    is_target: bool
    """True if the certificate that failed is the last one of the path."""

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates that were processed before, from the trust anchor down."""
        found, link = [], self.above
        while link is not None:
            found.append(link.certificate)
            link = link.above
        return tuple(reversed(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One reason why a path is not valid: the certificate, the check, and the section of the standard."""

    reason: FailureReason
    """The reason, from the closed list."""
    certificate: Certificate
    """The certificate that the check failed for."""
    section: str
    """For example ``RFC 5280 section 6.1.3 (a)(2)``."""
    detail: str
    """The finding, without the certificate's name."""
    missing_issuer: MissingIssuer | None = None
    """The issuer that was not supplied; None where that is not the reason."""
    causes: tuple[Cause, ...] = ()
    """The statements that make the check fail; empty where nothing beside the failing certificate matters."""
    would_pass: str | None = None
    """A clause about what would pass the check; None where that is not known, or goes without saying."""
    policies: tuple[PolicyRow, ...] = ()
    """The policies at each certificate down to the failing one, for a path that is valid for no acceptable policy."""
    descent: Descent | None = field(default=None, repr=False, compare=False)
    """The validation that failed; None after its explanation, and for failures that need none."""
    evidence: tuple[EvidenceAttempt, ...] = ()
    """The CRLs and OCSP responses that revoke the certificate, or that leave its status unknown, each with why."""
    evidence_locations: EvidenceLocations | None = None
    """Where newer ones come from, as the certificate says; None where the failure is not about revocation."""

    @property
    def of_the_time(self) -> bool:
        """True where the certificate passes this check at another time."""
        return self.reason in (FailureReason.EXPIRED, FailureReason.NOT_YET_VALID)

    @property
    def of_the_certificate_alone(self) -> bool:
        """True where every other path through this certificate fails for the same reason."""
        return self.reason in _OF_THE_CERTIFICATE_ALONE

    @property
    def of_the_issuer_too(self) -> bool:
        """True where every other path through this certificate and the same issuer fails for the same reason."""
        return self.reason in _OF_THE_ISSUER_TOO

    @property
    def of_the_issuer_and_the_anchor(self) -> bool:
        """True where every other path with this certificate, issuer and trust anchor fails for the same reason."""
        return self.reason in _OF_THE_ISSUER_AND_THE_ANCHOR

    def to_json(self) -> dict[str, Any]:
        """Return the failure as ``--json`` prints it."""
        return {
            "certificate": self.certificate.to_json(),
            "reason": self.reason.value,
            "section": self.section,
            "detail": self.detail,
            "missing_issuer": self.missing_issuer.to_json() if self.missing_issuer is not None else None,
            "causes": [cause.to_json() for cause in self.causes],
            "would_pass": self.would_pass,
            "policies": [row.to_json() for row in self.policies],
            "evidence": [attempt.to_json() for attempt in self.evidence],
            "evidence_locations": None if self.evidence_locations is None else self.evidence_locations.to_json(),
        }

    def __str__(self) -> str:
        number = serial_number_label(self.certificate.serial_number)
        return f"{self.certificate.subject} ({number}): {self.detail} [{self.section}]"


class InvalidPathError(PathError):
    """A path that is not valid; :attr:`failure` is the reason, and :attr:`others` are further ones."""

    def __init__(self, failure: Failure, others: tuple[Failure, ...] = ()) -> None:
        super().__init__(failure)
        self.failure = failure
        self.others = others


def refuse(  # the fields of a failure
    reason: FailureReason,
    certificate: Certificate,
    section: str,
    detail: str,
    *,
    causes: tuple[Cause, ...] = (),
    would_pass: str | None = None,
    descent: Descent | None = None,
) -> NoReturn:
    """Raise :class:`InvalidPathError` for a check that a certificate does not pass."""
    failure = Failure(
        reason=reason,
        certificate=certificate,
        section=section,
        detail=detail,
        causes=causes,
        would_pass=would_pass,
        descent=descent,
    )
    raise InvalidPathError(failure) from None


def validity_failure(certificate: Certificate, time: datetime, section: str = SECTION_OF_VALIDITY) -> Failure | None:
    """Return the failure of a certificate that is expired or not yet valid at ``time``; None where it is valid.

    Both ends are included (RFC 5280 section 4.1.2.5).
    """
    if time > certificate.not_after:
        reason, detail = FailureReason.EXPIRED, f"expired on {format_time(certificate.not_after)}"
    elif time < certificate.not_before:
        reason, detail = FailureReason.NOT_YET_VALID, f"is not valid before {format_time(certificate.not_before)}"
    else:
        return None
    return Failure(reason=reason, certificate=certificate, section=section, detail=detail)


def may_issue(certificate: Certificate, time: datetime) -> bool:
    """Return True where a search uses a certificate as an issuer: it is of a CA and valid at ``time``."""
    return certificate.is_ca and certificate.not_before <= time <= certificate.not_after


def issuer_failure(certificate: Certificate, time: datetime) -> Failure | None:
    """Return the failure because of which :func:`may_issue` is False; None where it is True."""
    failure = validity_failure(certificate, time)
    return _ca_failure(certificate) if failure is None and not certificate.is_ca else failure


def _ca_failure(certificate: Certificate) -> Failure:
    """Return the failure of a certificate that is not known to be of a CA."""
    try:
        _ = certificate.extensions
    except MalformedCertificateError as error:
        reason, section, detail = FailureReason.MALFORMED_CERTIFICATE, "RFC 5280 section 4.2", str(error)
    else:
        return _not_a_ca(certificate)
    return Failure(reason=reason, certificate=certificate, section=section, detail=detail)


def _not_a_ca(certificate: Certificate) -> Failure:
    constraints = certificate.extensions.basic_constraints
    cause = Cause(
        certificate=certificate,
        extension="basicConstraints",
        value="absent" if constraints is None else "cA FALSE",
        detail="only a CA may issue certificates",
    )
    return Failure(
        reason=FailureReason.NOT_A_CA,
        certificate=certificate,
        section="RFC 5280 section 6.1.4 (k)",
        detail="has no basicConstraints with cA, so it may not issue certificates",
        causes=(cause,),
        would_pass="a certificate for this CA with basicConstraints cA TRUE",
    )
