"""The ciphers of a PFX by name: CBC with padding, or stream ciphers (RFC 8018 appendix B.2, RFC 7292 appendix C)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4, SEED, Camellia, TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

from pkcs12kit.errors import UnsupportedPfxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.ciphers import CipherAlgorithm


class DecryptionError(Exception):
    """A ciphertext that does not decrypt: wrong password or damaged ciphertext. Never leaves the package."""


class CipherDescription(NamedTuple):
    """The properties of a cipher, in bytes: its usual key length, and its block length (0 for a stream cipher)."""

    key_length: int
    block_length: int
    algorithm: Callable[[bytes], CipherAlgorithm] | None


_RC2: Final = re.compile(r"RC2-(\d+)-CBC")
_RC2_EFFECTIVE_BITS: Final = range(40, 1025)
_RC2_KEY_LENGTHS: Final = range(5, 129)
_CIPHERS: Final = {
    "AES-128-CBC": CipherDescription(16, 16, AES),
    "AES-192-CBC": CipherDescription(24, 16, AES),
    "AES-256-CBC": CipherDescription(32, 16, AES),
    "Camellia-128-CBC": CipherDescription(16, 16, Camellia),
    "Camellia-192-CBC": CipherDescription(24, 16, Camellia),
    "Camellia-256-CBC": CipherDescription(32, 16, Camellia),
    "SEED-CBC": CipherDescription(16, 16, SEED),
    "DES-EDE3-CBC": CipherDescription(24, 8, TripleDES),
    "DES-EDE2-CBC": CipherDescription(16, 8, lambda key: TripleDES(key + key[:8])),
    "DES-CBC": CipherDescription(8, 8, lambda key: TripleDES(3 * key)),
    "RC4-128": CipherDescription(16, 0, ARC4),
    "RC4-40": CipherDescription(5, 0, ARC4),
}


def describe(name: str) -> CipherDescription | None:
    """Return the properties of a cipher, None if unknown. RC2 is named with its effective key bits: ``RC2-40-CBC``."""
    bits = _effective_bits(name)
    if bits is None:
        return _CIPHERS.get(name)
    if bits not in _RC2_EFFECTIVE_BITS:
        return None
    return CipherDescription(-(-bits // 8), 8, None)


def allows_key_length(name: str, length: int) -> bool:
    """Return True if a cipher supports a key length in bytes. RC2 supports many with any effective bits (RFC 2268)."""
    description = describe(name)
    if description is None or description.algorithm is not None:
        return description is not None and length == description.key_length
    return length in _RC2_KEY_LENGTHS


def encrypt(name: str, key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """Return the padded and encrypted plaintext (RFC 8018 section 6.1.1). ``iv`` is empty for a stream cipher."""
    block_length = _require(name).block_length
    if block_length:
        padder = PKCS7(8 * block_length).padder()
        plaintext = padder.update(plaintext) + padder.finalize()
    return _transform(name, key, iv, plaintext, encrypting=True)


def decrypt(name: str, key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """Return the plaintext without its padding. Raises :class:`DecryptionError` if the padding is wrong."""
    block_length = _require(name).block_length
    try:
        padded = _transform(name, key, iv, ciphertext, encrypting=False)
        if not block_length:
            return padded
        unpadder = PKCS7(8 * block_length).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise DecryptionError from None


def _transform(name: str, key: bytes, iv: bytes, text: bytes, *, encrypting: bool) -> bytes:
    algorithm = _require(name).algorithm
    if algorithm is None:
        return _rc2(name, key, iv, text, encrypting=encrypting)
    try:
        cipher = Cipher(algorithm(key), modes.CBC(iv) if iv else None)
        context = cipher.encryptor() if encrypting else cipher.decryptor()
    except UnsupportedAlgorithm:
        raise UnsupportedPfxError(f"the OpenSSL of pyca/cryptography was built without {name}") from None
    return context.update(text) + context.finalize()


def _rc2(name: str, key: bytes, iv: bytes, text: bytes, *, encrypting: bool) -> bytes:
    """Apply RC2 by PyCryptodome: pyca's only has 128 effective key bits, and most files have 40."""
    from Cryptodome.Cipher import ARC2

    cipher = ARC2.new(  # type: ignore[call-arg]  # its stub lacks effective_keylen  # noqa: S304  # the file's choice
        key, ARC2.MODE_CBC, iv=iv, effective_keylen=_effective_bits(name)
    )
    return cipher.encrypt(text) if encrypting else cipher.decrypt(text)


def _effective_bits(name: str) -> int | None:
    found = _RC2.fullmatch(name)
    return int(found[1]) if found else None


def _require(name: str) -> CipherDescription:
    description = describe(name)
    if description is None:
        raise UnsupportedPfxError(f"the cipher {name} is not supported")
    return description
