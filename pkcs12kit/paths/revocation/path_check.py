"""The lookup of each certificate of a path, from the trust anchor down (RFC 5280 section 6.1.3 (a)(3))."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.revocation.crl_check import CrlCheck
from pkcs12kit.paths.revocation.model import CertificateStatus, RevocationStatus
from pkcs12kit.paths.revocation.ocsp_check import OcspCheck
from pkcs12kit.paths.revocation.signers import CheckedCertificate, SignerSearch, side_parameters
from pkcs12kit.text import harmless, shortened

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.graph import Node
    from pkcs12kit.paths.revocation.evidence import RevocationEvidence
    from pkcs12kit.paths.revocation.model import Findings
    from pkcs12kit.paths.validation.parameters import ValidationParameters

_NOTES_SHOWN: Final = 5  # of one certificate
_NOTE_SHOWN: Final = 500  # characters


class PathCheck:
    """The check of one path, at one time."""

    def __init__(
        self, path: CertificationPath, evidence: RevocationEvidence, parameters: ValidationParameters, limits: Limits
    ) -> None:
        self._path = path
        self._evidence = evidence
        self._budget = SearchBudget.for_revocation(limits)
        self._known: dict[tuple[tuple[str, ...], tuple[Node, ...]], CertificateStatus] = {}
        # Each has its own budget: useless data of one kind must not prevent the check of data of the other kind.
        self._by_ocsp, self._by_crl = (
            SignerSearch(
                evidence=evidence,
                parameters=side_parameters(parameters),
                budget=SearchBudget.for_revocation(limits),
                status_of=self._status,
                main_path=path,
            )
            for _ in range(2)
        )

    def run(self) -> tuple[CertificateStatus, ...]:
        """Return the status of each certificate, target first; they are looked up from the trust anchor down."""
        found: list[CertificateStatus] = []
        revoked: CertificateStatus | None = None
        certificates = self._path.certificates
        for position in range(len(certificates) - 1, -1, -1):
            certificate = certificates[position]
            if revoked is not None:
                found.append(
                    _unknown(certificate, f"not checked, as {revoked.certificate.subject} above it is revoked")
                )
                continue
            partial = CertificationPath(certificates=certificates[position:], trust_anchor=self._path.trust_anchor)
            try:
                status = self._status(CheckedCertificate(partial), ())
            except (BudgetExhaustedError, MalformedCertificateError) as error:
                status = _unknown(certificate, str(error))
            if status.status is RevocationStatus.REVOKED:
                revoked = status
            found.append(status)
        return tuple(reversed(found))

    def _status(self, checked: CheckedCertificate, waiting: tuple[Node, ...]) -> CertificateStatus:
        """Return the status by both kinds of data: revoked by one of them, else good by one of them, else unknown.

        A status is remembered; an unknown one only for the same waiting signers, as it was found without their CRLs and
        responses, and may be known with them.
        """
        asked = tuple(certificate.sha256 for certificate in checked.path.certificates)
        known = self._known.get((asked, ())) or self._known.get((asked, waiting))
        if known is None:
            self._budget.spend("revocation_lookups")
            known = self._look_up(checked, waiting)
            is_unknown = known.status is RevocationStatus.UNKNOWN
            self._known[asked, waiting if is_unknown else ()] = known
        return known

    def _look_up(self, checked: CheckedCertificate, waiting: tuple[Node, ...]) -> CertificateStatus:
        certificate = checked.certificate
        good: list[str] = []
        unknown: list[str] = []
        checks = (
            ("OCSP", OcspCheck(checked, self._by_ocsp, waiting)),
            ("CRL", CrlCheck(checked, self._by_crl, waiting)),
        )
        is_complete = True
        for source, check in checks:
            findings: Findings = check.run()
            if findings.revoked is not None:
                return CertificateStatus(
                    certificate=certificate,
                    status=RevocationStatus.REVOKED,
                    detail=findings.revoked.detail(source),
                    revoked_at=findings.revoked.revoked_at,
                    reason=findings.revoked.reason,
                )
            if findings.good:
                good.append(source)
            is_complete = is_complete and findings.is_complete
            unknown += [f"{source}: {note}" for note in findings.notes]
        if good and is_complete:
            return CertificateStatus(
                certificate=certificate, status=RevocationStatus.GOOD, detail=f"not revoked (by {' and '.join(good)})"
            )
        if not unknown:
            unknown = [f"a responder answered {error}" for error in dict.fromkeys(self._evidence.errors)]
        return _unknown(certificate, _joined(unknown) or "no CRL and no OCSP response given is about it")


def _joined(notes: list[str]) -> str:
    """Return the first notes in one sentence, each cut to a length that can be read: they quote text from outside."""
    return "; ".join(shortened(notes, _NOTES_SHOWN, lambda note: harmless(note, longest=_NOTE_SHOWN)))


def _unknown(certificate: Certificate, detail: str) -> CertificateStatus:
    return CertificateStatus(
        certificate=certificate,
        status=RevocationStatus.UNKNOWN,
        detail=f"revocation status unknown: {detail}",
    )
