"""The keys that may sign revocation data about the certificates of one path (RFC 5280 section 6.3.3 (f), (g)).

A key counts where it belongs to the validated path, or where our validator accepts a path from its certificate to the
same trust anchor. Names, serial numbers, key identifiers and signature octets prove nothing: an attacker can copy
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.key_algorithms import algorithm_identifier_in_words
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.paths.candidates import CandidateSearch
from pkcs12kit.paths.failure import InvalidPathError, may_issue
from pkcs12kit.paths.graph import CertificationGraph
from pkcs12kit.paths.revocation.distribution_points import distribution_points
from pkcs12kit.paths.revocation.faults import UNSIGNED, EvidenceFault, Fault
from pkcs12kit.paths.revocation.model import RevocationStatus
from pkcs12kit.paths.signatures import REMEMBERED, SignatureVerdict, WorkingKey
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.paths.validation.validator import validate
from pkcs12kit.text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.graph import Node
    from pkcs12kit.paths.revocation.crl import RevocationList
    from pkcs12kit.paths.revocation.evidence import RevocationEvidence
    from pkcs12kit.paths.revocation.model import CertificateStatus
    from pkcs12kit.paths.signatures import SignedData


_HEX_SHOWN: Final = 64
_KEYS_SHOWN: Final = 3
# Reasons why the certificate of a responder is not one that the issuer issued, or not now.
_OF_DELEGATES: Final = {
    FailureReason.NAME_CHAINING: EvidenceFault.RESPONDER_OF_ANOTHER_ISSUER,
    FailureReason.BAD_SIGNATURE: EvidenceFault.RESPONDER_OF_ANOTHER_ISSUER,
    FailureReason.EXPIRED: EvidenceFault.RESPONDER_EXPIRED,
    FailureReason.NOT_YET_VALID: EvidenceFault.RESPONDER_EXPIRED,
}


class Signer(NamedTuple):
    """A name and key on a validated path."""

    node: Node
    key: WorkingKey
    certificate: Certificate | None
    """None for a trust anchor that is a name and a key."""


class CheckedCertificate:
    """A certificate whose status is looked up: the target of a path whose other certificates are already checked."""

    def __init__(self, path: CertificationPath) -> None:
        self.path = path
        self.certificate = path.target
        self.issuers = _signers_above(path)
        """The issuer, then the signers above it, the trust anchor last."""

    @property
    def issuer(self) -> Signer:
        """The issuer of the certificate, with the working key of the path."""
        return self.issuers[0]


def _signers_above(path: CertificationPath) -> tuple[Signer, ...]:
    """Return the signers above the target of a path, with working keys (RFC 5280 section 6.1.4 (d) to (f))."""
    anchor = path.trust_anchor
    key = WorkingKey.of(anchor)
    upside_down = [Signer(anchor.node, key, anchor.certificate)]
    for certificate in reversed(path.certificates[1:]):
        key = key.next(certificate)
        upside_down.append(Signer(certificate.node, key, certificate))
    return tuple(reversed(upside_down))


class _NotGood(NamedTuple):
    """The reason why a certificate of a side path is not known to be good."""

    detail: str
    depends_on_it: bool
    """True where evidence about it is signed by a signer that waits for the result."""


def unsupported_signature(signed: SignedData) -> Fault | None:
    """Return the fault of a signature whose algorithm cannot be checked; None where it is supported."""
    if signed.scheme is not None:
        return None
    name = algorithm_identifier_in_words(signed.algorithm)
    detail = f"has a signature that cannot be checked: signature algorithm {name} is not supported"
    return Fault(EvidenceFault.UNSUPPORTED_ALGORITHM, detail)


@dataclass(frozen=True, kw_only=True)
class SignerSearch:
    """A search for the signers of CRLs and OCSP responses for one path, at one time.

    ``status_of`` looks up the status of a certificate beside the path. Its second argument are the signers whose own
    status depends on the result: what they sign about themselves does not count, and then it returns True as well.
    """

    evidence: RevocationEvidence
    parameters: ValidationParameters
    """The time and the algorithms by which signers are validated."""
    budget: SearchBudget
    status_of: Callable[[CheckedCertificate, tuple[Node, ...]], tuple[CertificateStatus, bool]]
    main_path: CertificationPath

    def has_signed(self, key: WorkingKey, signed: SignedData) -> bool:
        """Return True where a key verifies a signature. Raises ``BudgetExhaustedError``."""
        return REMEMBERED.verdict_on(signed, key, self.budget) is SignatureVerdict.VALID

    def weakness(self, key: WorkingKey, signed: SignedData) -> Fault | None:
        """Return why the algorithm policy rejects a signature that verifies; None where it accepts it."""
        policy, scheme = self.parameters.algorithm_policy, signed.scheme
        digest = scheme.digest.name if scheme is not None and scheme.digest is not None else None
        weakness = policy.weakness_of_digest(digest, key.key)
        if weakness is not None:
            return Fault(EvidenceFault.WEAK_ALGORITHM, f"is {weakness}")
        weakness = policy.weakness_of_key(key.key)
        if weakness is None:
            return None
        return Fault(EvidenceFault.WEAK_ALGORITHM, f"is signed with a weak key: {weakness}")

    def crl_signer(self, crl: RevocationList, checked: CheckedCertificate, waiting: tuple[Node, ...]) -> Signer | Fault:
        """Return the authorized signer of a CRL, or the reason why the CRL does not count.

        The signer has the name of the CRL's issuer, is on the path or has its own path to the same trust anchor, and
        has cRLSign in its keyUsage, if there is one (RFC 5280 section 6.3.3 (f), (g)).
        """
        refusals: list[Fault] = []
        for signer in checked.issuers:
            if signer.node[0] == crl.issuer and self.has_signed(signer.key, crl.signed):
                refusal = self.weakness(signer.key, crl.signed) or _crl_sign_refusal(signer.certificate, checked)
                if refusal is None:
                    return signer
                refusals.append(refusal)
        for certificate in self.evidence.candidates(crl.issuer):
            key = own_key(certificate)
            if key is None or not self.has_signed(key, crl.signed):
                continue
            refusal = (
                self.weakness(key, crl.signed)
                or _crl_sign_refusal(certificate, checked)
                or self.side_path_refusal(certificate, checked, waiting)
            )
            if refusal is None:
                return Signer(certificate.node, key, certificate)
            refusals.append(refusal)
        return joined(refusals) or self._unsigned(crl, checked)

    def _unsigned(self, crl: RevocationList, checked: CheckedCertificate) -> Fault:
        """Return the fault of a CRL that no known key of its issuer's name verifies.

        Its key identifier proves nothing, but that of a CA with a new key, or of another CA with this name, is another.
        """
        unsupported = unsupported_signature(crl.signed)
        if unsupported is not None:
            return unsupported
        detail = f"is not signed by {crl.issuer.label}"
        on_path = [signer.certificate for signer in checked.issuers if signer.node[0] == crl.issuer]
        certificates = (*on_path, *self.evidence.candidates(crl.issuer))
        known = {None if one is None else one.key_identifier for one in certificates}
        if crl.key_identifier is None or not known or known & {None, crl.key_identifier}:
            return Fault(EvidenceFault.BAD_SIGNATURE, detail)
        keys = sorted(identifier.hex()[:_HEX_SHOWN] for identifier in known if identifier is not None)
        named = crl.key_identifier.hex()[:_HEX_SHOWN]
        at_hand = " and ".join(shortened(keys, _KEYS_SHOWN))
        detail = f"{detail}: it names the key {named}, and the certificates of that name have the key {at_hand}"
        return Fault(EvidenceFault.OTHER_KEY, detail)

    def side_path_refusal(
        self, certificate: Certificate, checked: CheckedCertificate, waiting: tuple[Node, ...]
    ) -> Fault | None:
        """Return why a signer's certificate is not trusted; None where it has a good path to the same anchor.

        A waiting signer counts for one certificate only: its own, to the octet, where the CA that issued it names it as
        the CRL issuer. Another certificate with its name and key may be forged, and is not covered by this; and a
        certificate above the signer must be good before the signer counts.
        """
        named = _numbered(certificate)
        if certificate.node in waiting:
            is_own_issuer = certificate == checked.certificate and _names_itself(certificate)
            return None if is_own_issuer else _depends_on_it(f"is signed by {named}", certificate)
        invalid: list[str] = []
        unknown: list[_NotGood] = []
        for path in self._valid_paths(certificate, checked, invalid):
            refusal = self._status_refusal(path, checked, (*waiting, certificate.node))
            if refusal is None:
                return None
            unknown.append(refusal)
        if unknown:
            return _not_good(f"is signed by {named}", unknown[0], certificate)
        reason = f": {invalid[0]}" if invalid else ""
        detail = f"is signed by {named}, which has no valid path to the trust anchor{reason}"
        return Fault(EvidenceFault.SIGNER_NOT_TRUSTED, detail, certificate)

    def delegate_refusal(
        self, certificate: Certificate, checked: CheckedCertificate, waiting: tuple[Node, ...], *, check_status: bool
    ) -> Fault | None:
        """Return why a certificate does not belong to a delegate of the issuer's key; None where it does.

        The key that issued the checked certificate must have issued it, it must be valid with the path above that, and,
        with ``check_status``, be known to be good (RFC 6960 section 4.2.2.2).
        """
        named = f"is signed by the responder {_numbered(certificate)}"
        if certificate.node in waiting:
            return _depends_on_it(named, certificate)
        chain = (certificate, *checked.path.certificates[1:])
        if len({one.node for one in chain}) != len(chain):
            return Fault(EvidenceFault.RESPONDER_NOT_VALID, f"{named}, which is a CA on the path", certificate)
        path = CertificationPath(certificates=chain, trust_anchor=self.main_path.trust_anchor)
        try:
            self._validate(path)
        except InvalidPathError as no:
            failure = no.failure
            is_its_own = failure.certificate == certificate
            by = "" if is_its_own else f"{_numbered(failure.certificate)}: "
            code = _OF_DELEGATES.get(failure.reason) if is_its_own else None
            detail = f"{named}, which is not a valid delegate of the issuer: {by}{failure.detail}"
            return Fault(code or EvidenceFault.RESPONDER_NOT_VALID, detail, certificate)
        refusal = self._status_refusal(path, checked, (*waiting, certificate.node)) if check_status else None
        return None if refusal is None else _not_good(named, refusal, certificate)

    def _valid_paths(
        self, certificate: Certificate, checked: CheckedCertificate, refusals: list[str]
    ) -> Iterator[CertificationPath]:
        """Yield the valid paths from a signer's certificate to the trust anchor (RFC 5280 section 6.1)."""
        for path in self._candidates(certificate, checked):
            try:
                self._validate(path)
                yield path
            except InvalidPathError as no:
                refusals.append(no.failure.detail)

    def _validate(self, path: CertificationPath) -> None:
        """Raise ``InvalidPathError`` where a path beside the main one is not valid, and ``BudgetExhaustedError``."""
        self.budget.start_validation()
        self.budget.spend("judged_certificates", len(path.certificates))
        validate(path, self.parameters, budget=self.budget)

    def _candidates(self, certificate: Certificate, checked: CheckedCertificate) -> Iterator[CertificationPath]:
        """Yield candidates: first those that join the path itself, then those through any certificates of the pool."""
        anchor, above = self.main_path.trust_anchor, checked.path.certificates[1:]
        for position in range(len(above) + 1):
            issuer: Certificate | TrustAnchor = above[position] if position < len(above) else anchor
            chain = (certificate, *above[position:])
            name = issuer.subject if isinstance(issuer, Certificate) else issuer.name
            if name == certificate.issuer and len({one.node for one in chain}) == len(chain):
                yield CertificationPath(certificates=chain, trust_anchor=anchor)
        if self.evidence.pool is not None:
            time = self.parameters.time
            graph = CertificationGraph(
                certificate,
                self.evidence.pool,
                (anchor,),
                usable=lambda one: may_issue(one, time),
                budget=self.budget,
            )
            yield from CandidateSearch(graph, budget=self.budget)

    def _status_refusal(
        self, path: CertificationPath, checked: CheckedCertificate, waiting: tuple[Node, ...]
    ) -> _NotGood | None:
        """Return the certificate of a side path that is not known to be good; None where all are.

        Only the certificates above the checked one count as already checked. One below it would depend on the checked
        certificate itself, which may be revoked.
        """
        certificates, settled = path.certificates, checked.path.certificates[1:]
        for position in range(len(certificates) - 1, -1, -1):
            chain = certificates[position:]
            if chain == settled[-len(chain) :]:
                continue
            partial = CertificationPath(certificates=chain, trust_anchor=path.trust_anchor)
            status, depends = self.status_of(CheckedCertificate(partial), waiting)
            if status.status is not RevocationStatus.GOOD:
                above = "" if position == 0 else f"{_numbered(status.certificate)} above it: "
                return _NotGood(f"{above}{status.detail}", depends)
        return None


def side_parameters(parameters: ValidationParameters) -> ValidationParameters:
    """Return the parameters by which signers are validated: time and algorithms, without those about the target.

    The validity of the trust anchor was checked with the path, and is not checked again.
    """
    return ValidationParameters(
        time=parameters.time,
        algorithm_policy=parameters.algorithm_policy,
        use_trust_anchor_constraints=parameters.use_trust_anchor_constraints,
        check_trust_anchor_validity=False,
    )


def own_key(certificate: Certificate) -> WorkingKey | None:
    """Return a certificate's key; None where it cannot be used without the path above it."""
    try:
        return WorkingKey.of(certificate)
    except MalformedCertificateError:
        return None


def joined(refusals: Iterable[Fault]) -> Fault | None:
    """Return the refusals of several signers as one fault, of the kind of the first; None where there is none.

    The clauses of all are in it. Those of certificates whose keys did not sign come last.
    """
    ordered = sorted(dict.fromkeys(refusals), key=lambda fault: fault.code in UNSIGNED)
    if not ordered:
        return None
    details = dict.fromkeys(fault.detail for fault in ordered)
    return Fault(ordered[0].code, "; ".join(details), ordered[0].signer)


def _depends_on_it(named: str, certificate: Certificate) -> Fault:
    return Fault(EvidenceFault.SIGNER_DEPENDS_ON_IT, f"{named}, whose own status depends on it", certificate)


def _not_good(named: str, why: _NotGood, certificate: Certificate) -> Fault:
    code = EvidenceFault.SIGNER_DEPENDS_ON_IT if why.depends_on_it else EvidenceFault.SIGNER_NOT_GOOD
    return Fault(code, f"{named}, which is not known to be good: {why.detail}", certificate)


def _crl_sign_refusal(certificate: Certificate | None, checked: CheckedCertificate) -> Fault | None:
    """Return why the holder of a certificate may not sign CRLs, by its keyUsage; None where it may.

    A trust anchor may unless its constraints forbid it. Among other certificates without a keyUsage only those of CAs
    count. RFC 5280 section 6.3.3 (f) accepts all of them, but section 4.2.1.3 requires a keyUsage of every CRL issuer,
    and an end entity may have been able to choose its own name.
    """
    anchor = checked.path.trust_anchor
    if certificate is None or certificate == anchor.certificate:
        usage = None if anchor.constraints is None else anchor.constraints.key_usage
        may_sign = usage is None or usage.crl_sign
    else:
        try:
            usage = certificate.extensions.key_usage
        except MalformedCertificateError as error:
            detail = f"is signed by {_numbered(certificate)}: {error}"
            return Fault(EvidenceFault.SIGNER_NOT_TRUSTED, detail, certificate)
        may_sign = certificate.is_ca if usage is None else usage.crl_sign
    if may_sign:
        return None
    signer = _numbered(certificate) if certificate is not None else "the trust anchor"
    detail = f"is signed by {signer}, whose keyUsage lacks cRLSign"
    return Fault(EvidenceFault.SIGNER_LACKS_CRL_SIGN, detail, certificate)


def _names_itself(certificate: Certificate) -> bool:
    """Return True where the CA that issued a CRL signer's certificate names that signer as its CRL issuer.

    Its status is in its own CRL then, as in test 4.14.30 of NIST's PKITS.
    """
    try:
        points = list(distribution_points(certificate))
    except MalformedCertificateError:
        return False
    return any(point.is_indirect and certificate.subject in point.crl_issuers for point in points)


def _numbered(certificate: Certificate) -> str:
    return f"{certificate.subject.label} ({serial_number_label(certificate.serial_number)})"
