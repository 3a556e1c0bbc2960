"""Named, dated ways to protect a PFX.

:data:`MODERN` takes the iteration count :data:`MODERN_ITERATIONS`, 100,000 for encryption and MAC alike: 300,000 in a
file, for MAC, certificates and key. That is within every default limit that was found among readers:

- .NET 9's ``X509CertificateLoader`` refuses more than 300,000 for the MAC, 300,000 for one encryption and 1,000,000 in
  all (dotnet/runtime, ``Pkcs12LoaderLimits.cs``). .NET Framework, .NET 6 and 7 since June 2023 refuse more than 600,000
  in all where no password is given (Microsoft KB5025823), some versions more than 300,000 for the certificates
  (dotnet/runtime, ``PfxAsn.manual.cs``).
- OpenJDK refuses more than 5,000,000 (``PKCS12KeyStore.MAX_ITERATION_COUNT``).
- Others have written as much themselves for years: OpenJDK 100,000 for the MAC and 50,000 for encryption before it
  went over to AES (openjdk/jdk, pull request 473), Bouncy Castle's PKCS12 key store 102,400.

OWASP's 600,000 for PBKDF2-HMAC-SHA256 (Password Storage Cheat Sheet), which pk12util and certtool of Debian 12 write,
is above .NET 9's limits. No count makes up for a password that can be guessed: choose a long random one. The tests open
what is written with OpenSSL, keytool, pk12util and certtool; of other readers nothing more than the above is claimed.

Salts are 16 bytes for encryption (NIST SP 800-132 section 5.1 wants 128 bits) and 8 for the MAC, as OpenSSL writes:
https://ca.stable.confirm.ch/pkcs12.html reports that macOS's keychain refused a file that differed from one it took in
nothing but a MAC salt of 16 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

MODERN_ITERATIONS: Final = 100_000


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

    The MAC is HMAC with ``mac_digest`` under PKCS12KDF. Raises :class:`ValueError` for counts and lengths below 1.
    ``dataclasses.replace(profile, encryption_iterations=..., mac_iterations=...)`` makes a variant.
    """

    name: str
    date: date
    """When the choice was made. What a name without a date stands for may move on; the date then does too."""
    summary: str
    certificate_encryption: Scheme
    key_encryption: Scheme
    encryption_iterations: int
    encryption_salt_length: int
    mac_digest: str
    mac_iterations: int
    mac_salt_length: int

    def __post_init__(self) -> None:
        figures = (self.encryption_iterations, self.encryption_salt_length, self.mac_iterations, self.mac_salt_length)
        if min(figures) < 1:
            raise ValueError("iteration counts and salt lengths are at least 1")


_AES_256: Final = Scheme(algorithm="PBES2", cipher="AES-256-CBC", digest="SHA-256")
_TRIPLE_DES: Final = Scheme(algorithm="pbeWithSHAAnd3-KeyTripleDES-CBC")

MODERN: Final = Profile(
    name="modern",
    date=date(2026, 11, 22),
    summary="AES-256 with PBKDF2-HMAC-SHA256, MAC with SHA-256",
    certificate_encryption=_AES_256,
    key_encryption=_AES_256,
    encryption_iterations=MODERN_ITERATIONS,
    encryption_salt_length=16,
    mac_digest="SHA-256",
    mac_iterations=MODERN_ITERATIONS,
    mac_salt_length=8,
)
"""For the readers of today; the tests open it with OpenSSL 3, keytool 17, pk12util and certtool."""

LEGACY: Final = Profile(
    name="legacy",
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

PROFILES: Final = (MODERN, LEGACY)


def by_name(name: str) -> Profile:
    """Find a profile by its name (``modern``, ``legacy``). Raises :class:`KeyError` with the names there are."""
    for profile in PROFILES:
        if profile.name == name:
            return profile
    raise KeyError(f"no profile {name!r}; there are {', '.join(profile.name for profile in PROFILES)}")
