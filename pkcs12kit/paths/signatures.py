"""One signature check, remembered, and charged to the budget by its cost (RFC 5280 section 6.1.3 (a)(1)).

Certificates, CRLs and OCSP responses are signed alike: octets, an algorithm and a signature. A verdict is remembered
under the SHA-256 of the whole encoding and of the key that was tried, and under nothing that an attacker can copy.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, cast

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.lenient import UNREADABLE
from pkcs12kit.certificates.public_keys import read_public_key
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from cryptography.x509 import ObjectIdentifier

    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.budget import Budget


_HASHING_BY_ITSELF: Final = {
    # By name: cheaper to compare than to ask abstract classes, once a certificate.
    "Ed25519PublicKey": "1.3.101.112",  # RFC 8410 section 3
    "Ed448PublicKey": "1.3.101.113",
    "MLDSA44PublicKey": "2.16.840.1.101.3.4.3.17",  # RFC 9881 section 2
    "MLDSA65PublicKey": "2.16.840.1.101.3.4.3.18",
    "MLDSA87PublicKey": "2.16.840.1.101.3.4.3.19",
}
# Keys beyond these sizes are refused before anything is computed with them: nobody uses them, and a check costs up to
# a second. The modulus is the longest that OpenSSL verifies with (OPENSSL_RSA_MAX_MODULUS_BITS). An exponent of 32 bits
# holds every one in use; FIPS 186-5 section 5.1 allows 256. DSA ends at 3,072 bits (FIPS 186-4 section 4.2).
_RSA_BITS: Final = 16_384
_RSA_EXPONENT_BITS: Final = 32
_DSA_BITS: Final = 3_072
# id-RSASSA-PSS as an ObjectIdentifier, and the octets of a SubjectPublicKeyInfo that it stands within as its algorithm.
_FOR_PSS: Final = bytes.fromhex("06092a864886f70d01010a")
_ALGORITHM_WITHIN: Final = 24
# What pyca/cryptography raises for keys and parameters with which it does not verify: OverflowError for a salt of
# RSASSA-PSS whose length takes more than 31 bits.
_UNSUPPORTED: Final = (UnsupportedAlgorithm, InternalError, ValueError, TypeError, OverflowError)


class SignatureVerdict(Enum):
    """What one signature check says."""

    VALID = "valid"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    """Neither yes nor no: the algorithm cannot be checked here."""


class SignatureMemory:
    """Verdicts by (certificate, key), the least recently used forgotten first. Safe for many threads.

    A verdict is a fact about two byte strings, so that one memory serves every search of a process. It holds their
    SHA-256 digests, not the certificates.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._verdicts: OrderedDict[tuple[str, bytes], SignatureVerdict] = OrderedDict()
        self._lock = Lock()

    def verdict(
        self, certificate: Certificate, key: CertificatePublicKeyTypes, key_info: bytes, budget: Budget
    ) -> SignatureVerdict:
        """Whether ``key``, whose SubjectPublicKeyInfo is ``key_info`` (DER), signed ``certificate``.

        Raises :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`; a remembered verdict costs nothing.
        """
        return self._remembered(
            (certificate.sha256, hashlib.sha256(key_info).digest()),
            lambda: budget.spend("signature_checks", verification_cost(key, len(certificate.der))),
            lambda: _verdict_on_certificate(certificate, key, key_info),
        )

    def verdict_on(self, signed: SignedData, key: WorkingKey, budget: Budget) -> SignatureVerdict:
        """Return the verdict on a CRL or an OCSP response, as :meth:`verdict` does on a certificate."""
        return self._remembered(
            (signed.sha256, hashlib.sha256(key.info).digest()),
            lambda: budget.spend("signature_checks", verification_cost(key.key, len(signed.content))),
            lambda: _verdict_on_data(signed, key),
        )

    def _remembered(
        self, pair: tuple[str, bytes], pay: Callable[[], None], check: Callable[[], SignatureVerdict]
    ) -> SignatureVerdict:
        with self._lock:
            verdict = self._verdicts.get(pair)
            if verdict is not None:
                self._verdicts.move_to_end(pair)
                return verdict
        pay()
        verdict = check()
        with self._lock:
            self._verdicts[pair] = verdict
            if len(self._verdicts) > self._size:
                self._verdicts.popitem(last=False)
        return verdict

    def forget(self) -> None:
        """Forget every verdict."""
        with self._lock:
            self._verdicts.clear()


REMEMBERED: Final = SignatureMemory(size=65_536)
"""The memory that every search shares; 65,536 verdicts are about 20 MB."""


@dataclass(frozen=True, kw_only=True)
class SignedData:
    """A CRL or an OCSP response as far as its signature goes. Nothing of it is verified yet."""

    content: bytes = field(repr=False)
    """The octets that were signed, as they came: a tbsCertList or a tbsResponseData, DER."""
    algorithm: bytes
    """The signatureAlgorithm, an AlgorithmIdentifier in DER."""
    signature: bytes = field(repr=False)
    sha256: str
    """SHA-256 of the whole encoding, signature included; 64 lower-case hexadecimal digits."""

    @cached_property
    def scheme(self) -> SignatureScheme | None:
        """The algorithm for pyca/cryptography; None where it is not known."""
        return SignatureScheme.from_algorithm_identifier(self.algorithm)


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """A signature algorithm in pyca/cryptography's terms."""

    oid: str
    """Dotted object identifier."""
    digest: hashes.HashAlgorithm | None
    """The hash of the content; None where the algorithm hashes by itself."""
    parameters: padding.PKCS1v15 | padding.PSS | ec.ECDSA | None

    @classmethod
    def of_certificate(cls, certificate: Certificate, key: CertificatePublicKeyTypes) -> SignatureScheme:
        """Return how a certificate was signed, as far as ``key`` needs it to verify that.

        Raises what pyca/cryptography raises for algorithms that are not known.
        """
        reading = certificate.as_cryptography
        if type(key).__name__ in _HASHING_BY_ITSELF:
            return cls(reading.signature_algorithm_oid.dotted_string, None, None)
        parameters, digest = reading.signature_algorithm_parameters, reading.signature_hash_algorithm
        if parameters is None and digest is not None:
            parameters = _of_old_algorithm(reading.signature_algorithm_oid, digest)
        return cls(reading.signature_algorithm_oid.dotted_string, digest, parameters)

    @classmethod
    def from_algorithm_identifier(cls, der: bytes) -> SignatureScheme | None:
        """Read an AlgorithmIdentifier, DER; None for an algorithm or parameters that are not known here.

        A NULL parameter counts as an absent one (real CAs write it where RFC 5758 section 3.2 forbids it).
        """
        from asn1crypto.algos import SignedDigestAlgorithm

        try:
            algorithm = SignedDigestAlgorithm.load(der, strict=True)
            oid: str = algorithm["algorithm"].dotted
            if oid in _HASHING_BY_ITSELF.values():
                return cls(oid, None, None)
            digest = _HASHES[algorithm.hash_algo]()
            parameters: padding.PKCS1v15 | padding.PSS | ec.ECDSA | None = None
            match algorithm.signature_algo:
                case "rsassa_pkcs1v15":
                    parameters = padding.PKCS1v15()
                case "rsassa_pss":
                    parameters = _pss(algorithm["parameters"].native)
                case "ecdsa":
                    parameters = ec.ECDSA(digest)
        except UNREADABLE:
            return None
        return cls(oid, digest, parameters)


_HASHES: Final[dict[str, Callable[[], hashes.HashAlgorithm]]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha3_224": hashes.SHA3_224,
    "sha3_256": hashes.SHA3_256,
    "sha3_384": hashes.SHA3_384,
    "sha3_512": hashes.SHA3_512,
}


def _pss(parameters: dict[str, Any]) -> padding.PSS:
    """Return the padding of RSASSA-PSS (RFC 4055 section 3.1).

    Raises :class:`ValueError` for a mask generation function or a trailer that pyca/cryptography does not have.
    """
    mask = parameters["mask_gen_algorithm"]
    if mask["algorithm"] != "mgf1" or parameters["trailer_field"] not in {1, "trailer_field_bc"}:
        raise ValueError("RSASSA-PSS with another mask generation function or trailer")
    return padding.PSS(padding.MGF1(_HASHES[_hash_of(mask)]()), parameters["salt_length"])


def verification_cost(key: CertificatePublicKeyTypes, size: int) -> int:
    """Return what one signature check costs, in checks of ECDSA on P-256 (about 0.13 ms on one core).

    ``size`` is the length of what was signed, in bytes. The figures are measured, and rounded up.
    """
    hashing = size // _HASHED_BYTES
    if isinstance(key, rsa.RSAPublicKey):
        exponent_bits = min(key.public_numbers().e.bit_length(), _RSA_EXPONENT_BITS)
        return hashing + max(1, min(key.key_size, _RSA_BITS) ** 2 * exponent_bits // (4096**2 * 17))
    if isinstance(key, dsa.DSAPublicKey):
        return hashing + max(1, min(key.key_size, _DSA_BITS) ** 2 // 1024**2)
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name in _FAST_CURVES:
            return hashing + 1
        return hashing + max(4, -(-(key.curve.key_size**2) * 5 // (2 * 256**2)))
    return hashing + _OTHER_KEYS.get(type(key).__name__, 1)


# OpenSSL has code of its own for these curves, which is several times as fast as that for the others.
_FAST_CURVES: Final = frozenset({"secp224r1", "secp256r1"})
_OTHER_KEYS: Final = {
    "Ed25519PublicKey": 2,
    "Ed448PublicKey": 3,
    "MLDSA44PublicKey": 2,
    "MLDSA65PublicKey": 3,
    "MLDSA87PublicKey": 4,
}
_HASHED_BYTES: Final = 64 * 1024


def _refusal(key: CertificatePublicKeyTypes) -> str | None:
    """Return why no signature is checked with a key of that size; None where one is."""
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size > _RSA_BITS:
            return f"an RSA key of {key.key_size:,} bits, beyond {_RSA_BITS:,}"
        if key.public_numbers().e.bit_length() > _RSA_EXPONENT_BITS:
            return f"an RSA exponent of more than {_RSA_EXPONENT_BITS} bits"
    if isinstance(key, dsa.DSAPublicKey) and key.key_size > _DSA_BITS:
        return f"a DSA key of {key.key_size:,} bits, beyond {_DSA_BITS:,}"
    return None


def check_signature(certificate: Certificate, key: CertificatePublicKeyTypes) -> SignatureVerdict:
    """Check one signature, over the bytes as they were signed. An algorithm that is not the key's is INVALID.

    Not checked: whether an RSA key is for RSASSA-PSS only, which its value does not show; see
    :meth:`SignatureMemory.verdict`.
    """
    if not certificate.signature_algorithms_agree:
        return SignatureVerdict.INVALID
    return _verdict(
        lambda: _verify(
            SignatureScheme.of_certificate(certificate, key), key, certificate.signature, certificate.tbs_certificate
        )
    )


def _verdict_on_certificate(
    certificate: Certificate, key: CertificatePublicKeyTypes, key_info: bytes
) -> SignatureVerdict:
    if _FOR_PSS in key_info[:_ALGORITHM_WITHIN]:
        try:
            algorithm = lenient.read_structure(certificate.der).signature_algorithm
        except MalformedCertificateError:
            return SignatureVerdict.INVALID
        if _is_for_other_signatures(key_info, algorithm):
            return SignatureVerdict.INVALID
    return check_signature(certificate, key)


def _verdict_on_data(signed: SignedData, key: WorkingKey) -> SignatureVerdict:
    scheme = signed.scheme
    if scheme is None:
        return SignatureVerdict.UNSUPPORTED
    if _FOR_PSS in key.info[:_ALGORITHM_WITHIN] and _is_for_other_signatures(key.info, signed.algorithm):
        return SignatureVerdict.INVALID
    return _verdict(lambda: _verify(scheme, key.key, signed.signature, signed.content))


def _verdict(verify: Callable[[], None]) -> SignatureVerdict:
    try:
        verify()
    except (InvalidSignature, MalformedCertificateError):
        return SignatureVerdict.INVALID
    except _UNSUPPORTED:
        return SignatureVerdict.UNSUPPORTED
    return SignatureVerdict.VALID


def _verify(scheme: SignatureScheme, key: CertificatePublicKeyTypes, signature: bytes, content: bytes) -> None:
    """Raise what pyca/cryptography raises, and InvalidSignature for an algorithm that is not the key's."""
    refusal = _refusal(key)
    if refusal is not None:
        raise UnsupportedAlgorithm(refusal)
    of_key = _HASHING_BY_ITSELF.get(type(key).__name__)
    if of_key is not None:
        if scheme.oid != of_key:
            raise InvalidSignature
        cast("ed25519.Ed25519PublicKey", key).verify(signature, content)
        return
    digest, parameters = scheme.digest, scheme.parameters
    match key, parameters:
        case rsa.RSAPublicKey(), padding.PKCS1v15() | padding.PSS() if digest is not None:
            key.verify(signature, content, parameters, digest)
        case ec.EllipticCurvePublicKey(), ec.ECDSA():
            key.verify(signature, content, parameters)
        case dsa.DSAPublicKey(), None if digest is not None:
            key.verify(signature, content, digest)
        case _:
            raise InvalidSignature


def _is_for_other_signatures(key_info: bytes, algorithm: bytes) -> bool:
    """Return True where an RSA key is for RSASSA-PSS only, or some parameters of it, and a signature is by another.

    RFC 4055 section 1.2. ``key_info`` is a SubjectPublicKeyInfo and ``algorithm`` the AlgorithmIdentifier of the
    signature, both DER. pyca/cryptography reads such a key as any RSA key. Its parameters must be the signature's,
    whose salt may be longer (section 3.3).
    """
    from asn1crypto import algos, keys

    try:
        wanted = keys.PublicKeyInfo.load(key_info)["algorithm"]["parameters"].native
        signature = algos.SignedDigestAlgorithm.load(algorithm)
        if signature["algorithm"].native != "rsassa_pss":
            return True
        if wanted is None:
            return False
        used = signature["parameters"].native
        return used["salt_length"] < wanted["salt_length"] or any(
            _hash_of(used[name]) != _hash_of(wanted[name]) for name in ("hash_algorithm", "mask_gen_algorithm")
        )
    except UNREADABLE:
        return True


def _hash_of(algorithm: dict[str, Any]) -> str:
    """Name a hash, or that of a mask generation function."""
    name: str = algorithm["algorithm"]
    return _hash_of(algorithm["parameters"]) if name == "mgf1" else name


def _of_old_algorithm(algorithm: ObjectIdentifier, digest: hashes.HashAlgorithm) -> padding.PKCS1v15 | ec.ECDSA | None:
    """Complete what pyca/cryptography gives no parameters for: RSA with MD5 and ECDSA with SHA-1."""
    if algorithm == SignatureAlgorithmOID.RSA_WITH_MD5:
        return padding.PKCS1v15()
    return ec.ECDSA(digest) if algorithm == SignatureAlgorithmOID.ECDSA_WITH_SHA1 else None


@dataclass(frozen=True, slots=True)
class WorkingKey:
    """A public key with its encoding, parameters included."""

    key: CertificatePublicKeyTypes
    info: bytes
    """SubjectPublicKeyInfo, DER."""

    def __reduce__(self) -> tuple[Callable[[bytes], WorkingKey], tuple[bytes]]:
        return (_working_key, (self.info,))  # pyca's keys do not pickle

    @classmethod
    def of(cls, issuer: TrustAnchor | Certificate) -> Self:
        """Take an issuer's key as it stands (6.1.2 (g) to (i)). Raises :class:`MalformedCertificateError`."""
        certificate = issuer if isinstance(issuer, Certificate) else issuer.certificate
        key = certificate.public_key if certificate is not None else read_public_key(issuer.subject_public_key_info)
        return cls(key, issuer.subject_public_key_info)

    @classmethod
    def depends_on_path(cls, issuer: TrustAnchor | Certificate) -> bool:
        """Whether an issuer's key takes its parameters from the key above it, whichever that is (6.1.4 (e)).

        True too where the key cannot be used at all.
        """
        try:
            cls.of(issuer)
        except MalformedCertificateError:
            return True
        return False

    def next(self, certificate: Certificate) -> WorkingKey:
        """Take the certificate's key, with this key's DSA parameters where it has none of its own (6.1.4 (e), (f)).

        Raises :class:`MalformedCertificateError` where it cannot be read either way.
        """
        try:
            return WorkingKey(certificate.public_key, certificate.subject_public_key_info)
        except MalformedCertificateError:
            if not isinstance(self.key, dsa.DSAPublicKey):
                raise
            info = _with_parameters(certificate.subject_public_key_info, self.info)
            return _working_key(info)


def _working_key(info: bytes) -> WorkingKey:
    return WorkingKey(read_public_key(info), info)


def _with_parameters(info: bytes, issuer_info: bytes) -> bytes:
    from asn1crypto.keys import PublicKeyInfo

    try:
        key, issuer_key = PublicKeyInfo.load(info), PublicKeyInfo.load(issuer_info)
        if key["algorithm"]["algorithm"] != issuer_key["algorithm"]["algorithm"]:
            raise MalformedCertificateError("a key without parameters, of another algorithm than its issuer's")
        key["algorithm"]["parameters"] = issuer_key["algorithm"]["parameters"]
        encoded: bytes = key.dump(force=True)
    except UNREADABLE as error:
        raise MalformedCertificateError(f"unusable public key: {error}") from None
    return encoded
