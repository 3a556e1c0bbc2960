"""The MAC over a PFX's contents, keyed by the password (RFC 7292 section 4, appendix A)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import MalformedPfxError, UnsupportedPfxError
from pkcs12kit.pkcs12 import derivation

if TYPE_CHECKING:
    from pkcs12kit.pkcs12.asn1 import Asn1Value
    from pkcs12kit.pkcs12.budget import Budget

PBMAC1: Final = "1.2.840.113549.1.5.14"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mac:
    """The MacData of a PFX: an HMAC whose key comes from PKCS12KDF.

    ``algorithm`` is ``HMAC``; what is not read has its own name (``PBMAC1``, RFC 9879) or is a dotted object
    identifier, and then ``digest``, ``iterations`` and ``salt`` are None.
    """

    algorithm: str
    digest: str | None = None
    iterations: int | None = None
    salt: bytes | None = field(default=None, repr=False)
    value: bytes = field(repr=False)

    def to_json(self) -> dict[str, str | int | None]:
        """Describe it for ``inspect --json``; the salt's length is in bytes."""
        return {
            "algorithm": self.algorithm,
            "digest": self.digest,
            "iterations": self.iterations,
            "salt_length": None if self.salt is None else len(self.salt),
        }


def read_mac(mac_data: Asn1Value) -> Mac:
    """Read asn1crypto's MacData. What asn1crypto raises for damage is the caller's to translate."""
    algorithm = mac_data["mac"]["digest_algorithm"]["algorithm"]
    value = mac_data["mac"]["digest"].native
    digest = derivation.DIGEST_NAMES.get(algorithm.native)
    if digest is None:
        return Mac(algorithm="PBMAC1" if algorithm.dotted == PBMAC1 else algorithm.dotted, value=value)
    iterations = mac_data["iterations"].native
    if iterations < 1:
        raise MalformedPfxError(f"the MAC of the PKCS#12 file states {iterations} iterations")
    return Mac(algorithm="HMAC", digest=digest, iterations=iterations, salt=mac_data["mac_salt"].native, value=value)


def verify(mac: Mac, content: bytes, password: derivation.Password, budget: Budget) -> bool:
    """Whether the MAC over ``content`` verifies with ``password``; compared in constant time.

    Raises :class:`~pkcs12kit.errors.UnsupportedPfxError` and :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    if mac.digest is None or mac.iterations is None or mac.salt is None:
        raise UnsupportedPfxError(f"the MAC algorithm {mac.algorithm} of the PKCS#12 file is not supported")
    computed = compute(content, password, digest=mac.digest, salt=mac.salt, iterations=mac.iterations, budget=budget)
    return hmac.compare_digest(computed, mac.value)


def compute(
    content: bytes, password: derivation.Password, *, digest: str, salt: bytes, iterations: int, budget: Budget
) -> bytes:
    """Compute the HMAC over ``content`` under a key from PKCS12KDF (RFC 7292 appendix B.4)."""
    key = derivation.pkcs12_kdf(
        password,
        digest=digest,
        salt=salt,
        iterations=iterations,
        purpose=derivation.MAC,
        length=derivation.digest_size(digest),
        budget=budget,
    )
    return hmac.digest(key, content, derivation.DIGESTS[digest])
