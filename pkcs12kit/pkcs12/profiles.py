"""Profiles: named, dated ways to protect a PFX, with algorithms, iteration counts and salt lengths.

A dated profile never changes. :data:`MODERN` and :data:`LEGACY` each stand for a dated profile, and may move to a newer
one. :func:`for_readers` chooses a profile by the programs that have to open the file, and :func:`readers_of` lists the
programs that open a profile; the evidence for both is in :mod:`~pkcs12kit.pkcs12.readers`.

:data:`MODERN_2023` uses 100,000 iterations for encryption and MAC alike: 300,000 in a file, for MAC, certificates and
key. That is within every default limit that was found among readers that know its algorithms:

- .NET 9's ``X509CertificateLoader`` refuses more than 300,000 for the MAC, 300,000 for one encryption and 1,000,000 in
  all (dotnet/runtime, ``Pkcs12LoaderLimits.cs``). .NET Framework, .NET 6 and 7 since June 2023 refuse more than 600,000
  in all if no password is given (Microsoft KB5025823); some versions refuse more than 300,000 for the certificates
  (dotnet/runtime, ``PfxAsn.manual.cs``).
- OpenJDK refuses more than 5,000,000 (``PKCS12KeyStore.MAX_ITERATION_COUNT``).
- Other programs have written as many themselves for years: OpenJDK 100,000 for the MAC and 50,000 for encryption before
  it changed to AES (openjdk/jdk, pull request 473), Bouncy Castle's PKCS12 key store 102,400.

OWASP recommends 600,000 for PBKDF2-HMAC-SHA256 (Password Storage Cheat Sheet), and pk12util and certtool of Debian 12
write as many; that is above .NET's limits. :data:`FIPS_2026` uses 600,000: .NET does not read PBMAC1 in any case. No
count makes up for a password that can be guessed: choose a long random one.

Salts for encryption are 16 bytes under PBKDF2 (NIST SP 800-132 section 5.1 requires 128 bits). Under PKCS12KDF the salt
of the MAC is 8 bytes, as OpenSSL writes it: https://ca.stable.confirm.ch/pkcs12.html reports that macOS's keychain
refused a file that differed from an accepted one only in a MAC salt of 16 bytes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_kind, require_several
from pkcs12kit.certificates.key_kinds import key_kind
from pkcs12kit.errors import ArgumentError, UnknownNameError
from pkcs12kit.pkcs12.compatibility import of_profile
from pkcs12kit.pkcs12.protection import PBES2, PBMAC1, Profile, Scheme
from pkcs12kit.pkcs12.readers import choose, judge_profile
from pkcs12kit.pkcs12.readers import find as find_reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.pkcs12.compatibility import Reader, ReaderVerdict

__all__ = [
    "ALIASES",
    "FIPS_2026",
    "LEGACY",
    "LEGACY_3DES",
    "LEGACY_RC2",
    "MODERN",
    "MODERN_2023",
    "NO_PASSWORD",
    "PROFILES",
    "UNENCRYPTED_CERTIFICATES_2023",
    "Profile",
    "Scheme",
    "find",
    "for_readers",
    "names",
    "readers_of",
]

_AES_256: Final = Scheme(algorithm=PBES2, cipher="AES-256-CBC", digest="SHA-256")
_TRIPLE_DES: Final = Scheme(algorithm="pbeWithSHAAnd3-KeyTripleDES-CBC")

FIPS_2026: Final = Profile(
    name="fips-2026",
    date=date(2026, 11, 22),
    summary="AES-256 and PBMAC1 (RFC 9879), both under PBKDF2-HMAC-SHA256: no PKCS12KDF anywhere",
    certificate_encryption=_AES_256,
    key_encryption=_AES_256,
    encryption_iterations=600_000,
    encryption_salt_length=16,
    mac_algorithm=PBMAC1,
    mac_digest="SHA-256",
    mac_iterations=600_000,
    mac_salt_length=16,
    minimum_iterations=1_000,  # NIST SP 800-132 section 5.2
)
"""For readers of 2025 and later, and for readers that allow only approved algorithms (FIPS 140-3)."""

MODERN_2023: Final = Profile(
    name="modern-2023",
    date=date(2026, 11, 22),
    summary="AES-256 with PBKDF2-HMAC-SHA256, MAC with SHA-256",
    certificate_encryption=_AES_256,
    key_encryption=_AES_256,
    encryption_iterations=100_000,
    encryption_salt_length=16,
    mac_digest="SHA-256",
    mac_iterations=100_000,
    mac_salt_length=8,
)
"""For the readers of today. OpenSSL 3, Java and Windows wrote these algorithms by 2023."""

LEGACY_3DES: Final = Profile(
    name="legacy-3des",
    date=date(2026, 11, 22),
    summary="3-key triple DES with SHA-1, MAC with SHA-1: weak, for readers that open nothing newer",
    certificate_encryption=_TRIPLE_DES,
    key_encryption=_TRIPLE_DES,
    encryption_iterations=2_048,
    encryption_salt_length=8,
    mac_digest="SHA-1",
    mac_iterations=2_048,
    mac_salt_length=8,
)
"""For readers that open nothing newer, such as Windows Server 2016 and older Android.

Its passwords are cheap to guess.
"""

LEGACY_RC2: Final = replace(
    LEGACY_3DES,
    name="legacy-rc2",
    summary="certificates under RC2 with 40 bits, the key under 3-key triple DES, MAC with SHA-1: for Windows XP",
    certificate_encryption=Scheme(algorithm="pbeWithSHAAnd40BitRC2-CBC"),
)
"""The protection that OpenSSL 1 and Java 8 write. 40 bits hardly hide the certificates.

OpenSSL 3 opens it with -legacy.
"""

UNENCRYPTED_CERTIFICATES_2023: Final = replace(
    MODERN_2023,
    name="unencrypted-certificates-2023",
    summary="certificates in the clear, the key under AES-256 with PBKDF2-HMAC-SHA256, MAC with SHA-256",
    certificate_encryption=None,
)
"""For programs that show the certificates before they ask for the password. Certificates are public in any case."""

NO_PASSWORD: Final = Profile(
    name="no-password",
    date=date(2026, 11, 22),
    summary="nothing encrypted, no MAC: anyone who reads the file has the key",
    certificate_encryption=None,
    key_encryption=None,
    encryption_iterations=0,
    encryption_salt_length=0,
    mac_algorithm=None,
    mac_digest=None,
    mac_iterations=0,
    mac_salt_length=0,
)
"""For certificates without a key (Java's own cacerts is such a file), or for a file that stays on an encrypted disk."""

MODERN: Final = MODERN_2023
"""The default. May move to a newer profile."""

LEGACY: Final = LEGACY_3DES
"""For the oldest readers in use. May move to another profile."""

PROFILES: Final = (FIPS_2026, MODERN_2023, LEGACY_3DES, LEGACY_RC2, UNENCRYPTED_CERTIFICATES_2023, NO_PASSWORD)
"""Every dated profile: first those that encrypt everything, the strongest first."""

ALIASES: Final = {"modern": MODERN, "legacy": LEGACY}
"""The profiles of the names that may move."""


def names() -> tuple[str, ...]:
    """Return the names of all profiles: first those that may move, then the dated ones."""
    return (*ALIASES, *(profile.name for profile in PROFILES))


def find(profile: str | Profile) -> Profile:
    """Return the profile of a name (``modern``, ``legacy-3des``, ...); a profile is returned as it is.

    Raises :class:`~pkcs12kit.UnknownNameError`, and :class:`~pkcs12kit.ArgumentError` for an object of another kind.
    """
    if isinstance(profile, Profile):
        return profile
    require_kind("profile", profile, str, Profile)
    known = {**ALIASES, **{dated.name: dated for dated in PROFILES}}
    if profile not in known:
        raise UnknownNameError("profile", profile, known)
    return known[profile]


def for_readers(*readers: str | Reader, key: object = None, certificates: Iterable[Certificate] = ()) -> Profile:
    """Return the strongest profile that every one of these readers is known to open.

    ``readers`` are names of :data:`~pkcs12kit.pkcs12.readers.READERS`, conditions such as ``java>=17``, or readers.
    Iteration counts are capped at the lowest limit of these readers. Only profiles that encrypt keys and certificates
    are considered. ``key`` is the key of the file, a certificate of it or its
    :class:`~pkcs12kit.certificates.key_kinds.KeyKind`, and ``certificates`` are those of the file: each reader must be
    known to open a file with them. Without them only the profiles are compared.

    Raises :class:`~pkcs12kit.errors.InputError` with the profiles that each reader opens if none is opened by all, or
    if the key or a certificate is not known to be opened; :class:`~pkcs12kit.UnknownNameError` for an unknown reader,
    and :class:`~pkcs12kit.ArgumentError` for no reader and for values of other kinds.
    """
    require_several({"certificates": certificates})
    return choose(
        readers,
        tuple(profile for profile in PROFILES if profile.certificate_encryption is not None),
        key=None if key is None else key_kind(key),
        certificates=_certificates(certificates),
    )


def _certificates(given: Iterable[Certificate]) -> tuple[Certificate, ...]:
    from pkcs12kit.certificates.certificate import Certificate

    certificates = tuple(given)
    for one in certificates:
        require_kind("certificates", one, Certificate)
    return certificates


class IterationsError(ArgumentError):
    """Numbers of iterations that the profile cannot have, or under which a reader does not open the file."""

    reader: str | None = None
    """The name of the reader, with which the text begins; None for other reasons."""


def of_options(
    name: str | None, readers: Sequence[str], *, iterations: int | None = None, mac_iterations: int | None = None
) -> Profile:
    """Return the profile of a name, or for readers, with other numbers of iterations where they are given.

    Without a name and readers it is ``modern``. Raises as :func:`find` and :func:`for_readers` do, and
    :class:`IterationsError`.
    """
    profile = for_readers(*readers) if readers else find(name or "modern")
    if iterations is None and mac_iterations is None:
        return profile
    mac = iterations if mac_iterations is None else mac_iterations
    try:
        profile = profile.with_iterations(encryption=iterations, mac=mac)
    except ValueError as error:
        raise IterationsError(str(error)) from None
    for reader in readers:
        verdict = find_reader(reader).judge(of_profile(profile))
        if verdict.answer.value != "yes":
            refused = IterationsError(f"{reader}: {verdict.why}")
            refused.reader = reader
            raise refused
    return profile


def readers_of(profile: str | Profile, *, key: object = None) -> dict[str, ReaderVerdict]:
    """Return the verdict of each reader, by its name, on a file with a key under this profile.

    ``key`` is the key, a certificate of it or its :class:`~pkcs12kit.certificates.key_kinds.KeyKind`; without it the
    kind of key is not considered, nor is the password. Raises as :func:`find` does.
    """
    return judge_profile(find(profile), key=key)
