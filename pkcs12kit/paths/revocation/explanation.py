"""Notes about CRLs and OCSP responses as data for reports: each object with its times, its scope and their meaning.

Nothing is decided here: the checks of CRLs and OCSP responses wrote the notes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.serial_numbers import serial_number_text
from pkcs12kit.paths.revocation.attempts import EvidenceAttempt, EvidenceKind, EvidenceTime, OtherFault, SignatureState
from pkcs12kit.paths.revocation.crl import RevocationList
from pkcs12kit.paths.revocation.distribution_points import ALL_REASONS
from pkcs12kit.paths.revocation.faults import AFTER_SIGNATURE, UNSIGNED, EvidenceFault, Fault, length_of
from pkcs12kit.paths.revocation.findings import Note
from pkcs12kit.paths.revocation.model import RevocationStatus
from pkcs12kit.text import harmless, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta

    from cryptography import x509

    from pkcs12kit.paths.revocation.findings import Counted, Findings
    from pkcs12kit.paths.revocation.model import RevocationEntry
    from pkcs12kit.paths.revocation.ocsp import OcspResponse, SingleAnswer

_SHOWN: Final = 500  # characters of a text from outside
_POINTS_SHOWN: Final = 3
_OCTETS_SHOWN: Final = 64

REASONS: Final = {
    "unspecified": "no reason was given",
    "keyCompromise": "the private key is in other hands, or may be",
    "cACompromise": "the private key of the CA is in other hands, or may be",
    "affiliationChanged": "the name or other facts about the holder changed; the key is not suspected",
    "superseded": "it was replaced by another certificate; the key is not suspected",
    "cessationOfOperation": "it is no longer needed; the key is not suspected",
    "certificateHold": "it is on hold: its CA may lift the hold later (a delta CRL says removeFromCRL then), or revoke"
    " it for good",
    "removeFromCRL": "its hold was lifted, or it is expired: it is no longer on the list",
    "privilegeWithdrawn": "a privilege in it was withdrawn",
    "aACompromise": "the key of the authority for its attributes is in other hands, or may be",
}
"""The meanings of CRLReason (RFC 5280 section 5.3.1; X.509 section 9.5.3.1)."""
_ERRORS: Final = {
    "malformedRequest": "the responder could not read the request",
    "internalError": "the responder has a fault of its own: ask again, or another responder",
    "tryLater": "the responder is there, and cannot answer for the moment: ask again later",
    "sigRequired": "the responder answers only signed requests",
    "unauthorized": "the responder may not answer the one who asked, or does not serve the issuer of this certificate",
}
"""The meanings of the errors of responders (RFC 6960 section 2.3)."""
_ANSWERS: Final = {
    RevocationStatus.GOOD: "it says that the certificate is not revoked",
    RevocationStatus.REVOKED: "it says that the certificate is revoked",
    RevocationStatus.UNKNOWN: "the responder does not know the certificate: most often it does not serve its issuer",
}


class Explanation:
    """The explanation of notes about one certificate at one time."""

    def __init__(self, *, time: datetime, max_age: timedelta) -> None:
        self._time = time
        self._max_age = max_age

    def of_note(self, note: Note, kind: EvidenceKind, others: Sequence[Fault] = ()) -> EvidenceAttempt:
        """Return an object that does not count as data; ``kind`` is for a note about no single object."""
        fault, subject = note.fault, note.subject
        codes = {fault.code, *(other.code for other in others)}
        if codes & UNSIGNED:
            signature = SignatureState.INVALID
        elif note.is_signed or codes & AFTER_SIGNATURE:
            signature = SignatureState.VALID
        else:
            signature = SignatureState.UNCHECKED
        common: dict[str, Any] = {
            "detail": harmless(fault.detail, longest=_SHOWN),
            "fault": fault.code,
            "other_faults": tuple(OtherFault(other.code, harmless(other.detail, longest=_SHOWN)) for other in others),
            "signature": signature,
            "signer": fault.signer,
        }
        if subject is None:
            return EvidenceAttempt(kind=kind, label="CRLs" if kind is EvidenceKind.CRL else "OCSP responses", **common)
        if isinstance(subject, RevocationList):
            return self._of_crl(subject, None, common)
        return self._of_response(subject, note.answer, None, common)

    def of_counted(self, counted: Counted) -> EvidenceAttempt:
        """Return an object that revokes the certificate as data."""
        subject, entry = counted.subject, counted.entry
        detail = "says good" if entry is None else f"says that it is revoked, reason {entry.reason}"
        common: dict[str, Any] = {
            "detail": detail,
            "signature": SignatureState.VALID,
            "reason": None if entry is None else entry.reason,
        }
        if isinstance(subject, RevocationList):
            return self._of_crl(subject, entry, common)
        return self._of_response(subject, counted.answer, entry, common)

    def _of_crl(self, crl: RevocationList, entry: RevocationEntry | None, common: dict[str, Any]) -> EvidenceAttempt:
        times = (
            EvidenceTime("thisUpdate", crl.this_update, self._issued(crl.this_update)),
            EvidenceTime("nextUpdate", crl.next_update, self._next(crl.this_update, crl.next_update)),
            *_of_entry(entry),
        )
        identifier = crl.key_identifier
        return EvidenceAttempt(
            kind=EvidenceKind.DELTA_CRL if crl.is_delta else EvidenceKind.CRL,
            label=_label(crl),
            source=crl.source,
            issuer=harmless(crl.issuer, longest=_SHOWN),
            key_identifier=None if identifier is None else identifier[:_OCTETS_SHOWN],
            number=None if crl.number is None else harmless(serial_number_text(crl.number), longest=_OCTETS_SHOWN),
            times=times,
            scope=tuple(_scope(crl)),
            answer=None if entry is None else RevocationStatus.REVOKED.value,
            answer_meaning=None if entry is None else REASONS.get(entry.reason),
            **common,
        )

    def _of_response(
        self,
        response: OcspResponse,
        answer: SingleAnswer | None,
        entry: RevocationEntry | None,
        common: dict[str, Any],
    ) -> EvidenceAttempt:
        if response.signed is None:
            return EvidenceAttempt(
                kind=EvidenceKind.OCSP,
                label="response of a responder",
                source=response.source,
                answer=response.response_status,
                answer_meaning=_ERRORS.get(response.response_status),
                **common,
            )
        times: tuple[EvidenceTime, ...] = (EvidenceTime("producedAt", response.produced_at, "signed"),)
        if answer is not None:
            known = "the status was known to be right at this time"
            if answer.this_update > self._time:
                known = f"{known}, which is after the time asked for"
            times = (
                EvidenceTime("thisUpdate", answer.this_update, known),
                EvidenceTime("nextUpdate", answer.next_update, self._next(answer.this_update, answer.next_update)),
                *times,
                *_of_entry(entry),
            )
        name = response.responder_name
        meaning = None if answer is None else _ANSWERS[answer.status]
        return EvidenceAttempt(
            kind=EvidenceKind.OCSP,
            label=_label(response),
            source=response.source,
            issuer=None if name is None else harmless(name, longest=_SHOWN),
            key_identifier=None if name is not None else (response.responder_key_hash or b"")[:_OCTETS_SHOWN],
            times=times,
            answer=None if answer is None else answer.status.value,
            answer_meaning=meaning if entry is None else REASONS.get(entry.reason),
            **common,
        )

    def _issued(self, this_update: datetime) -> str:
        return "issued" if this_update <= self._time else "issued, which is after the time asked for"

    def _next(self, this_update: datetime, next_update: datetime | None) -> str:
        if next_update is not None:
            due = "the next issue was due, and this one is too old since then"
            return due if next_update < self._time else "the next issue is due, and this one is current until then"
        if not self._max_age:
            return "the time of the next issue is not in it, and the greatest age allowed is 0"
        age = length_of(self._max_age)
        is_old = self._time - this_update > self._max_age
        until = (
            f"this one is older than {age}, the greatest age allowed" if is_old else f"this one is current for {age}"
        )
        return f"the time of the next issue is not in it: {until}"


def _of_entry(entry: RevocationEntry | None) -> Iterator[EvidenceTime]:
    if entry is not None:
        yield EvidenceTime("revocationDate", entry.revoked_at, "revoked, from this moment on")
        if entry.invalidity_date is not None:
            meaning = "from this moment on the key may have been in other hands, or the certificate wrong"
            yield EvidenceTime("invalidityDate", entry.invalidity_date, meaning)


def _label(subject: RevocationList | OcspResponse) -> str:
    return harmless(str(subject).removeprefix("the "), longest=_SHOWN)


def _scope(crl: RevocationList) -> Iterator[str]:
    """Yield the limits of a CRL's scope in words (RFC 5280 section 5.2.5)."""
    extension = crl.scope.extension
    if extension is None:
        return
    for is_set, words in (
        (extension.only_contains_user_certs, "end-entity certificates only"),
        (extension.only_contains_ca_certs, "CA certificates only"),
        (extension.only_contains_attribute_certs, "attribute certificates only"),
        (extension.indirect_crl, "an indirect CRL, also for certificates of other issuers"),
    ):
        if is_set:
            yield words
    if crl.scope.reasons != ALL_REASONS:
        yield f"the reasons {', '.join(sorted(reason.value for reason in crl.scope.reasons))} only"
    if crl.scope.names is not None:
        names = sorted(str(name) if isinstance(name, Name) else str(_value(name)) for name in crl.scope.names)
        points = ", ".join(shortened(names, _POINTS_SHOWN, lambda name: harmless(name, longest=_SHOWN)))
        yield f"the distribution point {points} only"


def _value(name: x509.GeneralName) -> object:
    return name.value


def expanded(findings: Findings) -> Iterator[Note]:
    """Yield the notes of findings; one about several CRLs together is there for each of them."""
    for note in findings.notes:
        if note.subject is None and note.fault.code is EvidenceFault.ONLY_SOME_REASONS and findings.counted:
            yield from (Note(counted.subject, note.fault, is_signed=True) for counted in findings.counted)
        else:
            yield note


def note_of_error(response: OcspResponse) -> Note:
    """Return the note about an error that a responder sent instead of an answer (RFC 6960 section 2.3)."""
    return Note(response, Fault(EvidenceFault.RESPONDER_ERROR, f"is the error {response.response_status}"))


def note_of_other_issuer(crl: RevocationList) -> Note:
    """Return the note about a CRL of another issuer than that of the certificate."""
    detail = "is about certificates of another issuer"
    return Note(crl, Fault(EvidenceFault.OTHER_ISSUER, detail))
