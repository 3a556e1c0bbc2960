"""The encoding of a PFX (RFC 7292): certificates in one SafeContents, keys in another, under a MAC."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_function, require_kind, require_texts
from pkcs12kit.errors import ArgumentError, PasswordError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.pkcs12 import mac, profiles
from pkcs12kit.pkcs12.bags import (
    certificate_bag,
    key_bag,
    other_bag,
    safe_contents,
    shrouded_key_bag,
    trusted_key_usage,
)
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.bundle import Bundle
from pkcs12kit.pkcs12.encryption import CipherKey, algorithm_identifier, new_encryption
from pkcs12kit.pkcs12.passwords import ABSENT, encode_password
from pkcs12kit.pkcs12.pending_keys import PendingKey, derive_side_by_side
from pkcs12kit.pkcs12.private_keys import encode_private_key
from pkcs12kit.pkcs12.sealed_secrets import secret_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pkcs12kit.pkcs12.asn1 import Asn1Value
    from pkcs12kit.pkcs12.mac import Mac
    from pkcs12kit.pkcs12.passwords import Password
    from pkcs12kit.pkcs12.protection import Profile, Scheme


def encode_pfx(
    bundle: Bundle,
    *,
    password: str | None,
    profile: str | Profile = profiles.MODERN,
    limits: Limits = DEFAULT_LIMITS,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Return a bundle encoded as a PFX, in DER.

    - ``bundle``: the key and certificates. Certificates are written in its order, the key after them.
    - ``password``: None only for a profile without a password. An empty password is possible, but protects nothing.
      Java does not open a file with a password that is not ASCII.
    - ``profile``: a profile or its name (``"modern"``).
    - ``random_bytes``: the source of salts and IVs, called with a number of bytes. The same bytes make the same file.

    localKeyID (the SHA-1 of the end-entity certificate, as in OpenSSL) is only on the key and its certificate. An RSA
    key is for RSASSA-PSS only (RFC 4055 section 1.2) if its certificate says so, with the same parameters.

    Raises :class:`~pkcs12kit.errors.PasswordError` for a password that is missing, cannot be encoded or would protect
    nothing; :class:`~pkcs12kit.UnknownNameError` for an unknown profile; and
    :class:`~pkcs12kit.errors.LimitExceededError` for more iterations than reading the file is allowed by ``limits`` or
    the default limits, whichever are higher, or for a longer salt than ``limits`` allow.
    """
    require_kind("bundle", bundle, Bundle)
    require_kind("limits", limits, Limits)
    require_texts(password=password)
    require_function("random_bytes", random_bytes)
    profile = profiles.find(profile)
    keys = []
    if bundle.private_key is not None:
        key = PlainKey(
            private_key_info=encode_private_key(bundle.private_key, bundle.certificates[0]),
            friendly_name=bundle.friendly_name,
            local_key_id=local_key_id(bundle),
            attributes=bundle.key_attributes,
        )
        keys.append(key)
    bags = list(_certificate_bags(bundle))
    return encode_contents(bags, keys, password=password, profile=profile, limits=limits, random_bytes=random_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainKey:
    """A private key before its encryption: an encoded PrivateKeyInfo (RFC 5958), and the attributes of its bag.

    ``attribute_field`` is the encoding of all attributes, where they are copied; it stands for the other three.
    """

    private_key_info: bytes = field(repr=False)
    friendly_name: str | None
    local_key_id: bytes | None
    attributes: tuple[bytes, ...] = field(default=(), repr=False)
    attribute_field: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainSecret:
    """A secret before its encryption by itself, as Java has it: its octets, its secretTypeId, and its attributes."""

    secret: bytes = field(repr=False)
    value_type: str
    in_octets: bool
    attribute_field: bytes | None = field(default=None, repr=False)


def encode_contents(
    bags: Sequence[Asn1Value | PlainSecret],
    keys: Sequence[Asn1Value | PlainKey],
    *,
    password: str | None,
    profile: Profile,
    limits: Limits = DEFAULT_LIMITS,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Return a PFX with these bags (mostly certificates) and private keys. Raises as :func:`encode_pfx` does.

    A key that is a bag already is written as it is.
    """
    return _Encoder(_encode_password(password, profile), profile, limits, random_bytes).encode(bags, keys)


def local_key_id(bundle: Bundle) -> bytes | None:
    """Return the localKeyID of key and certificate. It only is a name, so SHA-1 suffices (RFC 2985 section 5.5.2)."""
    if bundle.private_key is None:
        return None
    return hashlib.sha1(bundle.certificates[0].der, usedforsecurity=False).digest()


def attributes_of_certificates(bundle: Bundle) -> tuple[tuple[bytes, ...], ...]:
    """Return the attributes of each certificate's bag, without friendlyName and localKeyID; a trust mark is first."""
    mark = (trusted_key_usage(),) if bundle.truststore else ()
    others = bundle.certificate_attributes or ((),) * len(bundle.certificates)
    return tuple((*mark, *attributes) for attributes in others)


def _certificate_bags(bundle: Bundle) -> Iterator[Asn1Value]:
    own_id = local_key_id(bundle)
    of_each = zip(bundle.certificates, bundle.aliases, attributes_of_certificates(bundle), strict=True)
    for certificate, alias, attributes in of_each:
        yield certificate_bag(certificate.der, friendly_name=alias, local_key_id=own_id, attributes=attributes)
        own_id = None  # only the first is the end-entity's


def _encode_password(password: str | None, profile: Profile) -> Password:
    if profile.takes_password:
        if password is None:
            raise PasswordError(f"the profile {profile.name} needs a password, and none was given")
        return encode_password(password)
    if password:
        raise PasswordError(f"the profile {profile.name} protects nothing: give no password, or choose another profile")
    return ABSENT


def _at_least_the_default(limits: Limits) -> Limits:
    """Return limits of at least the defaults: lower ones are for reading, and here the counts are the caller's own."""
    return replace(
        limits,
        pfx_iterations=max(limits.pfx_iterations, DEFAULT_LIMITS.pfx_iterations),
        pfx_total_iterations=max(limits.pfx_total_iterations, DEFAULT_LIMITS.pfx_total_iterations),
    )


class _Encoder:
    """The encoding of one file."""

    def __init__(
        self, password: Password, profile: Profile, limits: Limits, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._password = password
        self._profile = profile
        self._random_bytes = random_bytes
        self._budget = WorkBudget(_at_least_the_default(limits))
        self._pending: list[PendingKey] = []
        for octets in (profile.encryption_salt_length, profile.mac_salt_length):
            self._budget.salt(octets)  # before so many are drawn

    def encode(self, bags: Sequence[Asn1Value | PlainSecret], keys: Sequence[Asn1Value | PlainKey]) -> bytes:
        """Return the file. Salts and IVs are drawn in the order of the entries, and all keys are counted, first."""
        from asn1crypto import pkcs12 as asn1_pkcs12

        of_bags = [self._new_key(self._profile.key_encryption, bag, PlainSecret) for bag in bags]
        of_keys = [self._new_key(self._profile.key_encryption, key, PlainKey) for key in keys]
        of_safe = self._new_key(self._profile.certificate_encryption) if bags else None
        mac_template, mac_key = self._new_mac()
        derive_side_by_side(self._pending)
        encoded_bags = [
            self._secret(bag, cipher_key) if isinstance(bag, PlainSecret) else bag
            for bag, cipher_key in zip(bags, of_bags, strict=True)
        ]
        encoded_keys = [
            _private_key(key, cipher_key) if isinstance(key, PlainKey) else key
            for key, cipher_key in zip(keys, of_keys, strict=True)
        ]
        safes = [_safe(safe_contents(encoded_bags), of_safe)] if bags else []
        if keys:
            safes.append(_data(safe_contents(encoded_keys)))
        content = asn1_pkcs12.AuthenticatedSafe(safes).dump()
        pfx = {"version": "v3", "auth_safe": _data(content)}
        if mac_template is not None and mac_key is not None:
            pfx["mac_data"] = mac.mac_data(mac.make_mac(mac_template, content, mac_key))
        encoded: bytes = asn1_pkcs12.Pfx(pfx).dump()
        return encoded

    def _new_key(self, scheme: Scheme | None, entry: object = None, kind: type | None = None) -> CipherKey | None:
        """Return a key for one encryption; None without a scheme, and for an entry that is not of this kind."""
        if scheme is None or (kind is not None and not isinstance(entry, kind)):
            return None
        encryption = new_encryption(
            scheme,
            iterations=self._profile.encryption_iterations,
            salt_length=self._profile.encryption_salt_length,
            random_bytes=self._random_bytes,
        )
        cipher_key = CipherKey(encryption, self._password, self._budget)
        self._pending.extend(cipher_key.pending)
        return cipher_key

    def _new_mac(self) -> tuple[Mac, PendingKey] | tuple[None, None]:
        if self._profile.mac_algorithm is None:
            return None, None
        template = mac.new_mac(
            self._profile.mac_algorithm,
            digest=str(self._profile.mac_digest),
            iterations=self._profile.mac_iterations,
            salt_length=self._profile.mac_salt_length,
            random_bytes=self._random_bytes,
        )
        mac_key = mac.prepare_key(template, self._password, self._budget)
        self._pending.append(mac_key)
        return template, mac_key

    def _secret(self, secret: PlainSecret, cipher_key: CipherKey | None) -> Asn1Value:
        if cipher_key is None:
            raise ArgumentError(f"the profile {self._profile.name} has no encryption for a secret")
        value = secret_value(
            secret.value_type,
            algorithm_identifier(cipher_key.encryption),
            cipher_key.encrypt(secret.secret),
            in_octets=secret.in_octets,
        )
        return other_bag("secretBag", value, attribute_field=secret.attribute_field)


def _private_key(key: PlainKey, cipher_key: CipherKey | None) -> Asn1Value:
    if cipher_key is None:
        return key_bag(
            key.private_key_info,
            friendly_name=key.friendly_name,
            local_key_id=key.local_key_id,
            attributes=key.attributes,
            attribute_field=key.attribute_field,
        )
    return shrouded_key_bag(
        algorithm_identifier(cipher_key.encryption),
        cipher_key.encrypt(key.private_key_info),
        friendly_name=key.friendly_name,
        local_key_id=key.local_key_id,
        attributes=key.attributes,
        attribute_field=key.attribute_field,
    )


def _safe(contents: bytes, cipher_key: CipherKey | None) -> Asn1Value:
    from asn1crypto import cms

    if cipher_key is None:
        return _data(contents)
    encrypted_content_info = {
        "content_type": "data",
        "content_encryption_algorithm": algorithm_identifier(cipher_key.encryption),
        "encrypted_content": cipher_key.encrypt(contents),
    }
    return cms.ContentInfo(
        {
            "content_type": "encrypted_data",
            "content": {"version": "v0", "encrypted_content_info": encrypted_content_info},
        }
    )


def _data(content: bytes) -> Asn1Value:
    from asn1crypto import cms

    return cms.ContentInfo({"content_type": "data", "content": content})
