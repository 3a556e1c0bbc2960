"""One certificate: a frozen view over its DER (RFC 5280 section 4)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, NoReturn, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import load_der_x509_certificate

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.encoded_names import read_name
from pkcs12kit.certificates.extensions import Extensions
from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.outline import read_outline, read_subject_public_key_info, read_tbs_certificate
from pkcs12kit.certificates.tags import refuse_endless_tags
from pkcs12kit.certificates.times import format_time
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

_Taken = TypeVar("_Taken")

_REFUSALS: Final = (ValueError, TypeError, x509.InvalidVersion)
_UNREADABLE: Final = (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


class Certificate(Shown):
    """An X.509 certificate, read by pyca/cryptography, or by asn1crypto where its encoding has a slip.

    Certificates are equal when their DER is. Reading checks the encoding only: no signature, no time, no name.

    Everything but :attr:`extensions` and :attr:`public_key` can be had from any certificate that exists; those two
    decode on first use and raise :class:`~pkcs12kit.errors.MalformedCertificateError` when neither reader can.
    Immutable, and so usable from many threads: what is decoded on first use comes out the same for each of them.
    """

    __slots__ = (
        "_reading",
        "der",
        "encoding_slip",
        "extensions",
        "is_ca",
        "is_self_issued",
        "issuer",
        "issuer_key_identifier",
        "key_identifier",
        "node",
        "not_after",
        "not_before",
        "public_key",
        "sha256",
        "signature_algorithms_agree",
        "subject",
        "subject_public_key_info",
    )

    _reading: x509.Certificate
    der: bytes
    """The certificate exactly as it was given, DER (or nearly, see :attr:`encoding_slip`)."""
    encoding_slip: str | None
    """What pyca/cryptography refused in the encoding, None where it is sound DER."""
    subject: Name
    """Whom the certificate is for; empty where the subjectAltName alone says it."""
    issuer: Name
    """Who signed it, by name."""
    sha256: str
    """SHA-256 fingerprint of the DER, 64 lower-case hexadecimal digits."""
    not_before: datetime
    """First instant of the validity, timezone-aware, inclusive."""
    not_after: datetime
    """Last instant of the validity, timezone-aware, inclusive."""
    extensions: Extensions
    """The extensions, decoded. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`."""
    public_key: CertificatePublicKeyTypes
    """The subject's public key.

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError`, also where its algorithm is not known.
    """
    subject_public_key_info: bytes
    """The subject's key as encoded in the certificate, DER (RFC 5280 section 4.1.2.7)."""
    node: tuple[Name, bytes]
    """Subject and key: what a certification path holds once (RFC 4158 section 2.4.2 counts this a loop)."""
    signature_algorithms_agree: bool
    """Whether signatureAlgorithm and tbsCertificate.signature are the same (RFC 5280 section 4.1.1.2)."""
    is_self_issued: bool
    """Whether subject and issuer are the same name (RFC 5280 section 3.2)."""
    key_identifier: bytes | None
    """The subjectKeyIdentifier; None where there is none, or where the extensions cannot be read."""
    issuer_key_identifier: bytes | None
    """The key identifier of the authorityKeyIdentifier; None as for :attr:`key_identifier`."""
    is_ca: bool
    """Whether basicConstraints say cA; False too where the extensions cannot be read."""

    def __init__(self, der: bytes) -> None:
        der = bytes(der)
        try:
            refuse_endless_tags(der)
        except ValueError as refusal:
            raise MalformedCertificateError(f"not a certificate: {refusal}") from None
        slip = None
        try:
            reading = load_der_x509_certificate(der)
        except _REFUSALS as refusal:
            reading = _canonical_reading(der)
            lenient.read_structure(der)  # raises here if at all: asn1crypto lets more pass than DER
            slip = str(refusal)
        _set_der(self, der)
        _set_reading(self, reading)
        _set_encoding_slip(self, slip)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            """Decode an attribute that is asked for the first time: from then on it is read from its slot."""
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
        """Read one DER certificate. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`."""
        return cls(data)

    @classmethod
    def from_pem(cls, text: str | bytes) -> Certificate:
        """Read the first certificate of a PEM text. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`."""
        from asn1crypto import pem

        data = text.encode("utf-8") if isinstance(text, str) else text
        try:
            for label, _, der in pem.unarmor(data, multiple=True):
                if label in {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}:
                    return cls(der)
        except ValueError as error:
            raise MalformedCertificateError(f"not PEM: {error}") from None
        raise MalformedCertificateError("no certificate in the PEM text")

    def to_pem(self) -> str:
        """Encode as PEM, with a line feed at the end."""
        from asn1crypto import pem

        armored: bytes = pem.armor("CERTIFICATE", self.der)
        return armored.decode("ascii").replace("\r\n", "\n")

    @property
    def serial_number(self) -> int:
        """The number that the issuer gave it."""
        return self._reading.serial_number

    @property
    def version(self) -> int:
        """1 or 3 (RFC 5280 section 4.1.2.1)."""
        return 3 if self._reading.version is x509.Version.v3 else 1

    @property
    def tbs_certificate(self) -> bytes:
        """The bytes that the issuer signed."""
        return read_tbs_certificate(self.der) if self.encoding_slip is None else self._structure.tbs_certificate

    @property
    def signature(self) -> bytes:
        """The issuer's signature."""
        return self._reading.signature

    @property
    def as_cryptography(self) -> x509.Certificate:
        """The certificate for pyca/cryptography: without the slip in its encoding, where it has one.

        Where :attr:`encoding_slip` is set its ``public_bytes`` are not :attr:`der`, and its signature does not verify.
        """
        return self._reading

    def to_json(self) -> dict[str, str]:
        """Describe it for ``--json``: subject, issuer, serial (decimal), sha256 (hex), not_before, not_after."""
        return {
            "subject": str(self.subject),
            "issuer": str(self.issuer),
            "serial": str(self.serial_number),
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
        return f"<Certificate {str(self.subject)!r} #{self.serial_number} until {format_time(self.not_after)}>"


def read_sound(der: bytes) -> Certificate | None:
    """Read a certificate that pyca/cryptography reads; None for anything else, which may be one with a slip."""
    try:
        refuse_endless_tags(der)
        reading = load_der_x509_certificate(der)
    except _REFUSALS:
        return None
    certificate = Certificate.__new__(Certificate)
    _set_der(certificate, der)
    _set_reading(certificate, reading)
    _set_encoding_slip(certificate, None)
    return certificate


def _canonical_reading(der: bytes) -> x509.Certificate:
    try:
        return load_der_x509_certificate(lenient.canonical_der(der))
    except _REFUSALS as refusal:
        raise MalformedCertificateError(f"not a certificate: {refusal}") from None


def _passing_reading(certificate: Certificate) -> x509.Certificate:
    """Read a certificate anew: pyca/cryptography's own keeps the names and extensions that it has decoded once."""
    if certificate.encoding_slip is not None:
        return certificate.as_cryptography
    return load_der_x509_certificate(certificate.der)


def _decode_name(certificate: Certificate, field: Literal["subject", "issuer"]) -> Name:
    outline = read_outline(certificate.der) if certificate.encoding_slip is None else None
    if outline is not None:
        names = {
            "subject": read_name(bytes(outline.tbs_certificate.subject.data)),
            "issuer": read_name(bytes(outline.tbs_certificate.issuer.data)),
        }
        for name, value in names.items():  # whoever asks for one asks for the other
            object.__setattr__(certificate, name, value)
        return names[field]
    try:
        return Name.from_cryptography(getattr(_passing_reading(certificate), field))
    except (ValueError, TypeError):
        return lenient.read_name(getattr(lenient.read_structure(certificate.der), field))


def _take_extensions(certificate: Certificate, take: Callable[[x509.Extensions], _Taken]) -> _Taken:
    try:
        return take(_passing_reading(certificate).extensions)
    except _UNREADABLE as refusal:
        try:
            return take(_canonical_reading(certificate.der).extensions)
        except (*_UNREADABLE, MalformedCertificateError):
            raise MalformedCertificateError(f"unreadable extensions: {refusal}") from None


def _decode_public_key(certificate: Certificate) -> CertificatePublicKeyTypes:
    try:
        return certificate.as_cryptography.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as refusal:
        raise MalformedCertificateError(f"unusable public key: {refusal}") from None


def _decode_subject_public_key_info(certificate: Certificate) -> bytes:
    key_info = read_subject_public_key_info(certificate.der) if certificate.encoding_slip is None else None
    return lenient.read_structure(certificate.der).subject_public_key_info if key_info is None else key_info


def _decode_agreement(certificate: Certificate) -> bool:
    outline = read_outline(certificate.der) if certificate.encoding_slip is None else None
    if outline is not None:
        inner, outer = outline.tbs_certificate.signature, outline.signature_algorithm
        return inner.tag_bytes == outer.tag_bytes and inner.data == outer.data
    structure = lenient.read_structure(certificate.der)
    return structure.signature_algorithm == structure.tbs_signature_algorithm


class _Hints(NamedTuple):
    """What a search asks of every certificate that it meets: the other extensions are not kept for that."""

    key_identifier: bytes | None = None
    issuer_key_identifier: bytes | None = None
    is_ca: bool = False


def _take_hints(extensions: x509.Extensions) -> _Hints:
    hints: dict[str, Any] = {}
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.SubjectKeyIdentifier):
            hints["key_identifier"] = value.digest
        elif isinstance(value, x509.AuthorityKeyIdentifier):
            hints["issuer_key_identifier"] = value.key_identifier
        elif isinstance(value, x509.BasicConstraints):
            hints["is_ca"] = value.ca
    return _Hints(**hints)


def _decode_hint(certificate: Certificate, wanted: str) -> object:
    try:
        hints = _take_extensions(certificate, _take_hints)
    except MalformedCertificateError:
        hints = _Hints()
    return getattr(_set_hints(certificate, hints), wanted)


def _decode_extensions(certificate: Certificate) -> Extensions:
    extensions = _take_extensions(certificate, Extensions.from_cryptography)
    identifier, constraints = extensions.authority_key_identifier, extensions.basic_constraints
    hints = _Hints(
        key_identifier=extensions.subject_key_identifier,
        issuer_key_identifier=None if identifier is None else identifier.key_identifier,
        is_ca=constraints is not None and constraints.ca,
    )
    _set_hints(certificate, hints)  # to decode everything for them once more would cost as much again
    return extensions


def _set_hints(certificate: Certificate, hints: _Hints) -> _Hints:
    for name, value in hints._asdict().items():
        object.__setattr__(certificate, name, value)
    return hints


_DECODERS: Final[dict[str, Callable[[Certificate], object]]] = {
    "subject": lambda certificate: _decode_name(certificate, "subject"),
    "issuer": lambda certificate: _decode_name(certificate, "issuer"),
    "sha256": lambda certificate: hashlib.sha256(certificate.der).hexdigest(),
    "not_before": lambda certificate: certificate.as_cryptography.not_valid_before_utc,
    "not_after": lambda certificate: certificate.as_cryptography.not_valid_after_utc,
    "extensions": _decode_extensions,
    "public_key": _decode_public_key,
    "subject_public_key_info": _decode_subject_public_key_info,
    "node": lambda certificate: (certificate.subject, certificate.subject_public_key_info),
    "signature_algorithms_agree": _decode_agreement,
    "is_self_issued": lambda certificate: certificate.subject == certificate.issuer,
    "key_identifier": lambda certificate: _decode_hint(certificate, "key_identifier"),
    "issuer_key_identifier": lambda certificate: _decode_hint(certificate, "issuer_key_identifier"),
    "is_ca": lambda certificate: _decode_hint(certificate, "is_ca"),
}

# The ways past __setattr__ that cost no search for the slot.
_set_der = Certificate.__dict__["der"].__set__
_set_reading = Certificate.__dict__["_reading"].__set__
_set_encoding_slip = Certificate.__dict__["encoding_slip"].__set__
