"""The part of the table of readers on libraries and their commands, most of which the tests run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.key_kinds import ML_DSA, KeyKind
from pkcs12kit.pkcs12.compatibility import Bounds
from pkcs12kit.pkcs12.features import Feature
from pkcs12kit.pkcs12.reader_statements import (
    CERTIFICATES,
    CLASSIC_CERTIFICATES,
    CURVES,
    DOCUMENTED,
    EDDSA,
    EMPTY_PASSWORDS,
    LEGACY,
    MODERN,
    NIST,
    PASSWORDS,
    PQ,
    PQ_CERTIFICATES,
    REPORTED,
    RSA,
    TRIED,
    entry,
    opens,
    refuses,
)

if TYPE_CHECKING:
    from pkcs12kit.pkcs12.compatibility import Reader, ReaderStatement

_CANNOT_SIGN: Final = "it imports the key, and cannot sign with it"
_OPENSSL_1_PBE: Final = "https://github.com/openssl/openssl/blob/OpenSSL_1_0_2-stable/crypto/evp/evp_pbe.c"
_OPENSSL_1_CREATE: Final = "https://man.netbsd.org/NetBSD-9.0/PKCS12_create.3"
_OPENSSL_PBMAC1: Final = "https://docs.openssl.org/3.5/man3/PBMAC1_get1_pbkdf2_param"
_OPENSSL_ED25519: Final = "https://docs.openssl.org/1.1.1/man7/Ed25519/"
_OPENSSL_PSS: Final = "https://docs.openssl.org/1.1.1/man7/RSA-PSS/"
_OPENSSL_KEYS: Final = "https://github.com/openssl/openssl/blob/OpenSSL_1_0_2-stable/crypto/asn1/ameth_lib.c"
_OPENSSL_CURVES: Final = "https://github.com/openssl/openssl/blob/OpenSSL_1_0_2-stable/crypto/ec/ec_curve.c"
_OPENSSL_ML_DSA: Final = "https://docs.openssl.org/3.5/man7/EVP_PKEY-ML-DSA/"
_OPENSSL_SLH_DSA: Final = "https://docs.openssl.org/3.5/man7/EVP_PKEY-SLH-DSA/"
_OPENSSL_PKCS12: Final = "https://docs.openssl.org/3.6/man1/openssl-pkcs12/"
_JAVA_KEY_STORE: Final = (
    "https://github.com/openjdk/jdk/blob/master/src/java.base/share/classes/sun/security/pkcs12/PKCS12KeyStore.java"
)
_JAVA_UPGRADE: Final = "https://github.com/openjdk/loom/commit/f77a6585"
_JAVA_BACKPORT: Final = "https://bugs.java.com/bugdatabase/view_bug?bug_id=8267701"
_JAVA_PBMAC1: Final = "https://bugs.openjdk.org/browse/JDK-8370042"
_JAVA_8_PROVIDERS: Final = "https://docs.oracle.com/javase/8/docs/technotes/guides/security/SunProviders.html"
_JAVA_26_PROVIDERS: Final = "https://docs.oracle.com/en/java/javase/26/security/oracle-providers.html"
_JAVA_EDDSA: Final = "https://openjdk.org/jeps/339"
_JAVA_ML_DSA: Final = "https://openjdk.org/jeps/497"
_JAVA_SEED: Final = "https://bugs.openjdk.org/browse/JDK-8347938"
_JAVA_PSS_8: Final = "https://bugs.openjdk.org/browse/JDK-8238502"
_JAVA_OLD_CURVES: Final = "https://bugs.openjdk.org/browse/JDK-8235710"
_JAVA_CACERTS: Final = "https://bugs.java.com/bugdatabase/view_bug?bug_id=8275253"
_GNUTLS_PBMAC1: Final = "https://gitlab.com/gnutls/gnutls/-/merge_requests/1833"
_BOUNCY_CASTLE_PBMAC1: Final = "https://github.com/bcgit/bc-java/issues/2076"
_BOUNCY_CASTLE_LIMIT: Final = "https://docs.keyfactor.com/ejbca/latest/pkcs-12-key-generation-iteration-configuration"
_OPENSSL_1_MAC: Final = "https://github.com/openssl/openssl/blob/OpenSSL_1_0_2-stable/crypto/pkcs12/p12_mutl.c"
_OPENSSL_3_0: Final = "openssl 3.0 of Debian 12"
_OPENSSL_3_5: Final = "openssl 3.5 of Debian 13"
_JAVA_17: Final = "keytool 17 of Debian 12"
_JAVA_21: Final = "java 21 of Debian 13"
_JAVA_25: Final = "java 25 of Debian 13"
_NSS_3_87: Final = "pk12util 3.87 of Debian 12"
_NSS_3_110: Final = "pk12util 3.110 of Debian 13"
_GNUTLS_3_7: Final = "certtool 3.7.9 of Debian 12"
_GNUTLS_3_8: Final = "certtool 3.8.9 of Debian 13"
_BOUNCY_CASTLE_1_72: Final = "bcprov 1.72 of Debian 12"
_BOUNCY_CASTLE_1_80: Final = "bcprov 1.80 of Debian 13"
_GO_CRYPTO_0_4: Final = "golang.org/x/crypto 0.4.0 of Debian 12"
_GO_CRYPTO_0_25: Final = "golang.org/x/crypto 0.25.0 of Debian 13"
_GO_SSLMATE_0_0: Final = "go-pkcs12 0.0~git20210415 of Debian 12"
_GO_SSLMATE_0_5: Final = "go-pkcs12 0.5.0 of Debian 13"

_JAVA_BOUNDS: Final = Bounds(encryption=5_000_000, mac=5_000_000, source=_JAVA_KEY_STORE)


def _openssl_3(name: str, title: str, tried: str, *statements: list[ReaderStatement]) -> Reader:
    return entry(
        name,
        title,
        opens((*MODERN, *LEGACY, *PASSWORDS), TRIED, tried),
        opens((Feature.CLEAR_CERTIFICATES, Feature.CLEAR_KEY, Feature.NO_MAC), TRIED, tried),
        refuses((Feature.RC2_40,), TRIED, tried, f"{_OPENSSL_PKCS12} says so"),
        opens((*RSA, KeyKind.RSA_PSS, KeyKind.DSA_2048, *NIST, *CURVES, *EDDSA), TRIED, tried),
        opens(CERTIFICATES, TRIED, tried),
        *statements,
    )


def _java(name: str, title: str, tried: str, *statements: list[ReaderStatement]) -> Reader:
    return entry(
        name,
        title,
        opens((*MODERN, *LEGACY, Feature.RC2_40, Feature.CLEAR_CERTIFICATES), TRIED, tried),
        opens((Feature.EMPTY_PASSWORD,), REPORTED, EMPTY_PASSWORDS, "keytool reads it only from a file"),
        refuses((Feature.CLEAR_KEY,), TRIED, tried, "it skips such a key without a message"),
        opens((*RSA, KeyKind.RSA_PSS, KeyKind.DSA_2048, *NIST, *EDDSA), TRIED, tried),
        refuses(CURVES, TRIED, tried, f"{_CANNOT_SIGN}, since Java 16: {_JAVA_OLD_CURVES}"),
        refuses((KeyKind.SLH_DSA,), TRIED, tried),
        opens(CERTIFICATES, TRIED, tried),
        *statements,
        bounds=_JAVA_BOUNDS,
    )


def _nss(name: str, title: str, tried: str, *statements: list[ReaderStatement]) -> Reader:
    return entry(
        name,
        title,
        opens((*MODERN, *LEGACY, Feature.RC2_40, *PASSWORDS, Feature.CLEAR_CERTIFICATES), TRIED, tried),
        refuses((Feature.NO_MAC,), TRIED, tried),
        opens((*RSA, KeyKind.RSA_PSS, KeyKind.DSA_2048, *NIST), TRIED, tried),
        refuses(CURVES, TRIED, tried, _CANNOT_SIGN),
        refuses((*EDDSA, *PQ, Feature.VERSION_2_KEY), TRIED, tried),
        opens(CERTIFICATES, TRIED, tried),
        *statements,
    )


def _gnutls(name: str, title: str, tried: str, *statements: list[ReaderStatement]) -> Reader:
    return entry(
        name,
        title,
        opens((*MODERN, *LEGACY, Feature.RC2_40, *PASSWORDS, Feature.CLEAR_CERTIFICATES), TRIED, tried),
        refuses((Feature.NO_MAC,), TRIED, tried, "it prints the contents, and then fails"),
        opens((*RSA, KeyKind.RSA_PSS, KeyKind.DSA_2048, KeyKind.EC_P224, *NIST, *EDDSA), TRIED, tried),
        refuses((KeyKind.EC_SECP256K1, KeyKind.EC_BRAINPOOL, *PQ, Feature.VERSION_2_KEY), TRIED, tried),
        opens(CERTIFICATES, TRIED, tried),
        *statements,
    )


def _bouncy_castle(name: str, title: str, tried: str, *statements: list[ReaderStatement]) -> Reader:
    return entry(
        name,
        title,
        opens((*MODERN, *LEGACY, Feature.RC2_40, Feature.CLEAR_CERTIFICATES), TRIED, tried),
        opens((Feature.NON_ASCII_PASSWORD,), TRIED, tried),
        refuses((Feature.PBMAC1,), TRIED, tried, f"since 1.81: {_BOUNCY_CASTLE_PBMAC1}"),
        opens((*RSA, KeyKind.RSA_PSS, KeyKind.DSA_2048, *NIST, *CURVES, *EDDSA), TRIED, tried),
        opens((*CLASSIC_CERTIFICATES, Feature.VERSION_2_KEY), TRIED, tried),
        *statements,
        bounds=Bounds(encryption=5_000_000, mac=5_000_000, source=_BOUNCY_CASTLE_LIMIT),
    )


def _go_crypto(name: str, title: str, tried: str) -> Reader:
    return entry(
        name,
        title,
        opens((*LEGACY, Feature.RC2_40, *PASSWORDS), TRIED, tried),
        refuses((Feature.MAC_SHA256, Feature.PBMAC1, Feature.NO_MAC), TRIED, tried, "the package is frozen"),
        opens((*RSA, KeyKind.EC_P224, *NIST), TRIED, tried),
        refuses((KeyKind.RSA_PSS, KeyKind.DSA_2048, KeyKind.EC_SECP256K1, KeyKind.EC_BRAINPOOL), TRIED, tried),
        refuses((*EDDSA, *PQ), TRIED, tried),
        opens(CERTIFICATES, TRIED, tried, "ToPEM does not parse certificates"),
        opens((Feature.VERSION_2_KEY,), TRIED, tried),
    )


def _go_sslmate(name: str, title: str, tried: str, *statements: list[ReaderStatement]) -> Reader:
    return entry(
        name,
        title,
        opens((*MODERN, *LEGACY, Feature.RC2_40, *PASSWORDS, Feature.CLEAR_CERTIFICATES), TRIED, tried),
        refuses((Feature.PBMAC1,), TRIED, tried),
        opens((*RSA, KeyKind.EC_P224, *NIST, KeyKind.ED25519), TRIED, tried),
        refuses((KeyKind.RSA_PSS, KeyKind.DSA_2048, KeyKind.EC_SECP256K1, KeyKind.EC_BRAINPOOL), TRIED, tried),
        refuses((KeyKind.ED448, *PQ), TRIED, tried),
        refuses((Feature.CURVE_CERTIFICATE,), TRIED, tried),
        opens((Feature.P224_CERTIFICATE, Feature.EDDSA_CERTIFICATE, Feature.PSS_CERTIFICATE), TRIED, tried),
        opens(PQ_CERTIFICATES, TRIED, tried),
        opens((Feature.VERSION_2_KEY,), TRIED, tried),
        *statements,
    )


OPENSSL: Final = (
    entry(
        "openssl-1.0",
        "OpenSSL 1.0.0 to 1.0.2",
        opens((Feature.AES, Feature.TRIPLE_DES), DOCUMENTED, _OPENSSL_1_PBE),
        opens((Feature.RC2_40,), DOCUMENTED, _OPENSSL_1_CREATE, "the reader's own files use it"),
        opens((Feature.MAC_SHA1, Feature.MAC_SHA256), DOCUMENTED, _OPENSSL_1_MAC),
        refuses((Feature.PBMAC1,), DOCUMENTED, _OPENSSL_PBMAC1, "added in OpenSSL 3.4"),
        opens((*RSA, KeyKind.DSA_2048), DOCUMENTED, _OPENSSL_KEYS),
        opens((*NIST, KeyKind.EC_P224, KeyKind.EC_SECP256K1), DOCUMENTED, _OPENSSL_CURVES),
        refuses((KeyKind.RSA_PSS,), DOCUMENTED, _OPENSSL_PSS, "added in OpenSSL 1.1.1"),
        refuses(EDDSA, DOCUMENTED, _OPENSSL_ED25519, "added in OpenSSL 1.1.1"),
        refuses(ML_DSA, DOCUMENTED, _OPENSSL_ML_DSA, "added in OpenSSL 3.5"),
        refuses((KeyKind.SLH_DSA,), DOCUMENTED, _OPENSSL_SLH_DSA, "added in OpenSSL 3.5"),
    ),
    entry(
        "openssl-1.1",
        "OpenSSL 1.1.1",
        opens((Feature.AES, Feature.TRIPLE_DES), DOCUMENTED, _OPENSSL_1_PBE),
        opens((Feature.RC2_40,), DOCUMENTED, _OPENSSL_1_CREATE, "the reader's own files use it"),
        opens((Feature.MAC_SHA1, Feature.MAC_SHA256), DOCUMENTED, _OPENSSL_1_MAC),
        refuses((Feature.PBMAC1,), DOCUMENTED, _OPENSSL_PBMAC1, "added in OpenSSL 3.4"),
        opens((*RSA, KeyKind.DSA_2048), DOCUMENTED, _OPENSSL_KEYS),
        opens((*NIST, *CURVES), DOCUMENTED, _OPENSSL_CURVES),
        opens((KeyKind.RSA_PSS,), DOCUMENTED, _OPENSSL_PSS),
        opens(EDDSA, DOCUMENTED, _OPENSSL_ED25519),
        refuses(ML_DSA, DOCUMENTED, _OPENSSL_ML_DSA, "added in OpenSSL 3.5"),
        refuses((KeyKind.SLH_DSA,), DOCUMENTED, _OPENSSL_SLH_DSA, "added in OpenSSL 3.5"),
    ),
    _openssl_3(
        "openssl-3.0",
        "OpenSSL 3.0, without -legacy",
        _OPENSSL_3_0,
        refuses((Feature.PBMAC1,), TRIED, _OPENSSL_3_0, f"since 3.4: {_OPENSSL_PBMAC1}"),
        refuses((Feature.VERSION_2_KEY,), TRIED, _OPENSSL_3_0, "it opens the certificates only"),
        refuses(ML_DSA, TRIED, _OPENSSL_3_0, f"since 3.5: {_OPENSSL_ML_DSA}"),
        refuses((KeyKind.SLH_DSA,), TRIED, _OPENSSL_3_0, f"since 3.5: {_OPENSSL_SLH_DSA}"),
    ),
    _openssl_3(
        "openssl-3.5",
        "OpenSSL 3.5, without -legacy",
        _OPENSSL_3_5,
        opens((Feature.PBMAC1, Feature.VERSION_2_KEY), TRIED, _OPENSSL_3_5),
        opens((*PQ, Feature.SEED_ONLY_KEY), TRIED, _OPENSSL_3_5),
    ),
)
JAVA: Final = (
    entry(
        "java-8",
        "Java 8, any update",
        opens((*LEGACY, Feature.RC2_40), DOCUMENTED, _JAVA_UPGRADE, "the reader's own files use it"),
        refuses((Feature.MAC_SHA256,), DOCUMENTED, _JAVA_BACKPORT, "before 8u301"),
        refuses((Feature.PBMAC1,), DOCUMENTED, _JAVA_PBMAC1, "added in Java 26"),
        opens((*RSA, KeyKind.RSA_16384, KeyKind.DSA_2048, *NIST), DOCUMENTED, _JAVA_8_PROVIDERS),
        refuses((KeyKind.RSA_PSS,), DOCUMENTED, _JAVA_PSS_8, "before 8u251"),
        refuses(EDDSA, DOCUMENTED, _JAVA_EDDSA, "added in Java 15"),
        refuses(ML_DSA, DOCUMENTED, _JAVA_ML_DSA, "added in Java 24"),
        bounds=_JAVA_BOUNDS,
    ),
    _java(
        "java-17",
        "Java 17",
        _JAVA_17,
        opens((Feature.NO_MAC, Feature.VERSION_2_KEY), TRIED, _JAVA_17),
        refuses((Feature.NON_ASCII_PASSWORD,), TRIED, _JAVA_17),
        refuses((Feature.PBMAC1,), TRIED, _JAVA_17, f"since 26, and in updates of 25: {_JAVA_PBMAC1}"),
        refuses(ML_DSA, TRIED, _JAVA_17, f"since 24: {_JAVA_ML_DSA}"),
    ),
    _java(
        "java-21",
        "Java 21, any update",
        _JAVA_21,
        opens((Feature.NO_MAC,), DOCUMENTED, _JAVA_CACERTS, "as in Java's own cacerts"),
        refuses((Feature.NON_ASCII_PASSWORD,), TRIED, _JAVA_21),
        refuses((Feature.PBMAC1,), TRIED, _JAVA_21, f"since 26, and in updates of 25: {_JAVA_PBMAC1}"),
        refuses(ML_DSA, DOCUMENTED, _JAVA_ML_DSA, "added in Java 24 and in later updates of 21"),
    ),
    _java(
        "java-21.0.13",
        "Java 21, from update 21.0.13 on",
        _JAVA_21,
        opens((Feature.NO_MAC,), DOCUMENTED, _JAVA_CACERTS, "as in Java's own cacerts"),
        refuses((Feature.NON_ASCII_PASSWORD,), TRIED, _JAVA_21),
        refuses((Feature.PBMAC1,), TRIED, _JAVA_21, f"since 26, and in updates of 25: {_JAVA_PBMAC1}"),
        opens((Feature.VERSION_2_KEY, *ML_DSA, Feature.SEED_ONLY_KEY), TRIED, _JAVA_21),
    ),
    _java(
        "java-25",
        "Java 25, any update",
        _JAVA_25,
        opens((Feature.NO_MAC,), DOCUMENTED, _JAVA_CACERTS, "as in Java's own cacerts"),
        refuses((Feature.PBMAC1,), DOCUMENTED, _JAVA_PBMAC1, "added in Java 26 and in later updates of 25"),
        opens(ML_DSA, DOCUMENTED, _JAVA_ML_DSA),
        refuses((Feature.SEED_ONLY_KEY,), DOCUMENTED, _JAVA_SEED, "the first updates read their own form only"),
    ),
    _java(
        "java-25.0.5",
        "Java 25, from update 25.0.5 on",
        _JAVA_25,
        opens((Feature.NO_MAC,), DOCUMENTED, _JAVA_CACERTS, "as in Java's own cacerts"),
        opens((Feature.PBMAC1, Feature.VERSION_2_KEY, *ML_DSA, Feature.SEED_ONLY_KEY), TRIED, _JAVA_25),
    ),
    entry(
        "java-26",
        "Java 26",
        opens(MODERN, DOCUMENTED, _JAVA_UPGRADE, "Java's own files use it, since Java 16"),
        opens(LEGACY, DOCUMENTED, _JAVA_UPGRADE, "older Java versions wrote it"),
        opens((Feature.PBMAC1,), DOCUMENTED, _JAVA_PBMAC1),
        opens((Feature.CLEAR_CERTIFICATES, Feature.NO_MAC), DOCUMENTED, _JAVA_CACERTS, "as in Java's own cacerts"),
        opens((*RSA, KeyKind.RSA_PSS, KeyKind.DSA_2048, *NIST), DOCUMENTED, _JAVA_26_PROVIDERS),
        opens(EDDSA, DOCUMENTED, _JAVA_EDDSA),
        refuses(CURVES, DOCUMENTED, _JAVA_OLD_CURVES, "removed in Java 16"),
        opens(ML_DSA, DOCUMENTED, _JAVA_ML_DSA),
        opens((Feature.SEED_ONLY_KEY,), DOCUMENTED, _JAVA_SEED),
        bounds=_JAVA_BOUNDS,
    ),
)
NSS: Final = (
    _nss("nss-3.87", "NSS 3.87 (Firefox, pk12util)", _NSS_3_87, refuses((Feature.PBMAC1,), TRIED, _NSS_3_87)),
    _nss(
        "nss-3.110",
        "NSS 3.110 (Firefox, pk12util)",
        _NSS_3_110,
        opens((Feature.PBMAC1,), TRIED, _NSS_3_110),
    ),
)
GNUTLS: Final = (
    _gnutls(
        "gnutls-3.7",
        "GnuTLS 3.7 (certtool)",
        _GNUTLS_3_7,
        refuses((Feature.PBMAC1,), TRIED, _GNUTLS_3_7, f"newer ones open it: {_GNUTLS_PBMAC1}"),
    ),
    _gnutls(
        "gnutls-3.8",
        "GnuTLS 3.8, any release (certtool)",
        _GNUTLS_3_8,
        refuses((Feature.PBMAC1,), DOCUMENTED, _GNUTLS_PBMAC1, "added in a later release of 3.8"),
    ),
    _gnutls(
        "gnutls-3.8.9",
        "GnuTLS 3.8, from 3.8.9 on (certtool)",
        _GNUTLS_3_8,
        opens((Feature.PBMAC1,), TRIED, _GNUTLS_3_8),
    ),
)
BOUNCY_CASTLE: Final = (
    _bouncy_castle(
        "bouncycastle-1.72",
        "Bouncy Castle for Java 1.72",
        _BOUNCY_CASTLE_1_72,
        refuses((Feature.CLEAR_KEY,), TRIED, _BOUNCY_CASTLE_1_72, "it skips such a key without a message"),
        refuses(PQ, TRIED, _BOUNCY_CASTLE_1_72),
        refuses(PQ_CERTIFICATES, TRIED, _BOUNCY_CASTLE_1_72, "it opens nothing of a file with such a certificate"),
    ),
    _bouncy_castle(
        "bouncycastle-1.80",
        "Bouncy Castle for Java 1.80",
        _BOUNCY_CASTLE_1_80,
        opens((KeyKind.SLH_DSA, *PQ_CERTIFICATES), TRIED, _BOUNCY_CASTLE_1_80),
        refuses(ML_DSA, TRIED, _BOUNCY_CASTLE_1_80, "with a seed beside the expanded key its signatures are wrong"),
        refuses((Feature.SEED_ONLY_KEY,), TRIED, _BOUNCY_CASTLE_1_80, "it does not read the seed of RFC 9881"),
    ),
)
GO_CRYPTO: Final = (
    _go_crypto("go-crypto-0.4", "Go 1.19, golang.org/x/crypto/pkcs12 0.4", _GO_CRYPTO_0_4),
    _go_crypto("go-crypto-0.25", "Go 1.24, golang.org/x/crypto/pkcs12 0.25", _GO_CRYPTO_0_25),
)
GO_SSLMATE: Final = (
    _go_sslmate(
        "go-sslmate-0.0",
        "Go 1.19, software.sslmate.com/src/go-pkcs12 of April 2021",
        _GO_SSLMATE_0_0,
        refuses((Feature.NO_MAC,), TRIED, _GO_SSLMATE_0_0),
    ),
    _go_sslmate(
        "go-sslmate-0.5",
        "Go 1.24, software.sslmate.com/src/go-pkcs12 0.5",
        _GO_SSLMATE_0_5,
        opens((Feature.NO_MAC, Feature.CLEAR_KEY), TRIED, _GO_SSLMATE_0_5),
    ),
)
