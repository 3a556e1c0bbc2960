"""The lookup of each certificate of a path, from the trust anchor down (RFC 5280 section 6.1.3 (a)(3))."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.revocation.attempts import EvidenceKind
from pkcs12kit.paths.revocation.crl_check import CrlCheck
from pkcs12kit.paths.revocation.explanation import Explanation, expanded, note_of_error, note_of_other_issuer
from pkcs12kit.paths.revocation.faults import EvidenceFault
from pkcs12kit.paths.revocation.locations import locations_of
from pkcs12kit.paths.revocation.model import CertificateStatus, RevocationStatus
from pkcs12kit.paths.revocation.ocsp_check import OcspCheck
from pkcs12kit.paths.revocation.signers import CheckedCertificate, SignerSearch, side_parameters
from pkcs12kit.text import harmless, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.graph import Node
    from pkcs12kit.paths.revocation.attempts import EvidenceAttempt
    from pkcs12kit.paths.revocation.evidence import RevocationEvidence
    from pkcs12kit.paths.revocation.findings import Findings
    from pkcs12kit.paths.validation.parameters import ValidationParameters

_NOTES_SHOWN: Final = 5  # of one certificate
_NOTE_SHOWN: Final = 500  # characters
_NAMES: Final = {EvidenceKind.OCSP: "OCSP", EvidenceKind.CRL: "CRL"}
EVIDENCE_SHOWN: Final = 20
"""CRLs and OCSP responses that the explanation of one status has."""


class _Known(NamedTuple):
    """A status, and the findings from which it can be explained."""

    status: CertificateStatus
    checked: CheckedCertificate | None = None
    findings: Mapping[EvidenceKind, Findings] = {}  # never changed


class PathCheck:
    """The check of one path, at one time."""

    def __init__(
        self, path: CertificationPath, evidence: RevocationEvidence, parameters: ValidationParameters, limits: Limits
    ) -> None:
        self._path = path
        self._evidence = evidence
        self._budget = SearchBudget.for_revocation(limits)
        self._known: dict[tuple[tuple[str, ...], tuple[Node, ...]], _Known] = {}
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
        found: list[_Known] = []
        revoked: CertificateStatus | None = None
        certificates = self._path.certificates
        for position in range(len(certificates) - 1, -1, -1):
            certificate = certificates[position]
            if revoked is not None:
                detail = f"not checked, as {revoked.certificate.subject} above it is revoked"
                found.append(_Known(_unknown(certificate, detail)))
                continue
            partial = CertificationPath(certificates=certificates[position:], trust_anchor=self._path.trust_anchor)
            try:
                known = self._find(CheckedCertificate(partial), ())
            except (BudgetExhaustedError, MalformedCertificateError) as error:
                known = _Known(_unknown(certificate, str(error)))
            if known.status.status is RevocationStatus.REVOKED:
                revoked = known.status
            found.append(known)
        return tuple(self._explained(known) for known in reversed(found))

    def _status(self, checked: CheckedCertificate, waiting: tuple[Node, ...]) -> tuple[CertificateStatus, bool]:
        """Return the status, without an explanation, and True where it is unknown as evidence depends on the result."""
        known = self._find(checked, waiting)
        notes = (note for findings in known.findings.values() for note in findings.notes)
        depends = any(note.fault.code is EvidenceFault.SIGNER_DEPENDS_ON_IT for note in notes)
        return known.status, depends and known.status.status is RevocationStatus.UNKNOWN

    def _find(self, checked: CheckedCertificate, waiting: tuple[Node, ...]) -> _Known:
        """Return the status by both kinds of data: revoked by one of them, else good by one of them, else unknown.

        A status is remembered; an unknown one only for the same waiting signers, as it was found without their CRLs and
        responses, and may be known with them.
        """
        asked = tuple(certificate.sha256 for certificate in checked.path.certificates)
        known = self._known.get((asked, ())) or self._known.get((asked, waiting))
        if known is None:
            self._budget.spend("revocation_lookups")
            known = self._look_up(checked, waiting)
            is_unknown = known.status.status is RevocationStatus.UNKNOWN
            self._known[asked, waiting if is_unknown else ()] = known
        return known

    def _look_up(self, checked: CheckedCertificate, waiting: tuple[Node, ...]) -> _Known:
        certificate = checked.certificate
        checks: dict[EvidenceKind, OcspCheck | CrlCheck] = {
            EvidenceKind.OCSP: OcspCheck(checked, self._by_ocsp, waiting),
            EvidenceKind.CRL: CrlCheck(checked, self._by_crl, waiting),
        }
        found: dict[EvidenceKind, Findings] = {}
        for kind, check in checks.items():
            findings = found[kind] = check.run()
            if findings.revoked is not None:
                status = CertificateStatus(
                    certificate=certificate,
                    status=RevocationStatus.REVOKED,
                    detail=findings.revoked.detail(_NAMES[kind]),
                    revoked_at=findings.revoked.revoked_at,
                    reason=findings.revoked.reason,
                )
                return _Known(status, checked, found)
        good = [_NAMES[kind] for kind, findings in found.items() if findings.good]
        if good and all(findings.is_complete for findings in found.values()):
            detail = f"not revoked (by {' and '.join(good)})"
            status = CertificateStatus(certificate=certificate, status=RevocationStatus.GOOD, detail=detail)
            return _Known(status, checked, {kind: findings for kind, findings in found.items() if findings.good})
        notes = [f"{_NAMES[kind]}: {note}" for kind, findings in found.items() for note in findings.notes]
        if not notes:
            notes = [f"a responder answered {error.response_status}" for error in self._evidence.errors]
        detail = _joined(notes) or "no CRL and no OCSP response given is about it"
        return _Known(_unknown(certificate, detail), checked, found)

    def _explained(self, known: _Known) -> CertificateStatus:
        """Return a status with the CRLs and OCSP responses that revoke the certificate, and those that do not count.

        It is called when every status is settled, so that the work for explanations changes none.
        """
        status, findings = known.status, known.findings
        if status.status is RevocationStatus.GOOD:  # nothing has to be explained, and most are
            return status
        explanation = Explanation(time=self._by_crl.parameters.time, max_age=self._evidence.max_age)
        settled = [each for of_kind in findings.values() for each in of_kind.counted if each.entry is not None]
        evidence = [explanation.of_counted(each) for each in settled]
        if known.checked is not None:
            is_unknown = status.status is RevocationStatus.UNKNOWN
            evidence += self._unhelpful(known.checked, findings, explanation, is_unknown=is_unknown)
        locations = locations_of(status.certificate)
        return replace(status, evidence=tuple(evidence[:EVIDENCE_SHOWN]), locations=locations)

    def _unhelpful(
        self,
        checked: CheckedCertificate,
        found: Mapping[EvidenceKind, Findings],
        explanation: Explanation,
        *,
        is_unknown: bool,
    ) -> Iterator[EvidenceAttempt]:
        """Yield what does not settle a status, each object once: those about the certificate first.

        For an unknown status near misses follow, and objects about other certificates where there is nothing else.
        """
        by_ocsp = OcspCheck(checked, self._by_ocsp, ())
        checks: dict[EvidenceKind, OcspCheck | CrlCheck] = {
            EvidenceKind.OCSP: by_ocsp,
            EvidenceKind.CRL: CrlCheck(checked, self._by_crl, ()),
        }
        notes = [(kind, note) for kind, findings in found.items() for note in expanded(findings)]
        if is_unknown:
            notes += [(EvidenceKind.OCSP, note) for note in map(note_of_error, self._evidence.errors)]
            misses = list(by_ocsp.mismatches())
            notes += [(EvidenceKind.OCSP, note) for note in misses if note.fault.code is not EvidenceFault.OTHER_ISSUER]
            if not notes:
                notes += [(EvidenceKind.OCSP, note) for note in misses]
                notes += [(EvidenceKind.CRL, note) for note in map(note_of_other_issuer, self._evidence.crls)]
        once = {(id(note.subject), note.fault): (kind, note) for kind, note in notes}
        for kind, note in list(once.values())[:EVIDENCE_SHOWN]:
            completed, others = checks[kind].completed(note)
            yield explanation.of_note(completed, kind, others)


def _joined(notes: list[str]) -> str:
    """Return the first notes in one sentence, each cut to a length that can be read: they quote text from outside."""
    notes = list(dict.fromkeys(notes))
    return "; ".join(shortened(notes, _NOTES_SHOWN, lambda note: harmless(note, longest=_NOTE_SHOWN)))


def _unknown(certificate: Certificate, detail: str) -> CertificateStatus:
    return CertificateStatus(
        certificate=certificate,
        status=RevocationStatus.UNKNOWN,
        detail=f"revocation status unknown: {detail}",
    )
