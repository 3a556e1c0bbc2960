"""Named, dated ways to protect a PFX: algorithms, iteration counts for encryption and for the MAC, salt lengths.

A dated profile never changes. :data:`MODERN` and :data:`LEGACY` stand for a dated one each, and may move to a newer
one. Which reader opens what, and how that is known, is in :mod:`~pkcs12kit.pkcs12.readers`, and so is the choice of a
profile by reader: :func:`for_readers`.

:data:`MODERN_2023` takes 100,000 iterations for encryption and MAC alike: 300,000 in a file, for MAC, certificates and
key. That is within every default limit that was found among readers that know its algorithms:

- .NET 9's ``X509CertificateLoader`` refuses more than 300,000 for the MAC, 300,000 for one encryption and 1,000,000 in
  all (dotnet/runtime, ``Pkcs12LoaderLimits.cs``). .NET Framework, .NET 6 and 7 since June 2023 refuse more than 600,000
  in all where no password is given (Microsoft KB5025823), some versions more than 300,000 for the certificates
  (dotnet/runtime, ``PfxAsn.manual.cs``).
- OpenJDK refuses more than 5,000,000 (``PKCS12KeyStore.MAX_ITERATION_COUNT``).
- Others have written as much themselves for years: OpenJDK 100,000 for the MAC and 50,000 for encryption before it
  went over to AES (openjdk/jdk, pull request 473), Bouncy Castle's PKCS12 key store 102,400.

OWASP's 600,000 for PBKDF2-HMAC-SHA256 (Password Storage Cheat Sheet), which pk12util and certtool of Debian 12 write,
is above .NET's limits. :data:`FIPS_2026` takes it: .NET does not read PBMAC1 in any case. No count makes up for a
password that can be guessed: choose a long random one.

Salts for encryption are 16 bytes under PBKDF2 (NIST SP 800-132 section 5.1 wants 128 bits). Under PKCS12KDF the MAC's
are 8, as OpenSSL writes: https://ca.stable.confirm.ch/pkcs12.html reports that macOS's keychain refused a file that
differed from one it took in nothing but a MAC salt of 16 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pkcs12kit.pkcs12.compatibility import ReaderVerdict

HMAC: Final = "HMAC"
"""The MAC of RFC 7292: HMAC under a key from PKCS12KDF."""
PBMAC1: Final = "PBMAC1"
"""The MAC of RFC 9879: HMAC under a key from PBKDF2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """What to encrypt with: an algorithm with its choices, before salt and iterations.

    ``algorithm`` is ``PBES2`` (with PBKDF2) or a name of RFC 7292 appendix C; ``cipher`` and ``digest`` (of PBKDF2's
    HMAC) choose within PBES2 and are None otherwise.
    """

    algorithm: str
    cipher: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a PFX is protected: algorithms, iteration counts, salt lengths in bytes.

    ``certificate_encryption`` and ``key_encryption`` are None where that lies in the clear. ``mac_algorithm`` is
    ``HMAC``, ``PBMAC1`` (then ``mac_digest`` is for PBKDF2 too) or None, where there is no MAC, and then no
    ``mac_digest``. The counts and lengths for what a profile does not do are 0.

    Raises :class:`ValueError` for counts below ``minimum_iterations`` and for lengths below 1.
    """

    name: str
    date: date
    """When the choice of algorithms and figures was made."""
    summary: str
    certificate_encryption: Scheme | None
    key_encryption: Scheme | None
    encryption_iterations: int
    encryption_salt_length: int
    mac_algorithm: str | None = HMAC
    mac_digest: str | None
    mac_iterations: int
    mac_salt_length: int
    minimum_iterations: int = 1

    def __post_init__(self) -> None:
        encrypts = self.certificate_encryption is not None or self.key_encryption is not None
        _require_figures(self, "encryption", self.encryption_iterations, self.encryption_salt_length, wanted=encrypts)
        authenticates = self.mac_algorithm is not None
        _require_figures(self, "MAC", self.mac_iterations, self.mac_salt_length, wanted=authenticates)
        if authenticates != (self.mac_digest is not None):
            raise ValueError("a MAC has an algorithm and a digest, or there is none of both")

    @property
    def takes_password(self) -> bool:
        """Whether anything in the file depends on a password."""
        return bool(self.encryption_iterations or self.mac_iterations)

    @property
    def readers(self) -> dict[str, ReaderVerdict]:
        """Which reader opens such a file with a key in it, by name, with the sources of that."""
        from pkcs12kit.pkcs12.compatibility import of_profile
        from pkcs12kit.pkcs12.readers import who_opens

        return who_opens(of_profile(self))

    def with_iterations(self, *, encryption: int | None = None, mac: int | None = None) -> Profile:
        """Copy the profile with other iteration counts; what is not given stays.

        Raises :class:`ValueError` for a count below ``minimum_iterations``, or for what the profile does not do. That
        readers open the copy is not checked: :func:`~pkcs12kit.pkcs12.readers.who_opens` says it.
        """
        return replace(
            self,
            encryption_iterations=self.encryption_iterations if encryption is None else encryption,
            mac_iterations=self.mac_iterations if mac is None else mac,
        )


def _require_figures(profile: Profile, what: str, iterations: int, salt_length: int, *, wanted: bool) -> None:
    if not wanted and (iterations or salt_length):
        raise ValueError(f"the profile {profile.name} has no {what}, so no iterations or salt for it")
    if wanted and iterations < profile.minimum_iterations:
        raise ValueError(
            f"iteration counts of the profile {profile.name} are at least {profile.minimum_iterations:,},"
            f" not {iterations:,}"
        )
    if wanted and salt_length < 1:
        raise ValueError("salt lengths are at least 1")


_AES_256: Final = Scheme(algorithm="PBES2", cipher="AES-256-CBC", digest="SHA-256")
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
"""For readers of 2025 and later, and where only approved algorithms are allowed (FIPS 140-3)."""

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
"""For the readers of today. The year is that of the algorithms: by then OpenSSL 3, Java and Windows wrote them."""

LEGACY_3DES: Final = Profile(
    name="legacy-3des",
    date=date(2026, 11, 22),
    summary="3-key triple DES with SHA-1, MAC with SHA-1: weak, for readers that know nothing newer",
    certificate_encryption=_TRIPLE_DES,
    key_encryption=_TRIPLE_DES,
    encryption_iterations=2_048,
    encryption_salt_length=8,
    mac_digest="SHA-1",
    mac_iterations=2_048,
    mac_salt_length=8,
)
"""For readers that open nothing newer, such as Windows Server 2016 and older Android; cheap to guess passwords of."""

LEGACY_RC2: Final = replace(
    LEGACY_3DES,
    name="legacy-rc2",
    summary="certificates under RC2 with 40 bits, the key under 3-key triple DES, MAC with SHA-1: for Windows XP",
    certificate_encryption=Scheme(algorithm="pbeWithSHAAnd40BitRC2-CBC"),
)
"""What OpenSSL 1 and Java 8 write; the certificates are as good as in the clear. OpenSSL 3 opens it with -legacy."""

UNENCRYPTED_CERTIFICATES_2023: Final = replace(
    MODERN_2023,
    name="unencrypted-certificates-2023",
    summary="certificates in the clear, the key under AES-256 with PBKDF2-HMAC-SHA256, MAC with SHA-256",
    certificate_encryption=None,
)
"""Certificates are public; who may see them without the password sees what is in the file before asking for it."""

NO_PASSWORD: Final = Profile(
    name="no-password",
    date=date(2026, 11, 22),
    summary="nothing encrypted, no MAC: whoever reads the file has the key",
    certificate_encryption=None,
    key_encryption=None,
    encryption_iterations=0,
    encryption_salt_length=0,
    mac_algorithm=None,
    mac_digest=None,
    mac_iterations=0,
    mac_salt_length=0,
)
"""For certificates alone (Java's own cacerts is one), or where the file never leaves an encrypted place."""

MODERN: Final = MODERN_2023
"""The default. May move to a newer profile."""

LEGACY: Final = LEGACY_3DES
"""What the oldest readers in use open. May move to another profile."""

PROFILES: Final = (FIPS_2026, MODERN_2023, LEGACY_3DES, LEGACY_RC2, UNENCRYPTED_CERTIFICATES_2023, NO_PASSWORD)
"""Every dated profile; those that protect everything first, the strongest of them first."""

ALIASES: Final = {"modern": MODERN, "legacy": LEGACY}
"""Names that may move."""


def names() -> tuple[str, ...]:
    """List the names that :func:`by_name` knows: those that may move, then the dated ones."""
    return (*ALIASES, *(profile.name for profile in PROFILES))


def by_name(name: str) -> Profile:
    """Find a profile by its name (``modern``, ``legacy-3des``, ...). Raises :class:`KeyError` with the names."""
    for profile in PROFILES:
        if profile.name == name:
            return profile
    if name in ALIASES:
        return ALIASES[name]
    raise KeyError(f"no profile {name!r}; there are {', '.join(names())}")


def for_readers(*readers: str) -> Profile:
    """Choose the strongest profile that every one of these readers is known to open.

    Iteration counts are capped at the lowest limit among them. ``readers`` are names of
    :data:`~pkcs12kit.pkcs12.readers.READERS`. Only profiles that encrypt everything are chosen from.

    Raises :class:`~pkcs12kit.errors.InputError` where there is none, with what each reader opens;
    :class:`KeyError` for a name that is no reader's, with those that are; :class:`TypeError` for no name at all.
    """
    from pkcs12kit.pkcs12.readers import choose

    return choose(readers, tuple(profile for profile in PROFILES if profile.certificate_encryption is not None))
