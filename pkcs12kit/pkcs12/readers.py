"""Readers: the programs that open PFX files, and the source of each statement about them.

A reader stands for all versions that its title names: if one of them refuses a file, the answer is no. If nothing is
known, the answer is unknown, and a profile is never chosen on it. Nothing in the table was concluded from the behaviour
of another reader. "Tried by us" means that the tests of this project did it, with the version that the source names.

MobileIron Core, now Ivanti EPMM, is not in the table. Its documentation says that it accepts PKCS #12 files with at
most one private key each (https://help.ivanti.com/mi/help/en_US/CORE/11.x/dmga/DMGfiles/
Cert_Enroll_s_1_ConfigUserProvided.htm); about algorithms and iterations we found nothing there.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_kind
from pkcs12kit.errors import ArgumentError, InputError, PasswordError, UnknownNameError
from pkcs12kit.findings import Answer, Evidence
from pkcs12kit.pkcs12.compatibility import Bounds, Feature, PfxFacts, Reader, ReaderStatement, of_profile
from pkcs12kit.pkcs12.protection import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.pkcs12.compatibility import ReaderVerdict

__all__ = ["READERS", "find", "judge", "judge_profile"]

DOCUMENTED: Final = Evidence.DOCUMENTED
REPORTED: Final = Evidence.REPORTED
TRIED: Final = Evidence.TRIED

_MODERN: Final = (Feature.AES, Feature.MAC_SHA256)
_LEGACY: Final = (Feature.TRIPLE_DES, Feature.MAC_SHA1)
_PASSWORDS: Final = (Feature.EMPTY_PASSWORD, Feature.NON_ASCII_PASSWORD)

_OPENSSL_1_PBE: Final = "https://github.com/openssl/openssl/blob/OpenSSL_1_0_2-stable/crypto/evp/evp_pbe.c"
_OPENSSL_1_CREATE: Final = "https://man.netbsd.org/NetBSD-9.0/PKCS12_create.3"
_OPENSSL_PBMAC1: Final = "https://docs.openssl.org/3.5/man3/PBMAC1_get1_pbkdf2_param"
_OPENSSL_PBKDF2: Final = "https://docs.openssl.org/master/man7/EVP_KDF-PBKDF2"
_OPENSSL_PKCS12: Final = "https://docs.openssl.org/3.6/man1/openssl-pkcs12/"
_OPENSSL_TRIED: Final = "openssl 3.0 of Debian 12"
_JAVA_KEY_STORE: Final = (
    "https://github.com/openjdk/jdk/blob/master/src/java.base/share/classes/sun/security/pkcs12/PKCS12KeyStore.java"
)
_JAVA_UPGRADE: Final = "https://github.com/openjdk/loom/commit/f77a6585"
_JAVA_BACKPORT: Final = "https://bugs.java.com/bugdatabase/view_bug?bug_id=8267701"
_JAVA_PBMAC1: Final = "https://bugs.openjdk.org/browse/JDK-8370042"
_JAVA_CACERTS: Final = "https://bugs.java.com/bugdatabase/view_bug?bug_id=8275253"
_JAVA_TRIED: Final = "keytool 17 of Debian 12"
_WINDOWS_IMPORT: Final = (
    "https://learn.microsoft.com/en-us/troubleshoot/windows-server/certificates-and-public-key-infrastructure-pki/"
    "cannot-import-aes256-sha256-encrypted-pfx-certificate"
)
_WINDOWS_LEGACY: Final = "https://github.com/acmesh-official/acme.sh/issues/6805"
_EMPTY_PASSWORDS: Final = "https://github.com/zeroc-ice/ice/pull/6503"
_PYCA: Final = "https://github.com/pyca/cryptography/pull/7458"
_XCA: Final = "https://github.com/chris2511/xca/issues/360"
_STRONGSWAN: Final = "https://github.com/strongswan/strongswan-docs/issues/5"
_APPLE_AES: Final = "https://github.com/openssl/openssl/issues/19871"
_APPLE_MAC: Final = "https://github.com/pyca/pyopenssl/issues/1266"
_NSS_TRIED: Final = "pk12util 3.87 of Debian 12"
_GNUTLS_TRIED: Final = "certtool 3.7.9 of Debian 12"
_GNUTLS_PBMAC1: Final = "https://gitlab.com/gnutls/gnutls/-/merge_requests/1833"
_GNUTLS_FIPS: Final = "https://gitlab.com/gnutls/gnutls/-/merge_requests/1531"
_BOUNCY_CASTLE_TRIED: Final = "bcprov 1.72 of Debian 12"
_BOUNCY_CASTLE_PBMAC1: Final = "https://github.com/bcgit/bc-java/issues/2076"
_BOUNCY_CASTLE_LIMIT: Final = "https://docs.keyfactor.com/ejbca/latest/pkcs-12-key-generation-iteration-configuration"
_OPENSSL_1_MAC: Final = "https://github.com/openssl/openssl/blob/OpenSSL_1_0_2-stable/crypto/pkcs12/p12_mutl.c"
_DOTNET: Final = "https://github.com/dotnet/runtime/blob/main/src/libraries/Common/src/System/Security/Cryptography/"


_NO_BOUNDS: Final = Bounds()
_JAVA_BOUNDS: Final = Bounds(encryption=5_000_000, mac=5_000_000, source=_JAVA_KEY_STORE)


def _opens(features: Iterable[Feature], evidence: Evidence, source: str, note: str = "") -> list[ReaderStatement]:
    return [ReaderStatement(feature=it, opens=True, evidence=evidence, source=source, note=note) for it in features]


def _refuses(features: Iterable[Feature], evidence: Evidence, source: str, note: str = "") -> list[ReaderStatement]:
    return [ReaderStatement(feature=it, opens=False, evidence=evidence, source=source, note=note) for it in features]


def _reader(name: str, title: str, *statements: list[ReaderStatement], bounds: Bounds = _NO_BOUNDS) -> Reader:
    return Reader(name=name, title=title, statements=tuple(chain.from_iterable(statements)), bounds=bounds)


_TABLE: Final = (
    _reader(
        "openssl-1.0",
        "OpenSSL 1.0.0 to 1.1.1",
        _opens((Feature.AES, Feature.TRIPLE_DES), DOCUMENTED, _OPENSSL_1_PBE),
        _opens((Feature.RC2_40,), DOCUMENTED, _OPENSSL_1_CREATE, "the reader's own files use it"),
        _opens((Feature.MAC_SHA1, Feature.MAC_SHA256), DOCUMENTED, _OPENSSL_1_MAC),
        _refuses((Feature.PBMAC1,), DOCUMENTED, _OPENSSL_PBMAC1, "added in OpenSSL 3.4"),
    ),
    _reader(
        "openssl-3",
        "OpenSSL 3.0 and later, without -legacy",
        _opens((*_MODERN, *_LEGACY, *_PASSWORDS), TRIED, _OPENSSL_TRIED),
        _opens((Feature.CLEAR_CERTIFICATES, Feature.CLEAR_KEY, Feature.NO_MAC), TRIED, _OPENSSL_TRIED),
        _refuses((Feature.RC2_40,), TRIED, _OPENSSL_TRIED, f"{_OPENSSL_PKCS12} says so"),
        _refuses((Feature.PBMAC1,), TRIED, _OPENSSL_TRIED, f"since 3.4: {_OPENSSL_PBMAC1}"),
        _refuses((Feature.VERSION_2_KEY,), TRIED, _OPENSSL_TRIED, "it opens the certificates only"),
    ),
    _reader(
        "java-8",
        "Java 8, any update",
        _opens((*_LEGACY, Feature.RC2_40), DOCUMENTED, _JAVA_UPGRADE, "the reader's own files use it"),
        _refuses((Feature.MAC_SHA256,), DOCUMENTED, _JAVA_BACKPORT, "before 8u301"),
        _refuses((Feature.PBMAC1,), DOCUMENTED, _JAVA_PBMAC1, "added in Java 26"),
        bounds=_JAVA_BOUNDS,
    ),
    _reader(
        "java-17",
        "Java 17",
        _opens((*_MODERN, *_LEGACY, Feature.RC2_40), TRIED, _JAVA_TRIED),
        _opens((Feature.EMPTY_PASSWORD,), REPORTED, _EMPTY_PASSWORDS, "keytool reads it only from a file"),
        _opens((Feature.CLEAR_CERTIFICATES, Feature.NO_MAC), TRIED, _JAVA_TRIED),
        _refuses((Feature.CLEAR_KEY,), TRIED, _JAVA_TRIED, "it skips such a key without a message"),
        _refuses((Feature.NON_ASCII_PASSWORD,), TRIED, _JAVA_TRIED),
        _refuses((Feature.PBMAC1,), TRIED, _JAVA_TRIED, f"since 26: {_JAVA_PBMAC1}"),
        bounds=_JAVA_BOUNDS,
    ),
    _reader(
        "java-26",
        "Java 26",
        _opens(_MODERN, DOCUMENTED, _JAVA_UPGRADE, "Java's own files use it, since Java 16"),
        _opens(_LEGACY, DOCUMENTED, _JAVA_UPGRADE, "older Java versions wrote it"),
        _opens((Feature.PBMAC1,), DOCUMENTED, _JAVA_PBMAC1),
        _opens((Feature.CLEAR_CERTIFICATES, Feature.NO_MAC), DOCUMENTED, _JAVA_CACERTS, "as in Java's own cacerts"),
        bounds=_JAVA_BOUNDS,
    ),
    _reader(
        "windows-2016",
        "Windows Server 2016 and before, certificate import",
        _refuses((Feature.AES,), DOCUMENTED, _WINDOWS_IMPORT, "since Server 2019, and Windows 11"),
        _opens(_LEGACY, DOCUMENTED, _WINDOWS_IMPORT),
        _opens((Feature.RC2_40,), REPORTED, _WINDOWS_LEGACY, "as openssl -legacy writes it"),
    ),
    _reader(
        "windows-2022",
        "Windows Server 2019 and 2022, certificate import",
        _opens((*_MODERN, *_LEGACY), DOCUMENTED, _WINDOWS_IMPORT),
        _opens((Feature.EMPTY_PASSWORD,), REPORTED, _EMPTY_PASSWORDS),
    ),
    _reader(
        "macos",
        "macOS, import into a keychain",
        _refuses((Feature.AES,), REPORTED, _PYCA, "macOS 12; newer ones may"),
        _refuses((Feature.MAC_SHA256,), REPORTED, _XCA, "older versions; newer ones may"),
        _opens(_LEGACY, REPORTED, _EMPTY_PASSWORDS),
        _refuses((Feature.EMPTY_PASSWORD,), REPORTED, _EMPTY_PASSWORDS, "as RFC 7292 appendix B.1 encodes it"),
    ),
    _reader(
        "ios",
        "iOS and iPadOS",
        _refuses((Feature.AES,), REPORTED, _APPLE_AES, "in 2022; newer ones may"),
        _refuses((Feature.MAC_SHA256,), REPORTED, _APPLE_MAC, "in 2023; newer ones may"),
        _opens((*_LEGACY, Feature.EMPTY_PASSWORD), REPORTED, _EMPTY_PASSWORDS),
    ),
    _reader(
        "android",
        "Android, installing a certificate",
        _refuses((Feature.AES,), REPORTED, _STRONGSWAN, "Android 12; newer ones may"),
        _refuses((Feature.MAC_SHA256,), REPORTED, _PYCA, "Android 12; newer ones may"),
        _opens(_LEGACY, REPORTED, _PYCA, "Android 12"),
    ),
    _reader(
        "nss",
        "NSS (Firefox, pk12util)",
        _opens((*_MODERN, *_LEGACY, Feature.RC2_40, *_PASSWORDS, Feature.CLEAR_CERTIFICATES), TRIED, _NSS_TRIED),
        _refuses((Feature.NO_MAC, Feature.PBMAC1), TRIED, _NSS_TRIED),
    ),
    _reader(
        "gnutls",
        "GnuTLS (certtool)",
        _opens((*_MODERN, *_LEGACY, Feature.RC2_40, *_PASSWORDS, Feature.CLEAR_CERTIFICATES), TRIED, _GNUTLS_TRIED),
        _refuses((Feature.NO_MAC,), TRIED, _GNUTLS_TRIED, "it prints the contents, and then fails"),
        _refuses((Feature.PBMAC1,), TRIED, _GNUTLS_TRIED, f"newer ones open it: {_GNUTLS_PBMAC1}"),
    ),
    _reader(
        "bouncycastle",
        "Bouncy Castle for Java",
        _opens((*_MODERN, *_LEGACY, Feature.RC2_40, Feature.CLEAR_CERTIFICATES), TRIED, _BOUNCY_CASTLE_TRIED),
        _opens((Feature.NON_ASCII_PASSWORD,), TRIED, _BOUNCY_CASTLE_TRIED),
        _refuses((Feature.CLEAR_KEY,), TRIED, _BOUNCY_CASTLE_TRIED, "it skips such a key without a message"),
        _refuses((Feature.PBMAC1,), TRIED, _BOUNCY_CASTLE_TRIED, f"since 1.81: {_BOUNCY_CASTLE_PBMAC1}"),
        bounds=Bounds(encryption=5_000_000, mac=5_000_000, source=_BOUNCY_CASTLE_LIMIT),
    ),
    _reader(
        "dotnet",
        ".NET 9 and later, X509CertificateLoader; on Windows, Windows itself must also be able to import the file",
        _opens((Feature.AES, Feature.TRIPLE_DES, Feature.RC2_40), DOCUMENTED, f"{_DOTNET}PasswordBasedEncryption.cs"),
        _opens((Feature.MAC_SHA1, Feature.MAC_SHA256), DOCUMENTED, f"{_DOTNET}Asn1/Pkcs12/PfxAsn.manual.cs"),
        _refuses((Feature.PBMAC1,), DOCUMENTED, f"{_DOTNET}Asn1/Pkcs12/PfxAsn.manual.cs", "not on its list of MACs"),
        _opens((Feature.EMPTY_PASSWORD,), REPORTED, _EMPTY_PASSWORDS),
        bounds=Bounds(
            encryption=300_000,
            mac=300_000,
            total=1_000_000,
            source=f"{_DOTNET}X509Certificates/Pkcs12LoaderLimits.cs",
        ),
    ),
    _reader(
        "fips-140-3",
        "Programs that may use only algorithms that FIPS 140-3 allows, such as OpenSSL's FIPS provider",
        _opens((Feature.AES,), DOCUMENTED, _OPENSSL_PBKDF2),
        _opens((Feature.PBMAC1,), DOCUMENTED, _OPENSSL_PBMAC1, "OpenSSL 3.4 and later"),
        _refuses((Feature.PKCS12KDF,), DOCUMENTED, _GNUTLS_FIPS, "not an approved algorithm"),
        bounds=Bounds(minimum=1_000, salt_length=16, source=_OPENSSL_PBKDF2),
    ),
)

READERS: Final = {reader.name: reader for reader in _TABLE}
"""Every reader, by name."""


def find(reader: str | Reader) -> Reader:
    """Return the reader of a name (``java-17``, ``windows-2022``, ...); a reader is returned as it is.

    Raises :class:`~pkcs12kit.UnknownNameError`, and :class:`~pkcs12kit.ArgumentError` for an object of another kind.
    """
    if isinstance(reader, Reader):
        return reader
    require_kind("reader", reader, str, Reader)
    if reader not in READERS:
        raise UnknownNameError("reader", reader, READERS)
    return READERS[reader]


def judge(facts: PfxFacts) -> dict[str, ReaderVerdict]:
    """Return the verdict of each reader of :data:`READERS`, by its name, on a file with these facts.

    Raises :class:`~pkcs12kit.ArgumentError` for facts of another kind.
    """
    require_kind("facts", facts, PfxFacts)
    return {name: reader.judge(facts) for name, reader in READERS.items()}


def judge_profile(profile: Profile) -> dict[str, ReaderVerdict]:
    """Return the verdict of each reader, by its name, on a file with a key under this profile.

    Raises :class:`~pkcs12kit.ArgumentError` for a profile of another kind.
    """
    require_kind("profile", profile, Profile)
    return judge(of_profile(profile))


def require_password(readers: Iterable[str | Reader], password: str) -> None:
    """Raise :class:`~pkcs12kit.errors.PasswordError` if one of these readers is known not to open such a password.

    A reader about which nothing is known does not raise. Raises :class:`~pkcs12kit.UnknownNameError` for an unknown
    reader.
    """
    features = ((Feature.EMPTY_PASSWORD, not password), (Feature.NON_ASCII_PASSWORD, not password.isascii()))
    for reader in map(find, readers):
        for statement in (reader.statement_on(feature) for feature, applies in features if applies):
            if statement is not None and not statement.opens:
                raise PasswordError(f"this password cannot be used for {reader.name}: {statement}")


def choose(readers: Iterable[str | Reader], candidates: Iterable[Profile]) -> Profile:
    """Return the first candidate that every one of these readers is known to open, with iterations capped for them.

    Raises as :func:`~pkcs12kit.pkcs12.profiles.for_readers` does.
    """
    wanted = list({reader.name: reader for reader in map(find, readers)}.values())
    if not wanted:
        raise ArgumentError("for_readers: give the name of at least one reader")
    opened: dict[str, list[str]] = {reader.name: [] for reader in wanted}
    for candidate in candidates:
        profile = candidate
        for reader in wanted:
            profile = reader.cap(profile)
        verdicts = [(reader.name, reader.judge(of_profile(profile))) for reader in wanted]
        if all(verdict.answer is Answer.YES for _, verdict in verdicts):
            return profile
        for name, verdict in verdicts:
            if verdict.answer is Answer.YES:
                opened[name].append(profile.name)
    if len(wanted) == 1:
        raise InputError(f"{wanted[0].name} is not known to open any profile")
    each = "; ".join(f"{name} opens {', '.join(profiles) or 'none of them'}" for name, profiles in opened.items())
    raise InputError(
        f"no profile is known to be opened by all of {', '.join(opened)}: {each}. Write one file for each of them"
    )
