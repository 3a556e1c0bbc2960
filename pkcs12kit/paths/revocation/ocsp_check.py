"""The answer of OCSP responses about one certificate (RFC 6960 sections 3.2 and 4.2.2)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography.x509.oid import ExtendedKeyUsageOID

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.public_keys import public_key_octets
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.budget import BudgetExhaustedError
from pkcs12kit.paths.revocation.model import Findings, RevocationStatus, freshness_fault
from pkcs12kit.paths.revocation.ocsp import NO_CHECK
from pkcs12kit.paths.revocation.signers import own_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.paths.graph import Node
    from pkcs12kit.paths.revocation.model import RevocationEntry
    from pkcs12kit.paths.revocation.ocsp import OcspResponse, SingleAnswer
    from pkcs12kit.paths.revocation.signers import CheckedCertificate, SignerSearch

# These hashes identify an issuer and prove nothing, so that SHA-1, which nearly all responders use, does no harm.
_HASHES = frozenset({"sha1", "sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_384", "sha3_512"})
_OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string


class OcspCheck:
    """One lookup of one certificate in OCSP responses.

    ``waiting`` are signers whose own status waits for the answer.
    """

    def __init__(self, checked: CheckedCertificate, search: SignerSearch, waiting: tuple[Node, ...]) -> None:
        self._checked = checked
        self._search = search
        self._waiting = waiting
        self._notes: list[str] = []
        self._names = _issuer_names(checked)
        self._key = public_key_octets(checked.issuer.node[1])

    def run(self) -> Findings:
        """Return the findings of the responses; where a budget ends the work, those of the responses before."""
        revoked: list[RevocationEntry] = []
        good, is_complete = False, True
        try:
            for response in self._search.evidence.responses:
                status, entry = self._answer_of(response)
                if entry is not None:
                    revoked.append(entry)
                good = good or status is RevocationStatus.GOOD
        except BudgetExhaustedError as error:
            self._notes.insert(0, str(error))
            is_complete = False
        if revoked:
            return Findings(revoked=min(revoked, key=lambda entry: entry.revoked_at))
        return Findings(good=good, notes=tuple(dict.fromkeys(self._notes)), is_complete=is_complete)

    def _answer_of(self, response: OcspResponse) -> tuple[RevocationStatus, RevocationEntry | None]:
        """Return the answer of one response: UNKNOWN where it is not about the certificate, or does not count."""
        answers = [answer for answer in response.answers if self._is_about_it(answer)]
        if not answers:
            return RevocationStatus.UNKNOWN, None
        fault = self._fault(response, answers) or self._signer_refusal(response)
        if fault is not None:
            self._notes.append(f"{response} {fault}")
            return RevocationStatus.UNKNOWN, None
        return self._worst(response, answers)

    def _is_about_it(self, answer: SingleAnswer) -> bool:
        """Return True where the certID names the certificate: serial number, issuer's name and key (section 4.1.1)."""
        if answer.serial_number != self._checked.certificate.serial_number:
            return False
        if answer.hash_name not in _HASHES:
            return False

        def digest(octets: bytes) -> bytes:
            return hashlib.new(answer.hash_name, octets, usedforsecurity=False).digest()

        return answer.issuer_key_hash == digest(self._key) and answer.issuer_name_hash in map(digest, self._names)

    @staticmethod
    def _fault(response: OcspResponse, answers: list[SingleAnswer]) -> str | None:
        """Return why a response does not count, whatever its signer; None where it may.

        The times of each answer are checked separately; producedAt is not used (section 3.2).
        """
        return response.fault or next((answer.fault for answer in answers if answer.fault is not None), None)

    def _worst(
        self, response: OcspResponse, answers: list[SingleAnswer]
    ) -> tuple[RevocationStatus, RevocationEntry | None]:
        """Return the worst of the answers of one response that are current."""
        time, max_age = self._search.parameters.time, self._search.evidence.max_age
        worst, found = RevocationStatus.UNKNOWN, []
        for answer in answers:
            fault = freshness_fault(answer.this_update, answer.next_update, time=time, max_age=max_age)
            if fault is not None:
                self._notes.append(f"{response} {fault}")
                continue
            if answer.revoked is not None and answer.revoked.revoked_at <= time:
                return RevocationStatus.REVOKED, answer.revoked
            found.append(
                RevocationStatus.UNKNOWN if answer.status is RevocationStatus.UNKNOWN else RevocationStatus.GOOD
            )
        if RevocationStatus.UNKNOWN in found:
            self._notes.append(f"{response} says unknown: the responder does not know the certificate")
        elif found:
            worst = RevocationStatus.GOOD
        return worst, None

    def _signer_refusal(self, response: OcspResponse) -> str | None:
        """Return why the signer of a response may not answer for the issuer; None where it may (section 4.2.2.2).

        The issuer itself may, by the working key of the path, and a delegate of that key.
        """
        issuer, search = self._checked.issuer, self._search
        signed = response.signed
        assert signed is not None  # noqa: S101  # only successful responses are kept
        if search.has_signed(issuer.key, signed):
            if not self._identifies(response, issuer.node):
                return "names another responder than the one that signed it"
            return search.weakness(issuer.key, signed)
        refusals: list[str] = []
        for certificate in self._delegates(response):
            refusal = self._delegate_refusal(response, certificate)
            if refusal is None:
                return None
            refusals.append(refusal)
        return (
            "; ".join(dict.fromkeys(refusals))
            or "is not signed by the issuer, and no certificate of the responder that it names was found"
        )

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

    def _delegate_refusal(self, response: OcspResponse, certificate: Certificate) -> str | None:
        search, checked = self._search, self._checked
        key = own_key(certificate)
        if key is None or response.signed is None or not search.has_signed(key, response.signed):
            return "is not signed with the key of the responder that it names"
        named = f"is signed by a responder whose certificate (#{certificate.serial_number_text})"
        weakness = search.weakness(key, response.signed)
        if weakness is not None:
            return weakness
        try:
            extensions = certificate.extensions
        except MalformedCertificateError as error:
            return f"{named} cannot be read: {error}"
        if _OCSP_SIGNING not in (extensions.extended_key_usage or ()):
            return f"{named} lacks id-kp-OCSPSigning in its extendedKeyUsage"
        if extensions.key_usage is not None and not extensions.key_usage.digital_signature:
            return f"{named} has a keyUsage without digitalSignature"
        check_status = NO_CHECK not in extensions.oids
        return search.delegate_refusal(certificate, checked, self._waiting, check_status=check_status)


def _issuer_names(checked: CheckedCertificate) -> tuple[bytes, ...]:
    """Return the issuer's name as it is encoded in the certificate, and as in the issuer's own."""
    certificate, issuer = checked.certificate, checked.issuer.certificate
    names = {lenient.read_structure(certificate.der).issuer: None}
    if issuer is not None:
        names[lenient.read_structure(issuer.der).subject] = None
    return tuple(names)
