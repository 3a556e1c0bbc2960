"""Names of algorithms by object identifier, also of those that pkcs12kit does not support.

A message that only has an object identifier sends its reader to a search engine. The names are those of the standards
and registers that define the identifiers (RFC 8018, NIST, SECG, KISA, TC 26 and others), or OpenSSL's. Only names are
here: that an algorithm has one does not mean that it is supported.
"""

from __future__ import annotations

from typing import Final

from pkcs12kit.certificates.key_algorithms import KEYS

_AES: Final = "2.16.840.1.101.3.4.1"
_AES_MODES: Final = ("ECB", "CBC", "OFB", "CFB", "wrap", "GCM", "CCM", "wrap-pad")
_ARIA: Final = "1.2.410.200046.1.1"
_ARIA_MODES: Final = ("ECB", "CBC", "CFB", "OFB", "CTR")
_PKCS5: Final = "1.2.840.113549.1.5"
_BOUNCY_CASTLE: Final = "1.3.6.1.4.1.22554.1"

CIPHERS: Final = {
    **{
        f"{_AES}.{offset + place}": f"AES-{bits}-{mode}"
        for offset, bits in ((0, 128), (20, 192), (40, 256))
        for place, mode in enumerate(_AES_MODES, start=1)
    },
    **{
        f"{_ARIA}.{5 * size + place}": f"ARIA-{bits}-{mode}"
        for size, bits in enumerate((128, 192, 256))
        for place, mode in enumerate(_ARIA_MODES, start=1)
    },
    **{f"{_ARIA}.{number}": f"ARIA-{bits}-GCM" for number, bits in ((34, 128), (35, 192), (36, 256))},
    **{f"{_ARIA}.{number}": f"ARIA-{bits}-CCM" for number, bits in ((37, 128), (38, 192), (39, 256))},
    "1.2.392.200011.61.1.1.1.2": "Camellia-128-CBC",
    "1.2.392.200011.61.1.1.1.3": "Camellia-192-CBC",
    "1.2.392.200011.61.1.1.1.4": "Camellia-256-CBC",
    **{
        f"0.3.4401.5.3.1.9.{offset + place}": f"Camellia-{bits}-{mode}"
        for offset, bits in ((0, 128), (20, 192), (40, 256))
        for place, mode in ((1, "ECB"), (3, "OFB"), (4, "CFB"), (6, "GCM"), (7, "CCM"), (9, "CTR"))
    },
    "1.2.410.200004.1.3": "SEED-ECB",
    "1.2.410.200004.1.4": "SEED-CBC",
    "1.2.410.200004.1.5": "SEED-CFB",
    "1.2.410.200004.1.6": "SEED-OFB",
    "1.3.14.3.2.6": "DES-ECB",
    "1.3.14.3.2.7": "DES-CBC",
    "1.3.14.3.2.8": "DES-OFB",
    "1.3.14.3.2.9": "DES-CFB",
    "1.3.14.3.2.17": "DES-EDE-ECB",
    "1.2.840.113549.3.2": "RC2-CBC",
    "1.2.840.113549.3.4": "RC4",
    "1.2.840.113549.3.7": "DES-EDE3-CBC",
    "1.2.840.113549.3.8": "RC5-CBC",
    "1.2.840.113549.3.9": "RC5-CBC-Pad",
    "1.2.840.113533.7.66.10": "CAST5-CBC",
    "1.3.6.1.4.1.188.7.1.1.2": "IDEA-CBC",
    "1.3.6.1.4.1.3029.1.2": "BF-CBC",
    "1.2.840.113549.1.9.16.3.18": "ChaCha20-Poly1305",
    "1.2.156.10197.1.104.1": "SM4-ECB",
    "1.2.156.10197.1.104.2": "SM4-CBC",
    "1.2.156.10197.1.104.3": "SM4-OFB",
    "1.2.156.10197.1.104.4": "SM4-CFB",
    "1.2.156.10197.1.104.7": "SM4-CTR",
    "1.2.156.10197.1.104.8": "SM4-GCM",
    "1.2.156.10197.1.104.9": "SM4-CCM",
    "1.2.643.2.2.21": "GOST 28147-89",
    "1.2.643.7.1.1.5.1.1": "GOST Magma CTR-ACPKM",
    "1.2.643.7.1.1.5.1.2": "GOST Magma CTR-ACPKM-OMAC",
    "1.2.643.7.1.1.5.2.1": "GOST Kuznyechik CTR-ACPKM",
    "1.2.643.7.1.1.5.2.2": "GOST Kuznyechik CTR-ACPKM-OMAC",
}

ENCRYPTIONS: Final = {
    f"{_PKCS5}.1": "pbeWithMD2AndDES-CBC",
    f"{_PKCS5}.3": "pbeWithMD5AndDES-CBC",
    f"{_PKCS5}.4": "pbeWithMD2AndRC2-CBC",
    f"{_PKCS5}.6": "pbeWithMD5AndRC2-CBC",
    f"{_PKCS5}.9": "pbeWithMD5AndXOR",
    f"{_PKCS5}.10": "pbeWithSHA1AndDES-CBC",
    f"{_PKCS5}.11": "pbeWithSHA1AndRC2-CBC",
    f"{_PKCS5}.13": "PBES2",
    f"{_PKCS5}.14": "PBMAC1",
    # Bouncy Castle's own, of BCObjectIdentifiers
    **{
        f"{_BOUNCY_CASTLE}.{digest}.2.1.{number}": f"PBEWith{name}And{bits}BitAES-CBC-BC"
        for digest, name in (("1", "SHA1"), ("2.1", "SHA256"))
        for number, bits in ((2, 128), (22, 192), (42, 256))
    },
    "1.2.840.113533.7.66.12": "pbeWithMD5AndCAST5-CBC",
    "1.2.410.200004.1.15": "pbeWithSHA1AndSEED-CBC",
}

DERIVATIONS: Final = {
    f"{_PKCS5}.12": "PBKDF2",
    "1.3.6.1.4.1.11591.4.11": "scrypt",
    "1.2.840.113549.1.9.16.3.28": "HKDF-SHA256",
    "1.2.840.113549.1.9.16.3.29": "HKDF-SHA384",
    "1.2.840.113549.1.9.16.3.30": "HKDF-SHA512",
}

MACS: Final = {
    "1.2.840.113549.2.6": "HMAC-MD5",
    "1.2.840.113549.2.7": "HMAC-SHA1",
    "1.3.6.1.5.5.8.1.1": "HMAC-MD5",  # of IPsec, in IANA's register
    "1.3.6.1.5.5.8.1.2": "HMAC-SHA1",
    "1.3.6.1.5.5.8.1.3": "HMAC-TIGER",
    "1.3.6.1.5.5.8.1.4": "HMAC-RIPEMD160",
    "1.2.643.2.2.10": "HMAC-GOST R 34.11-94",
    "1.2.643.7.1.1.4.1": "HMAC-Streebog-256",
    "1.2.643.7.1.1.4.2": "HMAC-Streebog-512",
    "1.2.156.10197.1.401.2": "HMAC-SM3",
    "2.16.840.1.101.3.4.2.19": "KMAC128",
    "2.16.840.1.101.3.4.2.20": "KMAC256",
}

DIGESTS: Final = {
    "1.2.840.113549.2.2": "MD2",
    "1.2.840.113549.2.4": "MD4",
    "1.2.840.113549.2.5": "MD5",
    "2.16.840.1.101.3.4.2.11": "SHAKE128",
    "2.16.840.1.101.3.4.2.12": "SHAKE256",
    "1.3.36.3.2.1": "RIPEMD-160",
    "1.3.36.3.2.2": "RIPEMD-128",
    "1.2.643.2.2.9": "GOST R 34.11-94",
    "1.2.643.7.1.1.2.2": "Streebog-256",
    "1.2.643.7.1.1.2.3": "Streebog-512",
    "1.2.156.10197.1.401": "SM3",
    "1.0.10118.3.0.55": "Whirlpool",
    "1.3.6.1.4.1.1722.12.2.1.16": "BLAKE2b-512",
    "1.3.6.1.4.1.1722.12.2.2.8": "BLAKE2s-256",
}

# Elliptic curves of keys that pyca/cryptography does not load: of SECG, X9.62, Brainpool, ANSSI and WAP.
CURVES: Final = {
    **{
        f"1.3.132.0.{number}": name
        for number, name in (
            *((1, "sect163k1"), (2, "sect163r1"), (3, "sect239k1"), (4, "sect113r1"), (5, "sect113r2")),
            *((6, "secp112r1"), (7, "secp112r2"), (8, "secp160r1"), (9, "secp160k1"), (15, "sect163r2")),
            *((16, "sect283k1"), (17, "sect283r1"), (22, "sect131r1"), (23, "sect131r2"), (24, "sect193r1")),
            *((25, "sect193r2"), (26, "sect233k1"), (27, "sect233r1"), (28, "secp128r1"), (29, "secp128r2")),
            *((30, "secp160r2"), (31, "secp192k1"), (32, "secp224k1"), (36, "sect409k1"), (37, "sect409r1")),
            *((38, "sect571k1"), (39, "sect571r1")),
        )
    },
    **{
        f"1.2.840.10045.3.1.{place}": name
        for place, name in enumerate(("prime192v2", "prime192v3", "prime239v1", "prime239v2", "prime239v3"), start=2)
    },
    **{
        f"1.3.36.3.3.2.8.1.1.{2 * place + offset}": f"brainpoolP{bits}{kind}1"
        for place, bits in enumerate((160, 192, 224, 256, 320, 384, 512))
        for offset, kind in ((1, "r"), (2, "t"))
    },
    "1.2.250.1.223.101.256.1": "FRP256v1",
    **{f"2.23.43.1.4.{number}": f"wap-wsg-idm-ecid-wtls{number}" for number in (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)},
}

_LONGEST: Final = 128
"""Characters of an object identifier that are shown. The longest in use have about 40."""

_NAMES: Final = DIGESTS | MACS | DERIVATIONS | ENCRYPTIONS | CIPHERS | CURVES | KEYS


def named(dotted: str) -> str:
    """Return an object identifier with its name before it, ``AES-128-CCM (2.16.840.1.101.3.4.1.7)``, if it is known."""
    name = _NAMES.get(dotted)
    return dotted[:_LONGEST] if name is None else f"{name} ({dotted})"
