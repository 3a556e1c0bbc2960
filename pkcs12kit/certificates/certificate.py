"""X.509 certificates: immutable views of their DER (RFC 5280 section 4)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Literal, NoReturn

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import load_der_x509_certificate

from pkcs12kit.arguments import require_kind
from pkcs12kit.certificates import lenient, notes, reading
from pkcs12kit.certificates.der import (
    read_encoded_extensions,
    read_name,
    read_outline,
    read_subject_public_key_info,
    read_tbs_certificate,
)
from pkcs12kit.certificates.extension_decoding import REFUSALS, may_warn
from pkcs12kit.certificates.extension_readers import read_one_by_one
from pkcs12kit.certificates.extensions import Extensions
from pkcs12kit.certificates.public_keys import read_public_key
from pkcs12kit.certificates.search_hints import SearchHints
from pkcs12kit.certificates.serial_numbers import serial_number_label, serial_number_text
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from pkcs12kit.certificates.authority_key import AuthorityCertificate
    from pkcs12kit.certificates.lenient import EncodedExtension
    from pkcs12kit.certificates.names import Name

# The identifier of nameConstraints: pyca/cryptography refuses forms of subtrees that real CAs use.
_NAME_CONSTRAINTS: Final = b"\x06\x03\x55\x1d\x1e"


class Certificate(Shown):
    """An X.509 certificate, read by pyca/cryptography, or by asn1crypto where it has an encoding error.

    Certificates are equal if their DER is equal. The constructor checks the encoding, and that each field has a value
    that can be represented. It does not check the signature, the names or the validity.

    The constructor raises :class:`~pkcs12kit.errors.MalformedCertificateError`. :attr:`extensions`, :attr:`public_key`
    and :attr:`signature_hash_algorithm` are decoded on first use and raise the same error. Every other attribute has a
    value for each certificate. No attribute raises any other error, except those of pyca/cryptography's object,
    :attr:`as_cryptography`.

    Immutable, and so usable from many threads: attributes that are decoded on first use are the same for each of them.
    """

    __slots__ = (
        "_reading",
        "authority_certificate",
        "der",
        "encoding_error",
        "extensions",
        "is_ca",
        "is_self_issued",
        "issuer",
        "issuer_key_identifier",
        "key_identifier",
        "node",
        "not_after",
        "not_before",
        "notes",
        "public_key",
        "sha256",
        "signature_algorithms_agree",
        "subject",
        "subject_public_key_info",
    )

    _reading: x509.Certificate
    der: bytes
    """The certificate exactly as it was given: DER, or nearly (see :attr:`encoding_error`)."""
    encoding_error: str | None
    """The error that pyca/cryptography found in the encoding; None for correct DER."""
    subject: Name
    """The holder of the certificate; empty where only the subjectAltName names it."""
    issuer: Name
    """The name of the CA that signed it."""
    sha256: str
    """The SHA-256 fingerprint of the DER, 64 lower-case hexadecimal digits."""
    not_before: datetime
    """The first instant of the validity, timezone-aware, inclusive."""
    not_after: datetime
    """The last instant of the validity, timezone-aware, inclusive."""
    extensions: Extensions
    """The extensions, decoded. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`."""
    notes: tuple[notes.Note, ...]
    """Oddities of this certificate that are not a reason to refuse it; decoded on first use."""
    public_key: CertificatePublicKeyTypes
    """The subject's public key.

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError`, also where the algorithm is unknown, or where the
    elliptic curve is not given by name (RFC 5480 section 2.1.1).
    """
    subject_public_key_info: bytes
    """The SubjectPublicKeyInfo as encoded in the certificate, DER (RFC 5280 section 4.1.2.7)."""
    node: tuple[Name, bytes]
    """The subject and its key. A path contains each node once (RFC 4158 section 2.4.2: a repetition is a loop)."""
    signature_algorithms_agree: bool
    """True if signatureAlgorithm and tbsCertificate.signature are the same (RFC 5280 section 4.1.1.2)."""
    is_self_issued: bool
    """True if subject and issuer are the same name (RFC 5280 section 3.2)."""
    key_identifier: bytes | None
    """The subjectKeyIdentifier; None where there is none, or where it cannot be read."""
    issuer_key_identifier: bytes | None
    """The key identifier of the authorityKeyIdentifier; None as for :attr:`key_identifier`."""
    authority_certificate: AuthorityCertificate | None
    """The certificate of the issuer that the authorityKeyIdentifier names by issuer and serial number, or None."""
    is_ca: bool
    """True if cA is set in basicConstraints; False where it is not, or where that extension cannot be read."""

    def __init__(self, der: bytes) -> None:
        require_kind("der", der, bytes, bytearray, memoryview)
        der = bytes(der)
        _set_fields(self, der, reading.read_certificate(der))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Return an attribute that is asked for the first time, and store it in its slot."""
            decode = _DECODERS.get(name)
            if decode is None:
                raise AttributeError(f"a certificate has no attribute {name!r}")
            value = decode(self)
            object.__setattr__(self, name, value)
            return value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a certificate is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a certificate is immutable: {name} cannot be deleted")

    @classmethod
    def from_der(cls, data: bytes) -> Certificate:
        """Return the certificate in DER. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`."""
        return cls(data)

    @classmethod
    def from_pem(cls, text: str | bytes) -> Certificate:
        """Return the first certificate in a PEM text. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`."""
        from asn1crypto import pem

        require_kind("text", text, str, bytes)
        data = text.encode("utf-8", "replace") if isinstance(text, str) else text
        try:
            for label, _, der in pem.unarmor(data, multiple=True):
                if label in {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}:
                    return cls(der)
        except ValueError as error:
            raise MalformedCertificateError(f"not PEM: {error}") from None
        raise MalformedCertificateError("the PEM text does not contain a certificate")

    def to_pem(self) -> str:
        """Return the certificate in PEM, with a line feed at the end."""
        from asn1crypto import pem

        armored: bytes = pem.armor("CERTIFICATE", self.der)
        return armored.decode("ascii").replace("\r\n", "\n")

    @property
    def label(self) -> str:
        """The certificate for people: the label of its subject, with the serial number where the subject is empty.

        One line, never empty, made safe to print: ``server.example``, or ``(no name) #77``.
        """
        name = self.subject.label
        return name if self.subject else f"{name} {serial_number_label(self.serial_number)}"

    @property
    def serial_number(self) -> int:
        """The serial number; at most 20 octets in a correct certificate (RFC 5280 section 4.1.2.2).

        Python does not convert integers of more than 4,300 digits to text; :attr:`serial_number_text` does.
        """
        return self._reading.serial_number if self.encoding_error is None else lenient.read_serial_number(self.der)

    @property
    def serial_number_text(self) -> str:
        """The serial number as text: decimal up to 20 octets, longer ones in hexadecimal after ``0x``."""
        return serial_number_text(self.serial_number)

    @property
    def version(self) -> int:
        """1 or 3 (RFC 5280 section 4.1.2.1)."""
        return 3 if self._reading.version is x509.Version.v3 else 1

    @property
    def tbs_certificate(self) -> bytes:
        """The encoded tbsCertificate, which the issuer signed."""
        return read_tbs_certificate(self.der) if self.encoding_error is None else self._structure.tbs_certificate

    @property
    def signature(self) -> bytes:
        """The issuer's signature, not checked here."""
        return self._reading.signature

    @property
    def signature_algorithm(self) -> str:
        """The object identifier of the signature algorithm, dotted."""
        return self._reading.signature_algorithm_oid.dotted_string

    @property
    def signature_hash_algorithm(self) -> HashAlgorithm | None:
        """The hash algorithm of the signature; None where the signature algorithm includes its own, as Ed25519 does.

        Raises :class:`~pkcs12kit.errors.MalformedCertificateError` where the algorithm is unknown.
        """
        try:
            return self._reading.signature_hash_algorithm
        except (*reading.REFUSALS, UnsupportedAlgorithm) as refusal:
            raise MalformedCertificateError(f"unusable signature algorithm: {refusal}") from None

    @property
    def as_cryptography(self) -> x509.Certificate:
        """The certificate as an object of pyca/cryptography, with its encoding error corrected where it has one.

        A serial number that is not positive is 1 in that object.

        That object decodes most of its attributes when they are asked for, and then raises its own exceptions
        (:class:`ValueError`, ``UnsupportedAlgorithm``). The attributes of this class do not.
        Where :attr:`encoding_error` is set, its ``public_bytes`` differ from :attr:`der` and its signature does not
        verify.
        """
        return self._reading

    def to_json(self) -> dict[str, str]:
        """Return the values for ``--json``: subject, issuer, serial, sha256 (hexadecimal), not_before, not_after.

        ``serial`` is :attr:`serial_number_text`: decimal, unless it is longer than RFC 5280 allows.
        """
        return {
            "subject": str(self.subject),
            "issuer": str(self.issuer),
            "serial": self.serial_number_text,
            "sha256": self.sha256,
            "not_before": format_time(self.not_before),
            "not_after": format_time(self.not_after),
        }

    @property
    def _structure(self) -> lenient.Structure:
        return lenient.read_structure(self.der)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __reduce__(self) -> tuple[type[Certificate], tuple[bytes]]:
        return (Certificate, (self.der,))

    def __repr__(self) -> str:
        number = serial_number_label(self.serial_number)
        return f"<Certificate {str(self.subject)!r} {number} until {format_time(self.not_after)}>"


def read_sound(der: bytes) -> Certificate | None:
    """Return a certificate that pyca/cryptography reads; None for other data, which may have an encoding error."""
    found = reading.read_sound(der)
    if found is None:
        return None
    certificate = Certificate.__new__(Certificate)
    _set_fields(certificate, der, found)
    return certificate


def _set_fields(certificate: Certificate, der: bytes, found: reading.Reading) -> None:
    """Fill the slots that do not wait for their first use."""
    pyca, not_before, not_after, encoding_error = found
    _set_der(certificate, der)
    _set_reading(certificate, pyca)
    _set_encoding_error(certificate, encoding_error)
    _set_not_before(certificate, not_before)
    _set_not_after(certificate, not_after)


def _fresh_reading(certificate: Certificate) -> x509.Certificate:
    """Return a new object of pyca/cryptography: the stored one would keep the names and extensions that it decodes."""
    if certificate.encoding_error is not None:
        return certificate.as_cryptography
    return load_der_x509_certificate(certificate.der)


def _decode_name(certificate: Certificate, field: Literal["subject", "issuer"]) -> Name:
    outline = read_outline(certificate.der) if certificate.encoding_error is None else None
    if outline is not None:
        names = {
            "subject": read_name(bytes(outline.tbs_certificate.subject.data)),
            "issuer": read_name(bytes(outline.tbs_certificate.issuer.data)),
        }
        for name, value in names.items():  # callers that need one need the other
            object.__setattr__(certificate, name, value)
        return names[field]
    return lenient.read_name(getattr(lenient.read_structure(certificate.der), field))


def _decode_public_key(certificate: Certificate) -> CertificatePublicKeyTypes:
    return read_public_key(certificate.subject_public_key_info, certificate.as_cryptography.public_key)


def _decode_subject_public_key_info(certificate: Certificate) -> bytes:
    key_info = read_subject_public_key_info(certificate.der) if certificate.encoding_error is None else None
    return lenient.read_structure(certificate.der).subject_public_key_info if key_info is None else key_info


def _decode_agreement(certificate: Certificate) -> bool:
    outline = read_outline(certificate.der) if certificate.encoding_error is None else None
    if outline is not None:
        inner, outer = outline.tbs_certificate.signature, outline.signature_algorithm
        return inner.tag_bytes == outer.tag_bytes and inner.data == outer.data
    structure = lenient.read_structure(certificate.der)
    return structure.signature_algorithm == structure.tbs_signature_algorithm


def _decode_notes(certificate: Certificate) -> tuple[notes.Note, ...]:
    try:
        faults = certificate.extensions.faults
    except MalformedCertificateError:
        faults = None
    return notes.notes_on(certificate.der, certificate.serial_number, certificate.encoding_error, faults)


def _take_extensions(certificate: Certificate) -> x509.Extensions | None:
    """Return what pyca/cryptography decodes of all extensions; None where they have to be read one by one."""
    if _NAME_CONSTRAINTS in certificate.der or may_warn(certificate.der):
        return None
    try:
        return _fresh_reading(certificate).extensions
    except REFUSALS:
        return None


def _decode_hint(certificate: Certificate, wanted: str) -> object:
    sound = _take_extensions(certificate)
    if sound is not None:
        hints = SearchHints.from_values(extension.value for extension in sound)
    else:
        try:
            hints = SearchHints.read(read_encoded_extensions(certificate.der))
        except MalformedCertificateError:
            hints = SearchHints()
    return getattr(_set_hints(certificate, hints), wanted)


def _decode_extensions(certificate: Certificate) -> Extensions:
    encoded: tuple[EncodedExtension, ...] = ()
    sound = _take_extensions(certificate)
    if sound is not None:
        extensions = Extensions.from_cryptography(sound)
    else:
        encoded = read_encoded_extensions(certificate.der)
        extensions = read_one_by_one(encoded)
    # decoding everything again for them would cost as much again
    _set_hints(certificate, SearchHints.from_extensions(extensions, encoded))
    return extensions


def _set_hints(certificate: Certificate, hints: SearchHints) -> SearchHints:
    for name, value in hints._asdict().items():
        object.__setattr__(certificate, name, value)
    return hints


_DECODERS: Final[dict[str, Callable[[Certificate], object]]] = {
    "subject": lambda certificate: _decode_name(certificate, "subject"),
    "issuer": lambda certificate: _decode_name(certificate, "issuer"),
    "sha256": lambda certificate: hashlib.sha256(certificate.der).hexdigest(),
    "extensions": _decode_extensions,
    "notes": _decode_notes,
    "public_key": _decode_public_key,
    "subject_public_key_info": _decode_subject_public_key_info,
    "node": lambda certificate: (certificate.subject, certificate.subject_public_key_info),
    "signature_algorithms_agree": _decode_agreement,
    "is_self_issued": lambda certificate: certificate.subject == certificate.issuer,
    "key_identifier": lambda certificate: _decode_hint(certificate, "key_identifier"),
    "issuer_key_identifier": lambda certificate: _decode_hint(certificate, "issuer_key_identifier"),
    "authority_certificate": lambda certificate: _decode_hint(certificate, "authority_certificate"),
    "is_ca": lambda certificate: _decode_hint(certificate, "is_ca"),
}

# The ways past __setattr__ that do not search for the slot.
_set_der = Certificate.__dict__["der"].__set__
_set_reading = Certificate.__dict__["_reading"].__set__
_set_encoding_error = Certificate.__dict__["encoding_error"].__set__
_set_not_before = Certificate.__dict__["not_before"].__set__
_set_not_after = Certificate.__dict__["not_after"].__set__
