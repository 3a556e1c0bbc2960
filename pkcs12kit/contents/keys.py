"""Keys in files as they are listed: type, size and whether they are encrypted, never their contents."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.algorithm_names import key_in_words
from pkcs12kit.certificates.key_algorithms import unsupported_algorithm
from pkcs12kit.certificates.public_keys import read_public_key
from pkcs12kit.contents.items import ListedKey
from pkcs12kit.errors import InputError, MalformedCertificateError, PasswordError
from pkcs12kit.pkcs12.decoded_keys import certificates_by_key, encode_public_key
from pkcs12kit.sources.elements import elements
from pkcs12kit.sources.keys import read_key_block, read_private_key
from pkcs12kit.sources.sniffing import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PublicKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.budget import SharedWork
    from pkcs12kit.pkcs12.inspection import BagReport
    from pkcs12kit.sources.containers import PemBlock

KEYS: Final = frozenset(
    {
        Kind.PRIVATE_KEY,
        Kind.ENCRYPTED_PRIVATE_KEY,
        Kind.OPENSSH_PRIVATE_KEY,
        Kind.SSH2_PRIVATE_KEY,
        Kind.PUBLIC_KEY,
    }
)
"""The kinds of content that are keys."""
_OPENSSH_WITHOUT_ENCRYPTION: Final = b"openssh-key-v1\x00\x00\x00\x00\x04none"
_ENCRYPTED: Final = "encrypted: its type, and the certificate that it fits, cannot be known without the password"


class KeyReader:
    """A reader of keys within one budget for all of them. ``password`` opens private keys that are encrypted."""

    def __init__(self, *, password: str | None, limits: Limits, work: SharedWork) -> None:
        self._password = password
        self._limits = limits
        self._work = work

    def read(self, name: str, kind: Kind, data: bytes) -> ListedKey:
        """Return the key in the DER of a file, which messages call ``name``."""
        if kind is Kind.PUBLIC_KEY:
            return _public(name, data)
        try:
            key = read_private_key(data, name=name, password=self._password, limits=self._limits, work=self._work)
        except InputError as error:
            return _unread(name, error, is_encrypted=kind is Kind.ENCRYPTED_PRIVATE_KEY)
        return _private(name, key, is_encrypted=kind is Kind.ENCRYPTED_PRIVATE_KEY)

    def read_block(self, name: str, block: PemBlock) -> ListedKey:
        """Return the key in a PEM block."""
        if block.kind is Kind.PUBLIC_KEY and block.fault is None:
            return _public(name, block.content)
        is_encrypted = block.is_encrypted or block.kind is Kind.ENCRYPTED_PRIVATE_KEY
        if block.kind is Kind.OPENSSH_PRIVATE_KEY:
            is_encrypted = not block.content.startswith(_OPENSSH_WITHOUT_ENCRYPTION)
        try:
            key = read_key_block(block, name=name, password=self._password, limits=self._limits, work=self._work)
        except InputError as error:
            return _unread(name, error, is_encrypted=is_encrypted)
        return _private(name, key, is_encrypted=is_encrypted)


def key_of_bag(name: str, bag: BagReport, *, in_encrypted_contents: bool) -> ListedKey:
    """Return the private key of a bag of a PKCS#12 file."""
    unread = bag.unread_key
    is_encrypted = in_encrypted_contents or bag.encryption is not None
    algorithm, why = None, None
    if bag.public_key is not None:
        try:
            algorithm = key_in_words(_load_public_key(bag.public_key))
        except MalformedCertificateError as error:
            why = str(error)
    elif unread is not None:
        algorithm, why = unread.algorithm, unread.reason
    else:
        why = _ENCRYPTED
    return ListedKey(
        is_private=True,
        algorithm=algorithm,
        is_encrypted=is_encrypted,
        public_key=bag.public_key,
        friendly_name=bag.friendly_name,
        why=why,
        sources=(name,),
    )


def with_certificates(keys: Iterable[ListedKey], certificates: Iterable[Certificate]) -> tuple[ListedKey, ...]:
    """Return the keys with the certificates that have the same public key."""
    keys = tuple(keys)
    if all(key.public_key is None for key in keys):
        return keys
    index = certificates_by_key(certificates)
    return tuple(
        key if key.public_key is None else replace(key, certificates=tuple(index.get(key.public_key, ())))
        for key in keys
    )


def _private(name: str, key: CertificateIssuerPrivateKeyTypes, *, is_encrypted: bool) -> ListedKey:
    public_key = key.public_key()
    return ListedKey(
        is_private=True,
        algorithm=key_in_words(public_key),
        is_encrypted=is_encrypted,
        public_key=encode_public_key(public_key),
        sources=(name,),
    )


def _unread(name: str, error: InputError, *, is_encrypted: bool) -> ListedKey:
    why = str(error).removeprefix(f"{name}: ").removeprefix("expected a private key, found ")
    if isinstance(error, PasswordError) and "no password was given" in why:
        why = _ENCRYPTED
    return ListedKey(is_private=True, algorithm=None, is_encrypted=is_encrypted, why=why, sources=(name,))


def _public(name: str, data: bytes) -> ListedKey:
    try:
        key = _load_public_key(data)
    except MalformedCertificateError as error:
        return ListedKey(is_private=False, algorithm=unsupported_algorithm(data), why=str(error), sources=(name,))
    return ListedKey(is_private=False, algorithm=key_in_words(key), public_key=encode_public_key(key), sources=(name,))


def _load_public_key(data: bytes) -> PublicKeyTypes:
    """Return the key of a SubjectPublicKeyInfo or an RSAPublicKey (RFC 8017 appendix A.1.1).

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError`.
    """
    try:
        encoding = next(elements(data)).encoding
    except (ValueError, StopIteration):
        raise MalformedCertificateError("a damaged public key") from None
    return read_public_key(encoding or data)
