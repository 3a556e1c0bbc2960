"""Names of the algorithms of keys and signatures by object identifier, also of those that pkcs12kit does not support.

Post-quantum algorithms have one identifier for each parameter set, for keys and for signatures alike: ML-DSA in RFC
9881 section 2, SLH-DSA in RFC 9909 section 3, ML-KEM in RFC 9935 section 3, HSS/LMS and XMSS in RFC 9802, composite
ones in draft-ietf-lamps-pq-composite-sigs and draft-ietf-lamps-pq-composite-kem.
"""

from __future__ import annotations

from typing import Final

_NIST_SIGNATURES: Final = "2.16.840.1.101.3.4.3"
_NIST_KEMS: Final = "2.16.840.1.101.3.4.4"
_PKIX: Final = "1.3.6.1.5.5.7.6"
_SLH_DSA_SETS: Final = tuple(
    f"{family}-{size}" for family in ("SHA2", "SHAKE") for size in ("128s", "128f", "192s", "192f", "256s", "256f")
)
_HASHES: Final = {"SHA2-128": "SHA-256", "SHAKE-128": "SHAKE128", "SHA2": "SHA-512", "SHAKE": "SHAKE256"}

ML_DSA: Final = {f"{_NIST_SIGNATURES}.{17 + place}": f"ML-DSA-{size}" for place, size in enumerate((44, 65, 87))}
SLH_DSA: Final = {f"{_NIST_SIGNATURES}.{20 + place}": f"SLH-DSA-{name}" for place, name in enumerate(_SLH_DSA_SETS)}
HASH_ML_DSA: Final = {
    f"{_NIST_SIGNATURES}.{32 + place}": f"HashML-DSA-{size} with SHA-512" for place, size in enumerate((44, 65, 87))
}
"""Not allowed in certificates (RFC 9881 section 8.3)."""
HASH_SLH_DSA: Final = {
    f"{_NIST_SIGNATURES}.{35 + place}": f"HashSLH-DSA-{name} with "
    + next(digest for sets, digest in _HASHES.items() if name.startswith(sets))
    for place, name in enumerate(_SLH_DSA_SETS)
}
ML_KEM: Final = {f"{_NIST_KEMS}.{1 + place}": f"ML-KEM-{size}" for place, size in enumerate((512, 768, 1024))}
STATEFUL: Final = {
    "1.2.840.113549.1.9.16.3.17": "HSS/LMS",
    f"{_PKIX}.34": "XMSS",
    f"{_PKIX}.35": "XMSSMT",
}
COMPOSITE_SIGNATURES: Final = {
    f"{_PKIX}.{37 + place}": f"composite {name}"
    for place, name in enumerate(
        (
            *("MLDSA44-RSA2048-PSS-SHA256", "MLDSA44-RSA2048-PKCS15-SHA256", "MLDSA44-Ed25519-SHA512"),
            *("MLDSA44-ECDSA-P256-SHA256", "MLDSA65-RSA3072-PSS-SHA512", "MLDSA65-RSA3072-PKCS15-SHA512"),
            *("MLDSA65-RSA4096-PSS-SHA512", "MLDSA65-RSA4096-PKCS15-SHA512", "MLDSA65-ECDSA-P256-SHA512"),
            *("MLDSA65-ECDSA-P384-SHA512", "MLDSA65-ECDSA-brainpoolP256r1-SHA512", "MLDSA65-Ed25519-SHA512"),
            *("MLDSA87-ECDSA-P384-SHA512", "MLDSA87-ECDSA-brainpoolP384r1-SHA512", "MLDSA87-Ed448-SHAKE256"),
            *("MLDSA87-RSA3072-PSS-SHA512", "MLDSA87-RSA4096-PSS-SHA512", "MLDSA87-ECDSA-P521-SHA512"),
        )
    )
}
COMPOSITE_KEMS: Final = {
    f"{_PKIX}.{55 + place}": f"composite {name}"
    for place, name in enumerate(
        (
            *("MLKEM768-RSA2048-SHA3-256", "MLKEM768-RSA3072-SHA3-256", "MLKEM768-RSA4096-SHA3-256"),
            *("MLKEM768-X25519-SHA3-256", "MLKEM768-ECDH-P256-SHA3-256", "MLKEM768-ECDH-P384-SHA3-256"),
            *("MLKEM768-ECDH-brainpoolP256r1-SHA3-256", "MLKEM1024-RSA3072-SHA3-256"),
            *("MLKEM1024-ECDH-P384-SHA3-256", "MLKEM1024-ECDH-brainpoolP384r1-SHA3-256"),
            *("MLKEM1024-X448-SHA3-256", "MLKEM1024-ECDH-P521-SHA3-256"),
        )
    )
}

UNCHECKED_SIGNATURES: Final = SLH_DSA | HASH_ML_DSA | HASH_SLH_DSA | STATEFUL | COMPOSITE_SIGNATURES
"""Signature algorithms with keys of their own that cannot be checked here."""
KEY_ENCAPSULATION: Final = ML_KEM | COMPOSITE_KEMS
"""Algorithms whose keys cannot sign: they only encapsulate keys."""
POST_QUANTUM: Final = ML_DSA | UNCHECKED_SIGNATURES | KEY_ENCAPSULATION
"""Algorithms whose name says everything about the kind of a key."""
KEYS: Final = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.7": "RSAES-OAEP",
    "1.2.840.113549.1.1.10": "RSASSA-PSS",
    "1.2.840.10040.4.1": "DSA",
    "1.2.840.10045.2.1": "EC",
    "1.3.132.1.12": "ECDH",
    "1.3.132.1.13": "ECMQV",
    "1.3.101.110": "X25519",
    "1.3.101.111": "X448",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
    "1.2.840.113549.1.3.1": "Diffie-Hellman of PKCS#3",
    "1.2.840.10046.2.1": "Diffie-Hellman of X9.42",
    "1.3.14.7.2.1.1": "ElGamal",
    "1.2.410.200004.1.1": "KCDSA",
    "1.2.643.2.2.19": "GOST R 34.10-2001",
    "1.2.643.2.2.20": "GOST R 34.10-94",
    "1.2.643.7.1.1.1.1": "GOST R 34.10-2012 with 256 bits",
    "1.2.643.7.1.1.1.2": "GOST R 34.10-2012 with 512 bits",
    "1.2.804.2.1.1.1.1.3.1.1": "DSTU 4145-2002",
    "1.2.156.10197.1.301": "SM2",
    **POST_QUANTUM,
}
"""Algorithms of keys."""
_LONGEST: Final = 128
"""Characters of an object identifier that are shown. The longest in use have about 40."""


CANNOT_SIGN: Final = KEY_ENCAPSULATION | {
    dotted: KEYS[dotted]
    for dotted in (
        *("1.2.840.113549.1.1.7", "1.3.132.1.12", "1.3.132.1.13", "1.3.101.110", "1.3.101.111"),
        *("1.2.840.113549.1.3.1", "1.2.840.10046.2.1"),
    )
}
"""Algorithms whose keys are exchanged, agreed on or encrypted, and cannot sign."""


def algorithm_of_key(info: bytes) -> str | None:
    """Return the algorithm in a SubjectPublicKeyInfo (DER) as a dotted identifier, None if it cannot be read."""
    from asn1crypto import core

    try:
        dotted: str = core.Sequence.load(info)[0][0].dotted
    except (ValueError, TypeError, AttributeError, LookupError):
        return None
    return dotted


def algorithm_identifier_in_words(der: bytes) -> str:
    """Return the algorithm of an AlgorithmIdentifier (DER): a post-quantum one by name, others as an identifier."""
    from asn1crypto import core

    try:
        dotted: str = core.Sequence.load(der)[0].dotted
    except (ValueError, TypeError, AttributeError, LookupError):
        return "that cannot be read"
    return POST_QUANTUM.get(dotted, dotted[:_LONGEST])


def unsupported_algorithm(info: bytes) -> str | None:
    """Return the name of a post-quantum algorithm whose public keys cannot be used here, None for any other key.

    ``info`` is a SubjectPublicKeyInfo (DER). Keys that only encapsulate keys are among them, as they cannot sign.
    """
    dotted = algorithm_of_key(info)
    return (UNCHECKED_SIGNATURES | KEY_ENCAPSULATION).get(dotted or "")


def named_key_algorithm(dotted: str) -> str:
    """Return an object identifier with its name before it, if it is known: ``ML-KEM-512 (2.16.840.1.101.3.4.4.1)``."""
    name = KEYS.get(dotted)
    return dotted[:_LONGEST] if name is None else f"{name} ({dotted})"
