"""Reading a PFX with its password (RFC 7292)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_private_key

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.identity import Identity
from pkcs12kit.certificates.pool import Reject
from pkcs12kit.errors import (
    InputError,
    MalformedCertificateError,
    MalformedPfxError,
    PfxPasswordError,
    UnsupportedPfxError,
)
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import mac
from pkcs12kit.pkcs12.budget import Budget
from pkcs12kit.pkcs12.ciphers import DecryptionError
from pkcs12kit.pkcs12.encryption import decrypt
from pkcs12kit.pkcs12.passwords import Password, candidates
from pkcs12kit.pkcs12.structure import read_bags, read_pfx

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes

    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.structure import Bag, Pfx, Safe


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPfx:
    """What a PFX holds, in file order. Nothing in it is trusted, and no certificate is checked against another.

    ``private_keys`` has every private key; ``certificates`` every X.509 certificate, ``friendly_names`` the friendly
    name of each of them or None. ``certificate`` is the one that matches the only key, None where there is none, and
    ``friendly_name`` the name of that key, or of that certificate. ``rejects`` are the certificates that no reader
    makes sense of.
    """

    private_keys: tuple[PrivateKeyTypes, ...] = field(repr=False)
    certificate: Certificate | None
    certificates: tuple[Certificate, ...]
    friendly_name: str | None
    friendly_names: tuple[str | None, ...]
    rejects: tuple[Reject, ...] = ()

    @property
    def private_key(self) -> PrivateKeyTypes | None:
        """The only private key, None where there is none.

        Raises :class:`~pkcs12kit.errors.UnsupportedPfxError` where there are several: none is chosen for the caller.
        """
        if len(self.private_keys) > 1:
            raise UnsupportedPfxError(f"the PKCS#12 file holds {len(self.private_keys)} private keys; one is expected")
        return self.private_keys[0] if self.private_keys else None

    @property
    def identity(self) -> Identity:
        """The only private key with its certificate. Raises :class:`~pkcs12kit.errors.InputError` for want of one."""
        key = self.private_key
        if key is None:
            raise InputError("the PKCS#12 file holds no private key")
        if self.certificate is None:
            raise InputError("the PKCS#12 file holds no certificate for its private key")
        # A certificate that matches the key is for a key that can be in certificates.
        return Identity(private_key=_certifiable(key), certificate=self.certificate)


def decode_pfx(data: bytes, *, password: str | None, limits: Limits = DEFAULT_LIMITS) -> DecodedPfx:
    """Read a PFX in DER or BER. The MAC, where there is one, is verified before anything is decrypted.

    ``password`` None and the empty one both stand for files without password, in either encoding of that.
    Read are PBES2 with AES-CBC or triple DES under PBKDF2, the six schemes of RFC 7292 appendix C, and MACs by HMAC
    with MD5 to SHA-512 under PKCS12KDF; CRLs and secrets are passed over.

    Raises :class:`~pkcs12kit.errors.PfxPasswordError` where the password does not open the file (a MAC that was
    damaged looks the same), :class:`~pkcs12kit.errors.MalformedPfxError` where it is damaged,
    :class:`~pkcs12kit.errors.UnsupportedPfxError` where it uses something else, and
    :class:`~pkcs12kit.errors.LimitExceededError` before any work beyond ``limits`` (``pfx_...``).
    """
    if not isinstance(data, bytes):
        raise TypeError(f"decode_pfx() takes the bytes of a file, not {type(data).__name__}")
    budget = Budget(limits)
    pfx = read_pfx(data, budget)
    encodings = authenticate(pfx, password, budget)
    for position, encoding in enumerate(encodings, start=1):
        try:
            return _collect(_open_safes(pfx, encoding, budget), encoding, budget, authenticated=pfx.mac is not None)
        except PfxPasswordError:
            if position == len(encodings):
                raise
    raise AssertionError("authenticate() returns at least one encoding")


def authenticate(pfx: Pfx, password: str | None, budget: Budget) -> tuple[Password, ...]:
    """Verify the MAC, and return the encodings of the password that may open the contents, likeliest first.

    Without a MAC every encoding may. Raises :class:`~pkcs12kit.errors.PfxPasswordError` where the MAC verifies with
    none of them.
    """
    encodings = candidates(password)
    if pfx.mac is None:
        return encodings
    for encoding in encodings:
        if mac.verify(pfx.mac, pfx.content, encoding, budget):
            return (encoding,)
    if password is None:
        raise PfxPasswordError("the PKCS#12 file is protected by a password, and none was given")
    raise PfxPasswordError(
        "the MAC of the PKCS#12 file does not verify with this password: the password is wrong or the file is damaged"
    )


def open_safe(safe: Safe, password: Password, budget: Budget, *, authenticated: bool) -> tuple[Bag, ...]:
    """Decrypt one safe, if it is encrypted, and read its bags.

    ``authenticated`` says that a MAC verified: then what does not decrypt is damaged, else the password may be wrong.
    """
    if safe.encryption is None:
        return read_bags(safe.content, budget)
    try:
        content = decrypt(safe.encryption, safe.content, password, budget)
    except DecryptionError:
        raise _does_not_decrypt("contents", authenticated=authenticated) from None
    try:
        return read_bags(content, budget)
    except MalformedPfxError:
        # A wrong key leaves sound padding behind once in 256 times.
        raise _does_not_decrypt("contents", authenticated=authenticated) from None


def open_key(bag: Bag, password: Password, budget: Budget, *, authenticated: bool) -> PrivateKeyTypes:
    """Load the private key of a keyBag or pkcs8ShroudedKeyBag; ``authenticated`` as in :func:`open_safe`."""
    content = bag.content or b""
    try:
        if bag.encryption is not None:
            content = decrypt(bag.encryption, content, password, budget)
        return load_der_private_key(content, None)
    except UnsupportedAlgorithm:
        raise UnsupportedPfxError("the PKCS#12 file holds a private key of an algorithm that is not known") from None
    except (DecryptionError, ValueError, TypeError, InternalError):
        if bag.encryption is None:
            raise MalformedPfxError("the PKCS#12 file holds a private key that cannot be read") from None
        raise _does_not_decrypt("private key", authenticated=authenticated) from None


def is_key(bag: Bag) -> bool:
    """Whether a bag holds a private key."""
    return bag.type in {"keyBag", "pkcs8ShroudedKeyBag"}


def _open_safes(pfx: Pfx, password: Password, budget: Budget) -> tuple[Bag, ...]:
    return tuple(
        bag for safe in pfx.safes for bag in open_safe(safe, password, budget, authenticated=pfx.mac is not None)
    )


def _collect(bags: tuple[Bag, ...], password: Password, budget: Budget, *, authenticated: bool) -> DecodedPfx:
    keys = [(open_key(bag, password, budget, authenticated=authenticated), bag) for bag in bags if is_key(bag)]
    certificates: list[tuple[Certificate, str | None]] = []
    rejects: list[Reject] = []
    for position, bag in enumerate((bag for bag in bags if bag.type == "certBag" and bag.content), start=1):
        try:
            certificates.append((Certificate.from_der(bag.content or b""), bag.friendly_name))
        except MalformedCertificateError as error:
            rejects.append(Reject(source="PKCS#12", position=position, reason=str(error)))
    own, friendly_name = None, None
    if len(keys) == 1:
        key, key_bag = keys[0]
        own, friendly_name = next((found for found in certificates if matches(key, found[0])), (None, None))
        friendly_name = key_bag.friendly_name or friendly_name
    return DecodedPfx(
        private_keys=tuple(key for key, _ in keys),
        certificate=own,
        certificates=tuple(certificate for certificate, _ in certificates),
        friendly_name=friendly_name,
        friendly_names=tuple(name for _, name in certificates),
        rejects=tuple(rejects),
    )


def matches(key: PrivateKeyTypes, certificate: Certificate) -> bool:
    """Whether a certificate is for this private key; False where its key cannot be read."""
    try:
        return key.public_key() == certificate.public_key
    except MalformedCertificateError:
        return False


def _certifiable(key: PrivateKeyTypes) -> CertificateIssuerPrivateKeyTypes:
    return key  # type: ignore[return-value]  # the types' union is wider by key agreement keys only


def _does_not_decrypt(what: str, *, authenticated: bool) -> MalformedPfxError | PfxPasswordError:
    if authenticated:
        return MalformedPfxError(
            f"the MAC of the PKCS#12 file verifies, but its {what} cannot be decrypted with the same password"
        )
    return PfxPasswordError(f"the {what} of the PKCS#12 file cannot be decrypted: wrong password or damaged file")
