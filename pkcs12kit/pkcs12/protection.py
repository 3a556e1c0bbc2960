"""The protection of a PFX: names of its algorithms, and a profile, which chooses among them.

The names are those of the RFCs. They are here, without any cryptography, because commands list profiles and readers
without it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from pkcs12kit.arguments import require_kind, require_texts
from pkcs12kit.errors import ArgumentError

PBES2: Final = "PBES2"
"""The encryption of RFC 8018 section 6.2: a cipher under a key from PBKDF2 or scrypt."""

PKCS12KDF: Final = "PKCS12KDF"
"""The key derivation of RFC 7292 appendix B."""
PBKDF1: Final = "PBKDF1"
PBKDF2: Final = "PBKDF2"
SCRYPT: Final = "scrypt"

HMAC: Final = "HMAC"
"""The MAC of RFC 7292: HMAC under a key from PKCS12KDF."""
PBMAC1: Final = "PBMAC1"
"""The MAC of RFC 9879: HMAC under a key from PBKDF2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """An encryption algorithm with its choices, before salt and iterations.

    ``algorithm`` is ``PBES2`` (with PBKDF2) or a name of RFC 7292 appendix C. ``cipher`` and ``digest`` (of PBKDF2's
    HMAC) are the choices within PBES2, and None otherwise. Raises :class:`~pkcs12kit.ArgumentError` for other kinds.
    """

    algorithm: str
    cipher: str | None = None
    digest: str | None = None

    def __post_init__(self) -> None:
        require_kind("algorithm", self.algorithm, str)
        require_texts(cipher=self.cipher, digest=self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A way to protect a PFX: algorithms, iteration counts and salt lengths.

    Raises :class:`~pkcs12kit.ArgumentError` for counts below ``minimum_iterations``, for lengths below 1, and for
    values of other kinds. That the names of algorithms are known is checked only when a file is written.
    """

    name: str
    """The name, for ``--profile``."""
    date: date
    """The day on which the algorithms and figures were chosen."""
    summary: str
    """The algorithms, in a few words."""
    certificate_encryption: Scheme | None
    """The encryption of certificates; None if they are not encrypted."""
    key_encryption: Scheme | None
    """The encryption of private keys; None if they are not encrypted."""
    encryption_iterations: int
    """The iterations of each encryption; 0 without encryption."""
    encryption_salt_length: int
    """The salt of each encryption in bytes; 0 without encryption."""
    mac_algorithm: str | None = HMAC
    """``HMAC``, ``PBMAC1``, or None for no MAC."""
    mac_digest: str | None
    """The digest of the MAC, for PBMAC1 also that of PBKDF2; None for no MAC."""
    mac_iterations: int
    """The iterations of the MAC; 0 for no MAC."""
    mac_salt_length: int
    """The salt of the MAC in bytes; 0 for no MAC."""
    minimum_iterations: int = 1
    """The smallest number of iterations that the profile accepts."""

    def __post_init__(self) -> None:
        self._check_kinds()
        encrypts = self.certificate_encryption is not None or self.key_encryption is not None
        _require_figures(self, "encryption", self.encryption_iterations, self.encryption_salt_length, used=encrypts)
        authenticates = self.mac_algorithm is not None
        _require_figures(self, "MAC", self.mac_iterations, self.mac_salt_length, used=authenticates)
        if authenticates != (self.mac_digest is not None):
            raise ArgumentError(f"the profile {self.name} needs both mac_algorithm and mac_digest, or neither")

    def _check_kinds(self) -> None:
        require_kind("name", self.name, str)
        require_kind("date", self.date, date)
        require_kind("summary", self.summary, str)
        for name in ("certificate_encryption", "key_encryption"):
            require_kind(name, getattr(self, name), Scheme, optional=True)
        require_texts(mac_algorithm=self.mac_algorithm, mac_digest=self.mac_digest)
        for name in ("encryption_iterations", "encryption_salt_length", "mac_iterations", "mac_salt_length"):
            require_kind(name, getattr(self, name), int)
        require_kind("minimum_iterations", self.minimum_iterations, int)

    @property
    def takes_password(self) -> bool:
        """True if anything in the file depends on a password."""
        return bool(self.encryption_iterations or self.mac_iterations)

    def with_iterations(self, *, encryption: int | None = None, mac: int | None = None) -> Profile:
        """Return the profile with other iteration counts; None keeps a count.

        Raises :class:`~pkcs12kit.ArgumentError` for a count below ``minimum_iterations``, or for a protection that the
        profile does not have. Which readers open the new profile is not checked; see
        :func:`~pkcs12kit.pkcs12.profiles.readers_of`.
        """
        return replace(
            self,
            encryption_iterations=self.encryption_iterations if encryption is None else encryption,
            mac_iterations=self.mac_iterations if mac is None else mac,
        )


def _require_figures(profile: Profile, protection: str, iterations: int, salt_length: int, *, used: bool) -> None:
    if not used and (iterations or salt_length):
        raise ArgumentError(
            f"the profile {profile.name} has no {protection}: its iterations and salt length have to be 0"
        )
    if used and iterations < profile.minimum_iterations:
        raise ArgumentError(
            f"{protection} of the profile {profile.name}: at least {profile.minimum_iterations:,} iterations are"
            f" needed, not {iterations:,}"
        )
    if used and salt_length < 1:
        raise ArgumentError(f"{protection} of the profile {profile.name}: the salt needs at least 1 byte")
