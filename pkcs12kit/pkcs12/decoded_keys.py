"""The private keys of a PFX with their certificates, and the choice of one key and of one certificate."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkcs12kit.certificates.choice import by_preference, name_others
from pkcs12kit.certificates.identity import Identity
from pkcs12kit.errors import InputError, KeyChoiceError, MalformedCertificateError
from pkcs12kit.text import quoted_name
from pkcs12kit.times import time_or_now

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        PrivateKeyTypes,
        PublicKeyTypes,
    )

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.pkcs12.entries import UnreadKey

_LISTED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedKey:
    """A private key of a PFX, with its certificates.

    ``certificates`` are all that belong to the key, those with the same localKeyID first; empty if the file has none.
    Which of them is used depends on the time: :meth:`certificate_at` returns it.
    ``attributes`` are the attributes of the bag other than friendlyName and localKeyID, each the DER of one Attribute.
    ``private_key_info`` is the PrivateKeyInfo (RFC 5958) of the file. It may hold more than ``private_key``: for
    example, that an RSA key is only for RSASSA-PSS (RFC 4055 section 1.2).
    """

    private_key: PrivateKeyTypes = field(repr=False)
    private_key_info: bytes = field(repr=False)
    friendly_name: str | None
    local_key_id: bytes | None
    attributes: tuple[bytes, ...] = field(default=(), repr=False)
    certificates: tuple[Certificate, ...]

    @property
    def certificate(self) -> Certificate | None:
        """The certificate of the key that is used now; None if the file has none."""
        return self.certificate_at(None)

    @property
    def identity(self) -> Identity:
        """The key with :attr:`certificate`. Raises :class:`~pkcs12kit.errors.InputError` if it has none."""
        return self.identity_at(None)

    def certificate_at(self, time: datetime | None) -> Certificate | None:
        """Return the certificate of the key that is used at a time (None for now); None if the file has none.

        Of several certificates the newest that is valid at the time is used; if none is valid, the newest.
        """
        return next(iter(by_preference(self.certificates, time_or_now(time))), None)

    def identity_at(self, time: datetime | None) -> Identity:
        """Return the key with its certificate at a time (None for now).

        Raises :class:`~pkcs12kit.errors.InputError` if it has none.
        """
        certificate = self.certificate_at(time)
        if certificate is None:
            raise InputError("the PKCS#12 file holds no certificate for its private key")
        # A key that matches a certificate is of a type that certificates can hold.
        return Identity(private_key=_certifiable(self.private_key), certificate=certificate)

    def other_certificates_at(self, time: datetime | None) -> str | None:
        """Return a sentence that names the certificates of the key that are not used; None if there are none."""
        instant = time_or_now(time)
        return name_others(by_preference(self.certificates, instant), instant)


def encode_public_key(key: PublicKeyTypes) -> bytes:
    """Return the SubjectPublicKeyInfo of a key, DER: the same for every encoding of the private key."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def certificates_by_key(certificates: Iterable[Certificate]) -> dict[bytes, list[Certificate]]:
    """Return certificates by their public key, as :func:`encode_public_key` encodes it; without unreadable keys."""
    index: dict[bytes, list[Certificate]] = {}
    for certificate in certificates:
        try:
            index.setdefault(encode_public_key(certificate.public_key), []).append(certificate)
        except MalformedCertificateError:
            continue
    return index


def different_keys(keys: Iterable[DecodedKey]) -> tuple[DecodedKey, ...]:
    """Return the keys, each once: of several entries with the same key the first, whatever their encodings."""
    found: dict[bytes, DecodedKey] = {}
    for key in keys:
        found.setdefault(_public(key), key)
    return tuple(found.values())


def choose_key(
    keys: Sequence[DecodedKey],
    unread_keys: Sequence[UnreadKey],
    *,
    friendly_name: str | None,
    local_key_id: bytes | None,
) -> DecodedKey:
    """Return the one private key with this friendly name and ID; None accepts any.

    An ID is a localKeyID; where no key has it, the SHA-256 of a key's SubjectPublicKeyInfo. The same key in several
    entries is one key. Raises :class:`~pkcs12kit.errors.KeyChoiceError` where several keys fit, and
    :class:`~pkcs12kit.errors.InputError` where none does; the message lists the keys. A key that is not read counts;
    where it is the one, its own error is raised.
    """
    if not keys and not unread_keys:
        raise InputError("the PKCS#12 file holds no private key")
    found = [key for key in keys if friendly_name in {None, key.friendly_name}]
    unread = [key for key in unread_keys if friendly_name in {None, key.friendly_name}]
    if local_key_id is not None:
        unread = [key for key in unread if key.local_key_id == local_key_id]
        found = [key for key in found if key.local_key_id == local_key_id] or [
            key for key in found if not unread and _fingerprint(key) == local_key_id
        ]
    different = different_keys(found)
    number = len(different) + len(unread)
    if number == 0:
        raise InputError(
            f"the PKCS#12 file holds no private key with this name or ID; its keys are: {_listed(keys, unread_keys)}"
        )
    if number > 1:
        given = "" if friendly_name is None and local_key_id is None else " with this name or ID"
        raise KeyChoiceError(
            f"the PKCS#12 file holds {number} private keys{given}; choose one by its name or ID; its keys are:"
            f" {_listed(keys, unread_keys)}"
        )
    for key in unread:
        raise key.error(key.reason)
    return different[0]


def _listed(every: Sequence[DecodedKey], unread_keys: Sequence[UnreadKey]) -> str:
    keys = different_keys(every)
    listed = [_describe(key, keys) for key in keys[:_LISTED]]
    listed += [_describe_unread(key) for key in unread_keys[: _LISTED - len(listed)]]
    more = len(keys) + len(unread_keys) - len(listed)
    return "; ".join([*listed, *([f"and {more} more"] if more else [])])


def _describe_unread(key: UnreadKey) -> str:
    return f"{_name_and_id(key)}, not read: {key.algorithm or key.place}"


def _describe(key: DecodedKey, keys: Sequence[DecodedKey]) -> str:
    """Return name, ID and certificate of a key; its fingerprint where neither name nor localKeyID is its own."""
    words = [_name_and_id(key)]
    same_name = sum(one.friendly_name == key.friendly_name for one in keys)
    same_id = sum(one.local_key_id == key.local_key_id for one in keys)
    if (key.friendly_name is None or same_name > 1) and (not key.local_key_id or same_id > 1):
        words.append(f"ID {_fingerprint(key).hex()} (SHA-256 of the public key)")
    certificate = next(iter(key.certificates), None)
    words.append("no certificate" if certificate is None else f"certificate of {certificate.subject.label}")
    return ", ".join(words)


def _name_and_id(key: DecodedKey | UnreadKey) -> str:
    name = "no name" if key.friendly_name is None else quoted_name(key.friendly_name)
    return f"{name}, localKeyID {key.local_key_id.hex() if key.local_key_id else 'none'}"


def _public(key: DecodedKey) -> bytes:
    return encode_public_key(key.private_key.public_key())


def _fingerprint(key: DecodedKey) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _certifiable(key: PrivateKeyTypes) -> CertificateIssuerPrivateKeyTypes:
    return key  # type: ignore[return-value]  # the types' union is wider by key agreement keys only
