"""The MAC over the contents of a PFX, under a key from the password (RFC 7292 section 4, appendix A; RFC 9879)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import ArgumentError, MalformedPfxError, UnsupportedPfxError
from pkcs12kit.pkcs12 import pkcs12_kdf
from pkcs12kit.pkcs12.derivation import KeyDerivation, hmac_digest, pbkdf2_identifier, positive, read_kdf
from pkcs12kit.pkcs12.digests import DIGEST_NAMES, DIGESTS, digest_size
from pkcs12kit.pkcs12.object_identifiers import named
from pkcs12kit.pkcs12.protection import HMAC, PBKDF2, PBMAC1, PKCS12KDF

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.pkcs12.asn1 import Asn1Value
    from pkcs12kit.pkcs12.budget import WorkBudget
    from pkcs12kit.pkcs12.passwords import Password
    from pkcs12kit.pkcs12.pending_keys import PendingKey

# RFC 9879 section 4: PBMAC1 does not use macSalt and iterations; its examples have these values.
_UNUSED_SALT: Final = b"NOT USED"
_UNUSED_ITERATIONS: Final = 1
# RFC 9879 tells readers to refuse less: with a key of one byte, one forged file in 256 verifies with any password.
_SHORTEST_PBMAC1_KEY: Final = 20
# RFC 9879 section 7: no digest that is shorter than SHA-1 in PBMAC1.
_TOO_SHORT: Final = "MD5"
_HMAC_MD5: Final = "1.2.840.113549.2.6"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mac:
    """The MacData of a PFX: an HMAC whose key comes from the password.

    ``algorithm`` is ``HMAC`` (with PKCS12KDF) or ``PBMAC1`` (RFC 9879; ``derivation`` is PBKDF2 or scrypt). One that is
    not supported is an object identifier, with its name before it if that is known; ``digest`` and ``derivation`` are
    then None. ``digest`` is that of HMAC; one that is not supported is written in the same way.
    """

    algorithm: str
    digest: str | None = None
    derivation: KeyDerivation | None = None
    value: bytes = field(default=b"", repr=False)

    @property
    def iterations(self) -> int | None:
        """The iterations of the key derivation."""
        return None if self.derivation is None else self.derivation.iterations

    @property
    def salt(self) -> bytes | None:
        """The salt of the key derivation."""
        return None if self.derivation is None else self.derivation.salt

    def to_json(self) -> dict[str, object]:
        """Return the MAC for ``inspect --json``; the salt length is in bytes. ``prf`` is the digest of PBKDF2."""
        return {
            "algorithm": self.algorithm,
            "digest": self.digest,
            "kdf": None if self.derivation is None else self.derivation.algorithm,
            "prf": None if self.derivation is None else self.derivation.digest,
            "iterations": self.iterations,
            "salt_length": None if self.salt is None else len(self.salt),
        }


def read_mac(mac_data: Asn1Value) -> Mac:
    """Parse asn1crypto's MacData. Raises as asn1crypto does; the caller translates its errors."""
    from pkcs12kit.pkcs12 import asn1_types

    identifier = mac_data["mac"]["digest_algorithm"]
    algorithm = identifier["algorithm"]
    value = mac_data["mac"]["digest"].native
    if algorithm.dotted == asn1_types.PBMAC1:
        return _read_pbmac1(identifier["parameters"].parse(asn1_types.Pbmac1Params), value)
    digest = DIGEST_NAMES.get(algorithm.native)
    if digest is None:
        return Mac(algorithm=named(algorithm.dotted), value=value)
    return Mac(
        algorithm=HMAC,
        digest=digest,
        derivation=KeyDerivation(
            algorithm=PKCS12KDF,
            digest=digest,
            iterations=positive(mac_data["iterations"]),
            salt=mac_data["mac_salt"].native or b"",
        ),
        value=value,
    )


def _read_pbmac1(parameters: Asn1Value, value: bytes) -> Mac:
    scheme = parameters["message_auth_scheme"]["algorithm"]
    kdf = read_kdf(parameters["key_derivation_func"])
    digest = hmac_digest(scheme)
    if kdf.digest == _TOO_SHORT:
        kdf = replace(kdf, digest=named(_HMAC_MD5))
    if kdf.salt is not None and kdf.key_length is None:
        # RFC 9879 section 5: keyLength is not optional here
        raise MalformedPfxError("the PBMAC1 of the PKCS#12 file states no key length")
    if kdf.key_length is not None and kdf.key_length < _SHORTEST_PBMAC1_KEY:
        raise MalformedPfxError(
            f"the PBMAC1 of the PKCS#12 file states a key of {kdf.key_length} bytes. With fewer than"
            f" {_SHORTEST_PBMAC1_KEY} bytes a MAC can be forged without the password (RFC 9879)"
        )
    return Mac(
        algorithm=PBMAC1,
        digest=named(scheme.dotted) if digest == _TOO_SHORT else digest,
        derivation=kdf,
        value=value,
    )


def new_mac(
    algorithm: str,
    *,
    digest: str,
    prf: str | None = None,
    iterations: int,
    salt_length: int,
    random_bytes: Callable[[int], bytes],
) -> Mac:
    """Return a MAC by ``HMAC`` or ``PBMAC1`` with a new salt and no value yet.

    ``prf`` is the digest of PBKDF2, by default ``digest``; ``salt_length`` is in bytes. Raises
    :class:`~pkcs12kit.ArgumentError` for another algorithm.
    """
    if algorithm not in {HMAC, PBMAC1}:
        raise ArgumentError(f"unknown MAC algorithm {algorithm!r}: expected {HMAC} or {PBMAC1}")
    pbkdf2 = algorithm == PBMAC1
    kdf = KeyDerivation(
        algorithm=PBKDF2 if pbkdf2 else PKCS12KDF,
        digest=prf or digest if pbkdf2 else digest,
        iterations=iterations,
        salt=random_bytes(salt_length),
        key_length=digest_size(digest) if pbkdf2 else None,  # RFC 9879 section 5: the digest's own length
    )
    return Mac(algorithm=algorithm, digest=digest, derivation=kdf)


def prepare_key(mac: Mac, password: Password, budget: WorkBudget) -> PendingKey:
    """Check and count the derivation of the key of a MAC, and return it without doing it.

    Raises :class:`~pkcs12kit.errors.UnsupportedPfxError` and :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    if mac.digest not in DIGESTS or mac.derivation is None:
        detail = f" with {mac.digest}" if mac.digest else ""
        raise UnsupportedPfxError(f"the MAC algorithm {mac.algorithm}{detail} of the PKCS#12 file is not supported")
    length = mac.derivation.key_length or digest_size(mac.digest)
    return mac.derivation.prepare(password, length, budget, purpose=pkcs12_kdf.MAC)


def make_mac(mac: Mac, content: bytes, key: PendingKey) -> Mac:
    """Return a MAC from :func:`new_mac` with its value over ``content``; ``key`` is from :func:`prepare_key`."""
    return replace(mac, value=_value(mac, content, key))


def mac_data(mac: Mac) -> Asn1Value:
    """Return a :class:`Mac` from :func:`make_mac` as asn1crypto's MacData."""
    from asn1crypto import algos
    from asn1crypto import pkcs12 as asn1_pkcs12

    from pkcs12kit.pkcs12 import asn1_types

    if mac.algorithm != PBMAC1 or mac.derivation is None:
        # asn1crypto writes the parameters as NULL, which readers expect of a digest
        identifier = algos.DigestAlgorithm({"algorithm": DIGESTS[str(mac.digest)]})
        salt, iterations = mac.salt, mac.iterations
    else:
        parameters = asn1_types.Pbmac1Params(
            {
                "key_derivation_func": pbkdf2_identifier(mac.derivation, with_key_length=True),
                "message_auth_scheme": {"algorithm": DIGESTS[str(mac.digest)]},
            }
        )
        identifier = algos.DigestAlgorithm({"algorithm": asn1_types.PBMAC1, "parameters": parameters})
        salt, iterations = _UNUSED_SALT, _UNUSED_ITERATIONS
    digest_info = {"digest_algorithm": identifier, "digest": mac.value}
    return asn1_pkcs12.MacData({"mac": digest_info, "mac_salt": salt, "iterations": iterations})


def verify(mac: Mac, content: bytes, password: Password, budget: WorkBudget) -> bool:
    """Return True if the MAC over ``content`` verifies with ``password``; it is compared in constant time.

    Raises as :func:`prepare_key` does.
    """
    return hmac.compare_digest(_value(mac, content, prepare_key(mac, password, budget)), mac.value)


def _value(mac: Mac, content: bytes, key: PendingKey) -> bytes:
    return hmac.digest(key.octets, content, DIGESTS[str(mac.digest)])
