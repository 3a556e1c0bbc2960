"""The answer of OCSP responses about one certificate (RFC 6960 sections 3.2 and 4.2.2)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography.x509.oid import ExtendedKeyUsageOID

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.public_keys import public_key_octets
from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.budget import BudgetExhaustedError
from pkcs12kit.paths.revocation.faults import EvidenceFault, Fault, freshness_fault
from pkcs12kit.paths.revocation.findings import Counted, Findings, Note
from pkcs12kit.paths.revocation.model import RevocationStatus
from pkcs12kit.paths.revocation.ocsp import NO_CHECK, OcspResponse
from pkcs12kit.paths.revocation.signers import joined, own_key, unsupported_signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.paths.graph import Node
    from pkcs12kit.paths.revocation.model import RevocationEntry
    from pkcs12kit.paths.revocation.ocsp import SingleAnswer
    from pkcs12kit.paths.revocation.signers import CheckedCertificate, SignerSearch

# These hashes identify an issuer and prove nothing, so that SHA-1, which nearly all responders use, does no harm.
_HASHES = frozenset({"sha1", "sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_384", "sha3_512"})
# The mismatches of an answer, those of the answers that come closest first.
_CLOSEST_FIRST = (
    EvidenceFault.UNKNOWN_HASH,
    EvidenceFault.OTHER_ISSUER_KEY,
    EvidenceFault.OTHER_SERIAL_NUMBER,
    EvidenceFault.OTHER_ISSUER,
)
_ANSWERS_UNKNOWN = Fault(EvidenceFault.ANSWER_UNKNOWN, "says unknown: the responder does not know the certificate")
_OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string


class OcspCheck:
    """One lookup of one certificate in OCSP responses.

    ``waiting`` are signers whose own status waits for the answer.
    """

    def __init__(self, checked: CheckedCertificate, search: SignerSearch, waiting: tuple[Node, ...]) -> None:
        self._checked = checked
        self._search = search
        self._waiting = waiting
        self._notes: list[Note] = []
        self._names = _issuer_names(checked)
        self._key = public_key_octets(checked.issuer.node[1])

    def run(self) -> Findings:
        """Return the findings of the responses; where a budget ends the work, those of the responses before."""
        revoked: list[tuple[RevocationEntry, Counted]] = []
        good: list[Counted] = []
        is_complete = True
        try:
            for response in self._search.evidence.responses:
                status, answer = self._answer_of(response)
                if status is RevocationStatus.REVOKED and answer is not None and answer.revoked is not None:
                    revoked.append((answer.revoked, Counted(response, answer, answer.revoked)))
                if status is RevocationStatus.GOOD:
                    good.append(Counted(response, answer))
        except BudgetExhaustedError as error:
            self._notes.insert(0, Note(None, Fault(EvidenceFault.BUDGET_EXHAUSTED, str(error))))
            is_complete = False
        if revoked:
            entry, counted = min(revoked, key=lambda found: found[0].revoked_at)
            return Findings(revoked=entry, counted=(counted,), notes=tuple(self._notes))
        return Findings(good=bool(good), notes=tuple(self._notes), counted=tuple(good), is_complete=is_complete)

    def _answer_of(self, response: OcspResponse) -> tuple[RevocationStatus, SingleAnswer | None]:
        """Return the status by one response, UNKNOWN where it is not about the certificate or does not count.

        With it comes the answer that decides.
        """
        answers = [answer for answer in response.answers if self._is_about_it(answer)]
        if not answers:
            return RevocationStatus.UNKNOWN, None
        fault = self._fault(response, answers) or self._signer_refusal(response)
        if fault is not None:
            self._notes.append(Note(response, fault, answers[0]))
            return RevocationStatus.UNKNOWN, None
        return self._worst(response, answers)

    def _is_about_it(self, answer: SingleAnswer) -> bool:
        """Return True where the certID names the certificate: serial number, issuer's name and key (section 4.1.1)."""
        if answer.serial_number != self._checked.certificate.serial_number:
            return False
        return self._is_of_key(answer) and self._is_of_name(answer)

    def _is_of_key(self, answer: SingleAnswer) -> bool:
        return answer.hash_name in _HASHES and answer.issuer_key_hash == _digest(answer, self._key)

    def _is_of_name(self, answer: SingleAnswer) -> bool:
        return answer.hash_name in _HASHES and answer.issuer_name_hash in {
            _digest(answer, name) for name in self._names
        }

    def mismatches(self) -> Iterator[Note]:
        """Yield a note for each response that is not about the certificate, by the answer that comes closest to it."""
        for response in self._search.evidence.responses:
            if not any(map(self._is_about_it, response.answers)):
                found = [(self._mismatch(answer), answer) for answer in response.answers]
                if found:
                    fault, answer = min(found, key=lambda each: _CLOSEST_FIRST.index(each[0].code))
                    yield Note(response, fault, answer)

    def _mismatch(self, answer: SingleAnswer) -> Fault:
        """Return why the certID of an answer does not name the certificate (section 4.1.1)."""
        serial = serial_number_label(answer.serial_number)
        if answer.serial_number == self._checked.certificate.serial_number:
            if answer.hash_name not in _HASHES:
                detail = f"identifies the certificate by the hash {answer.hash_name}, which is too weak or not known"
                return Fault(EvidenceFault.UNKNOWN_HASH, detail)
            if self._is_of_name(answer):
                issuer = self._checked.certificate.issuer.label
                detail = f"is about a certificate {serial} that another key of {issuer} issued"
                return Fault(EvidenceFault.OTHER_ISSUER_KEY, detail)
        elif self._is_of_key(answer) and self._is_of_name(answer):
            detail = f"is about another certificate of the same issuer, {serial}"
            return Fault(EvidenceFault.OTHER_SERIAL_NUMBER, detail)
        return Fault(EvidenceFault.OTHER_ISSUER, f"is about a certificate {serial} of another issuer")

    @staticmethod
    def _fault(response: OcspResponse, answers: list[SingleAnswer]) -> Fault | None:
        """Return why a response does not count, whatever its signer; None where it may.

        The times of each answer are checked separately; producedAt is not used (section 3.2).
        """
        return response.fault or next((answer.fault for answer in answers if answer.fault is not None), None)

    def _worst(
        self, response: OcspResponse, answers: list[SingleAnswer]
    ) -> tuple[RevocationStatus, SingleAnswer | None]:
        """Return the worst of the answers of one response that are current, and which it is."""
        time = self._search.parameters.time
        unknown: list[SingleAnswer] = []
        good: list[SingleAnswer] = []
        for answer in answers:
            fault = self._freshness_fault(answer)
            if fault is not None:
                self._notes.append(Note(response, fault, answer, is_signed=True))
                continue
            if answer.revoked is not None and answer.revoked.revoked_at <= time:
                return RevocationStatus.REVOKED, answer
            (unknown if answer.status is RevocationStatus.UNKNOWN else good).append(answer)
        if unknown:
            self._notes.append(Note(response, _ANSWERS_UNKNOWN, unknown[0], is_signed=True))
            return RevocationStatus.UNKNOWN, None
        return (RevocationStatus.GOOD, good[0]) if good else (RevocationStatus.UNKNOWN, None)

    def _freshness_fault(self, answer: SingleAnswer) -> Fault | None:
        time, max_age = self._search.parameters.time, self._search.evidence.max_age
        return freshness_fault(answer.this_update, answer.next_update, time=time, max_age=max_age)

    def completed(self, note: Note) -> tuple[Note, list[Fault]]:
        """Return a note about an answer after the check of its signature, and the faults beside the noted one.

        The check itself ends with the first fault. A note about something else is returned as it is.
        """
        response, answer = note.subject, note.answer
        if not isinstance(response, OcspResponse) or answer is None or not self._is_about_it(answer):
            return note, []
        try:
            signer = self._signer_refusal(response)
        except BudgetExhaustedError:
            return note, []
        unknown = _ANSWERS_UNKNOWN if answer.status is RevocationStatus.UNKNOWN else None
        found = [response.fault or answer.fault, signer, self._freshness_fault(answer), unknown]
        faults = [one for one in found if one is not None and one.code is not note.fault.code]
        return note._replace(is_signed=note.is_signed or signer is None), faults

    def _signer_refusal(self, response: OcspResponse) -> Fault | None:
        """Return why the signer of a response may not answer for the issuer; None where it may (section 4.2.2.2).

        The issuer itself may, by the working key of the path, and a delegate of that key.
        """
        issuer, search = self._checked.issuer, self._search
        signed = response.signed
        assert signed is not None  # noqa: S101  # only successful responses are kept
        if search.has_signed(issuer.key, signed):
            if not self._identifies(response, issuer.node):
                detail = "names another responder than the one that signed it"
                return Fault(EvidenceFault.RESPONDER_MISNAMED, detail, issuer.certificate)
            return search.weakness(issuer.key, signed)
        refusals: list[Fault] = []
        for certificate in self._delegates(response):
            refusal = self._delegate_refusal(response, certificate)
            if refusal is None:
                return None
            refusals.append(refusal)
        if refusals:
            return joined(refusals)
        unsupported = unsupported_signature(signed)
        if unsupported is not None:
            return unsupported
        detail = "is not signed by the issuer, and no certificate of the responder that it names was found"
        return Fault(EvidenceFault.RESPONDER_NOT_FOUND, detail)

    def _delegates(self, response: OcspResponse) -> Iterator[Certificate]:
        """Yield the certificates that may be the responder's: those in the response, then those in the pool."""
        budget = self._search.budget
        for der in dict.fromkeys(response.certificates):
            budget.spend("revocation_issuers")
            try:
                certificate = Certificate(der)
                is_named = self._identifies(response, certificate.node)
            except MalformedCertificateError:
                continue
            if is_named:
                yield certificate
        for certificate in self._search.evidence.responders(response):
            if certificate.der not in response.certificates:
                budget.spend("revocation_issuers")
                if self._identifies(response, certificate.node):
                    yield certificate

    def _identifies(self, response: OcspResponse, node: Node) -> bool:
        """Return True where the responderID identifies a name and key (section 4.2.2.3)."""
        if response.responder_name is not None:
            return response.responder_name == node[0]
        digest = hashlib.sha1(public_key_octets(node[1]), usedforsecurity=False).digest()
        return response.responder_key_hash == digest

    def _delegate_refusal(self, response: OcspResponse, certificate: Certificate) -> Fault | None:
        search, checked = self._search, self._checked
        key = own_key(certificate)
        if key is None or response.signed is None or not search.has_signed(key, response.signed):
            unsupported = None if response.signed is None else unsupported_signature(response.signed)
            if unsupported is not None:
                return unsupported
            detail = "is not signed with the key of the responder that it names"
            return Fault(EvidenceFault.BAD_SIGNATURE, detail)
        named = f"is signed by a responder whose certificate (#{certificate.serial_number_text})"
        weakness = search.weakness(key, response.signed)
        if weakness is not None:
            return weakness
        try:
            extensions = certificate.extensions
        except MalformedCertificateError as error:
            return Fault(EvidenceFault.RESPONDER_NOT_VALID, f"{named} cannot be read: {error}", certificate)
        fault = None
        if _OCSP_SIGNING not in (extensions.extended_key_usage or ()):
            detail = f"{named} lacks id-kp-OCSPSigning in its extendedKeyUsage"
            fault = Fault(EvidenceFault.RESPONDER_LACKS_OCSP_SIGNING, detail, certificate)
        elif extensions.key_usage is not None and not extensions.key_usage.digital_signature:
            detail = f"{named} has a keyUsage without digitalSignature"
            fault = Fault(EvidenceFault.RESPONDER_KEY_USAGE, detail, certificate)
        if fault is not None:
            other = search.delegate_refusal(certificate, checked, self._waiting, check_status=False)
            is_strange = other is not None and other.code is EvidenceFault.RESPONDER_OF_ANOTHER_ISSUER
            return joined([other, fault]) if other is not None and is_strange else fault
        check_status = NO_CHECK not in extensions.oids
        return search.delegate_refusal(certificate, checked, self._waiting, check_status=check_status)


def _digest(answer: SingleAnswer, octets: bytes) -> bytes:
    return hashlib.new(answer.hash_name, octets, usedforsecurity=False).digest()


def _issuer_names(checked: CheckedCertificate) -> tuple[bytes, ...]:
    """Return the issuer's name as it is encoded in the certificate, and as in the issuer's own."""
    certificate, issuer = checked.certificate, checked.issuer.certificate
    names = {lenient.read_structure(certificate.der).issuer: None}
    if issuer is not None:
        names[lenient.read_structure(issuer.der).subject] = None
    return tuple(names)
