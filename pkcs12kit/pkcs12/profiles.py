"""Named, dated ways to protect a PFX.

:data:`MODERN` takes the iteration count :data:`MODERN_ITERATIONS`, 100,000 for encryption and MAC alike. It is the
largest round figure that is below every default limit found among readers:

- .NET 9's ``X509CertificateLoader`` refuses more than 300,000 for the MAC, 300,000 for one encryption and 1,000,000 in
  all encryptions (dotnet/runtime, ``Pkcs12LoaderLimits.cs``). .NET 6 to 8 and .NET Framework, when no password is
  given, refuse more than 600,000 in all (Microsoft KB5025823), and more than 300,000 for one encryption
  (dotnet/runtime, ``PfxAsn.manual.cs``). A file of MODERN has 300,000 in all: MAC, certificates, key.
- OpenJDK refuses more than 5,000,000 (``PKCS12KeyStore.MAX_ITERATION_COUNT``).
- Others write as much themselves: keytool of OpenJDK up to 15 wrote 100,000 for the MAC and 50,000 for encryption
  (OpenJDK's change 8153005 lowered both to 10,000), Bouncy Castle's PKCS12 key store starts at 102,400.

OWASP's 600,000 for PBKDF2-HMAC-SHA256 (Password Storage Cheat Sheet), which pk12util and certtool of Debian 12 write,
is above those limits of .NET's. No count makes up for a
password that can be guessed: choose a long random one. What OpenSSL, keytool, pk12util and certtool do with it the
tests show; of readers that are not named here nothing is claimed.

Salts are 16 bytes for encryption (NIST SP 800-132 section 5.1 wants 128 bits) and 8 for the MAC: RFC 7292 asks for no
more, OpenSSL writes 8, and https://ca.stable.confirm.ch/pkcs12.html reports that macOS's keychain refused a file whose
only difference was a MAC salt of 16.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from pkcs12kit.pkcs12.encryption import Scheme

MODERN_ITERATIONS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a PFX is protected: algorithms, iteration counts, salt lengths in bytes.

    The MAC is HMAC with ``mac_digest`` under PKCS12KDF. Raises :class:`ValueError` for counts and lengths below 1.
    ``dataclasses.replace(profile, encryption_iterations=..., mac_iterations=...)`` makes a variant.
    """

    name: str
    date: date
    """When the choice was made; a dated profile never changes."""
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
