"""The part of the table of readers on operating systems, .NET and FIPS 140-3, which the tests do not run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.key_kinds import KeyKind
from pkcs12kit.pkcs12.compatibility import Bounds
from pkcs12kit.pkcs12.features import Feature
from pkcs12kit.pkcs12.reader_statements import (
    DOCUMENTED,
    EDDSA,
    EMPTY_PASSWORDS,
    LEGACY,
    MODERN,
    NIST,
    REPORTED,
    RSA,
    entry,
    opens,
    refuses,
)

if TYPE_CHECKING:
    from pkcs12kit.pkcs12.compatibility import ReaderStatement

_OPENSSL_PBMAC1: Final = "https://docs.openssl.org/3.5/man3/PBMAC1_get1_pbkdf2_param"
_OPENSSL_PBKDF2: Final = "https://docs.openssl.org/master/man7/EVP_KDF-PBKDF2"
_WINDOWS_IMPORT: Final = (
    "https://learn.microsoft.com/en-us/troubleshoot/windows-server/certificates-and-public-key-infrastructure-pki/"
    "cannot-import-aes256-sha256-encrypted-pfx-certificate"
)
_WINDOWS_LEGACY: Final = "https://github.com/acmesh-official/acme.sh/issues/6805"
_WINDOWS_KEYS: Final = "https://learn.microsoft.com/en-us/windows/win32/seccertenroll/cng-key-storage-providers"
_PYCA: Final = "https://github.com/pyca/cryptography/pull/7458"
_XCA: Final = "https://github.com/chris2511/xca/issues/360"
_STRONGSWAN: Final = "https://github.com/strongswan/strongswan-docs/issues/5"
_APPLE_AES: Final = "https://github.com/openssl/openssl/issues/19871"
_APPLE_MAC: Final = "https://github.com/pyca/pyopenssl/issues/1266"
_APPLE_RSA: Final = (
    "https://help.apple.com/profilemanager/mac/4.0/en.lproj/apd91D2EB26-8D14-42E5-837B-42567026BF05.html"
)
_APPLE_EC: Final = "https://developer.apple.com/documentation/security/ksecattrkeytypeecsecprimerandom"
_IOS_IMPORT: Final = "https://github.com/apple-oss-distributions/Security/blob/main/OSX/sec/Security/SecImportExport.c"
_IOS_ED25519: Final = "https://github.com/owntracks/ios/issues/639"
_MACOS_ED25519: Final = "https://github.com/eduvpn/macos/issues/240"
_ANDROID_KEYS: Final = "https://developer.android.com/reference/android/security/KeyChain#isKeyAlgorithmSupported"
_GNUTLS_FIPS: Final = "https://gitlab.com/gnutls/gnutls/-/merge_requests/1531"
_FIPS_SIGNATURES: Final = "https://csrc.nist.gov/pubs/fips/186-5/final"
_DOTNET_KEYS: Final = "https://learn.microsoft.com/en-us/dotnet/standard/security/cross-platform-cryptography"
_DOTNET_EDDSA: Final = "https://github.com/dotnet/runtime/issues/63174"
_DOTNET: Final = "https://github.com/dotnet/runtime/blob/main/src/libraries/Common/src/System/Security/Cryptography/"


def _windows_keys() -> list[ReaderStatement]:
    return opens((*RSA, KeyKind.RSA_16384, *NIST), DOCUMENTED, _WINDOWS_KEYS, "as keys of its key storage")


WINDOWS: Final = (
    entry(
        "windows-2016",
        "Windows Server 2016 and before, certificate import",
        refuses((Feature.AES,), DOCUMENTED, _WINDOWS_IMPORT, "since Server 2019, and Windows 11"),
        opens(LEGACY, DOCUMENTED, _WINDOWS_IMPORT),
        opens((Feature.RC2_40,), REPORTED, _WINDOWS_LEGACY, "as openssl -legacy writes it"),
        _windows_keys(),
    ),
    entry(
        "windows-2019",
        "Windows Server 2019, certificate import",
        opens((*MODERN, *LEGACY), DOCUMENTED, _WINDOWS_IMPORT),
        opens((Feature.EMPTY_PASSWORD,), REPORTED, EMPTY_PASSWORDS),
        _windows_keys(),
    ),
    entry(
        "windows-2022",
        "Windows Server 2019 and 2022, certificate import",
        opens((*MODERN, *LEGACY), DOCUMENTED, _WINDOWS_IMPORT),
        opens((Feature.EMPTY_PASSWORD,), REPORTED, EMPTY_PASSWORDS),
        _windows_keys(),
    ),
)
SYSTEMS: Final = (
    entry(
        "macos",
        "macOS, import into a keychain",
        refuses((Feature.AES,), REPORTED, _PYCA, "macOS 12; newer ones may"),
        refuses((Feature.MAC_SHA256,), REPORTED, _XCA, "older versions; newer ones may"),
        opens(LEGACY, REPORTED, EMPTY_PASSWORDS),
        refuses((Feature.EMPTY_PASSWORD,), REPORTED, EMPTY_PASSWORDS, "as RFC 7292 appendix B.1 encodes it"),
        opens((KeyKind.RSA_2048, KeyKind.RSA_4096), DOCUMENTED, _APPLE_RSA),
        opens(NIST, DOCUMENTED, _APPLE_EC, "as keys of a keychain"),
        refuses((KeyKind.ED25519,), REPORTED, _MACOS_ED25519, "macOS 10.15; newer ones may"),
    ),
    entry(
        "ios",
        "iOS and iPadOS",
        refuses((Feature.AES,), REPORTED, _APPLE_AES, "in 2022; newer ones may"),
        refuses((Feature.MAC_SHA256,), REPORTED, _APPLE_MAC, "in 2023; newer ones may"),
        opens((*LEGACY, Feature.EMPTY_PASSWORD), REPORTED, EMPTY_PASSWORDS),
        opens((KeyKind.RSA_2048, KeyKind.RSA_4096), DOCUMENTED, _APPLE_RSA),
        opens(NIST, DOCUMENTED, _IOS_IMPORT),
        refuses((KeyKind.ED25519,), REPORTED, _IOS_ED25519, "in 2020; newer ones may"),
    ),
    entry(
        "android",
        "Android, installing a certificate",
        refuses((Feature.AES,), REPORTED, _STRONGSWAN, "Android 12; newer ones may"),
        refuses((Feature.MAC_SHA256,), REPORTED, _PYCA, "Android 12; newer ones may"),
        opens(LEGACY, REPORTED, _PYCA, "Android 12"),
        opens((KeyKind.RSA_2048, KeyKind.RSA_4096), DOCUMENTED, _ANDROID_KEYS),
        opens((KeyKind.EC_P256, KeyKind.EC_P384), DOCUMENTED, _ANDROID_KEYS),
    ),
)
DOTNET: Final = (
    entry(
        "dotnet-9",
        ".NET 9 and later, X509CertificateLoader; on Windows, Windows itself must also be able to import the file",
        opens((Feature.AES, Feature.TRIPLE_DES, Feature.RC2_40), DOCUMENTED, f"{_DOTNET}PasswordBasedEncryption.cs"),
        opens((Feature.MAC_SHA1, Feature.MAC_SHA256), DOCUMENTED, f"{_DOTNET}Asn1/Pkcs12/PfxAsn.manual.cs"),
        refuses((Feature.PBMAC1,), DOCUMENTED, f"{_DOTNET}Asn1/Pkcs12/PfxAsn.manual.cs", "not on its list of MACs"),
        opens((Feature.EMPTY_PASSWORD,), REPORTED, EMPTY_PASSWORDS),
        opens((*RSA, *NIST), DOCUMENTED, _DOTNET_KEYS),
        refuses(EDDSA, DOCUMENTED, _DOTNET_EDDSA),
        bounds=Bounds(
            encryption=300_000,
            mac=300_000,
            total=1_000_000,
            source=f"{_DOTNET}X509Certificates/Pkcs12LoaderLimits.cs",
        ),
    ),
)
FIPS: Final = (
    entry(
        "fips-140-3",
        "Programs that may use only algorithms that FIPS 140-3 allows, such as OpenSSL's FIPS provider",
        opens((Feature.AES,), DOCUMENTED, _OPENSSL_PBKDF2),
        opens((Feature.PBMAC1,), DOCUMENTED, _OPENSSL_PBMAC1, "OpenSSL 3.4 and later"),
        refuses((Feature.PKCS12KDF,), DOCUMENTED, _GNUTLS_FIPS, "not an approved algorithm"),
        opens((KeyKind.RSA_2048, KeyKind.RSA_4096, *NIST), DOCUMENTED, _FIPS_SIGNATURES),
        refuses((KeyKind.RSA_BELOW_1024, KeyKind.RSA_1024), DOCUMENTED, _FIPS_SIGNATURES, "too short to sign with"),
        refuses((KeyKind.DSA_2048,), DOCUMENTED, _FIPS_SIGNATURES, "DSA is not approved for signing any more"),
        bounds=Bounds(minimum=1_000, salt_length=16, source=_OPENSSL_PBKDF2),
    ),
)
