"""Signature algorithms in terms of pyca/cryptography: how to verify with them, with which keys, and at what cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from pkcs12kit.certificates.lenient import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from cryptography.x509 import ObjectIdentifier

    from pkcs12kit.certificates.certificate import Certificate

_WITHOUT_HASH: Final = {
    # By class name: abstract classes make isinstance() slow, and this is done for every certificate.
    "Ed25519PublicKey": "1.3.101.112",  # RFC 8410 section 3
    "Ed448PublicKey": "1.3.101.113",
    "MLDSA44PublicKey": "2.16.840.1.101.3.4.3.17",  # RFC 9881 section 2
    "MLDSA65PublicKey": "2.16.840.1.101.3.4.3.18",
    "MLDSA87PublicKey": "2.16.840.1.101.3.4.3.19",
}
# Larger keys are refused before anything is computed with them: they are not in use, and a check takes up to a second.
# The modulus is the longest that OpenSSL verifies with (OPENSSL_RSA_MAX_MODULUS_BITS). An exponent of 32 bits holds
# every one in use; FIPS 186-5 section 5.1 allows 256. DSA ends at 3,072 bits (FIPS 186-4 section 4.2).
_RSA_BITS: Final = 16_384
_RSA_EXPONENT_BITS: Final = 32
_DSA_BITS: Final = 3_072
# id-RSASSA-PSS as an ObjectIdentifier, and the number of first octets of a SubjectPublicKeyInfo that contain it.
_FOR_PSS: Final = bytes.fromhex("06092a864886f70d01010a")
_ALGORITHM_WITHIN: Final = 24
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


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """A signature algorithm in terms of pyca/cryptography."""

    oid: str
    """Dotted object identifier."""
    digest: hashes.HashAlgorithm | None
    """The hash of the content; None where the algorithm includes the hash."""
    parameters: padding.PKCS1v15 | padding.PSS | ec.ECDSA | None

    @classmethod
    def of_certificate(cls, certificate: Certificate, key: CertificatePublicKeyTypes) -> SignatureScheme:
        """Return the algorithm of a certificate's signature, as far as ``key`` needs it to verify that.

        Raises what pyca/cryptography raises for algorithms that are not known.
        """
        reading = certificate.as_cryptography
        if type(key).__name__ in _WITHOUT_HASH:
            return cls(reading.signature_algorithm_oid.dotted_string, None, None)
        parameters, digest = reading.signature_algorithm_parameters, reading.signature_hash_algorithm
        if parameters is None and digest is not None:
            parameters = _of_old_algorithm(reading.signature_algorithm_oid, digest)
        return cls(reading.signature_algorithm_oid.dotted_string, digest, parameters)

    @classmethod
    def from_algorithm_identifier(cls, der: bytes) -> SignatureScheme | None:
        """Parse an AlgorithmIdentifier, DER; return None for an algorithm or parameters that are not known here.

        A NULL parameter counts as an absent one (real CAs write it where RFC 5758 section 3.2 forbids it).
        """
        from asn1crypto.algos import SignedDigestAlgorithm

        try:
            algorithm = SignedDigestAlgorithm.load(der, strict=True)
            oid: str = algorithm["algorithm"].dotted
            if oid in _WITHOUT_HASH.values():
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

    def verify(self, key: CertificatePublicKeyTypes, signature: bytes, content: bytes) -> None:
        """Check the signature of ``key`` on ``content``.

        Raises InvalidSignature where it does not verify, and for an algorithm that is not the key's;
        UnsupportedAlgorithm for keys that are too large; and the other errors of pyca/cryptography.
        """
        refusal = _size_refusal(key)
        if refusal is not None:
            raise UnsupportedAlgorithm(refusal)
        of_key = _WITHOUT_HASH.get(type(key).__name__)
        if of_key is not None:
            if self.oid != of_key:
                raise InvalidSignature
            cast("ed25519.Ed25519PublicKey", key).verify(signature, content)
            return
        digest, parameters = self.digest, self.parameters
        match key, parameters:
            case rsa.RSAPublicKey(), padding.PKCS1v15() | padding.PSS() if digest is not None:
                key.verify(signature, content, parameters, digest)
            case ec.EllipticCurvePublicKey(), ec.ECDSA():
                key.verify(signature, content, parameters)
            case dsa.DSAPublicKey(), None if digest is not None:
                key.verify(signature, content, digest)
            case _:
                raise InvalidSignature


def may_be_for_pss(key_info: bytes) -> bool:
    """Return False where a SubjectPublicKeyInfo, DER, is not that of a key for RSASSA-PSS only (RFC 4055 section 1.2).

    This is fast, as it searches the first octets only; where it returns True, call :func:`pss_key_forbids`.
    """
    return _FOR_PSS in key_info[:_ALGORITHM_WITHIN]


def pss_key_forbids(key_info: bytes, algorithm: bytes) -> bool:
    """Return True where an RSA key is for RSASSA-PSS only, or some parameters of it, and a signature uses another.

    ``key_info`` is a SubjectPublicKeyInfo and ``algorithm`` the AlgorithmIdentifier of the signature, both DER.
    pyca/cryptography reads such a key as any RSA key. Its parameters must be the signature's, whose salt may be longer
    (RFC 4055 section 3.3).
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


def verification_cost(key: CertificatePublicKeyTypes, size: int) -> int:
    """Return the cost of one signature check, in checks of ECDSA on P-256 (about 0.13 ms on one core).

    ``size`` is the length of the signed octets. The figures are measured, and rounded up.
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


def _size_refusal(key: CertificatePublicKeyTypes) -> str | None:
    """Return why no signature is checked with a key of that size; None where one is."""
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size > _RSA_BITS:
            return f"an RSA key of {key.key_size:,} bits, beyond {_RSA_BITS:,}"
        if key.public_numbers().e.bit_length() > _RSA_EXPONENT_BITS:
            return f"an RSA exponent of more than {_RSA_EXPONENT_BITS} bits"
    if isinstance(key, dsa.DSAPublicKey) and key.key_size > _DSA_BITS:
        return f"a DSA key of {key.key_size:,} bits, beyond {_DSA_BITS:,}"
    return None


def _pss(parameters: dict[str, Any]) -> padding.PSS:
    """Return the padding of RSASSA-PSS (RFC 4055 section 3.1).

    Raises :class:`ValueError` for a mask generation function or a trailer that pyca/cryptography does not have.
    """
    mask = parameters["mask_gen_algorithm"]
    if mask["algorithm"] != "mgf1" or parameters["trailer_field"] not in {1, "trailer_field_bc"}:
        raise ValueError("RSASSA-PSS with another mask generation function or trailer")
    return padding.PSS(padding.MGF1(_HASHES[_hash_of(mask)]()), parameters["salt_length"])


def _hash_of(algorithm: dict[str, Any]) -> str:
    """Return the name of a hash, or that of a mask generation function."""
    name: str = algorithm["algorithm"]
    return _hash_of(algorithm["parameters"]) if name == "mgf1" else name


def _of_old_algorithm(algorithm: ObjectIdentifier, digest: hashes.HashAlgorithm) -> padding.PKCS1v15 | ec.ECDSA | None:
    """Return the parameters that pyca/cryptography leaves out: RSA with MD5 and ECDSA with SHA-1."""
    if algorithm == SignatureAlgorithmOID.RSA_WITH_MD5:
        return padding.PKCS1v15()
    return ec.ECDSA(digest) if algorithm == SignatureAlgorithmOID.ECDSA_WITH_SHA1 else None
