"""The ciphers of a PFX by name: CBC with padding, stream ciphers, and AES with authentication.

They are those of RFC 8018 appendix B.2 and RFC 7292 appendix C, what OpenSSL also offers, and AES-GCM and AES-CCM (RFC
5084), with which files are only read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4, CAST5, IDEA, SEED, Blowfish, Camellia, TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.padding import PKCS7

from pkcs12kit.errors import UnsupportedPfxError

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from cryptography.hazmat.primitives.ciphers import CipherAlgorithm


class DecryptionError(Exception):
    """A ciphertext that does not decrypt: wrong password or damaged ciphertext. Never leaves the package."""


class CipherDescription(NamedTuple):
    """The properties of a cipher, in bytes.

    ``key_length`` is the usual key length, ``key_lengths`` has others; ``block_length`` is 0 for a stream cipher and
    for authenticated encryption, for which ``iv_lengths`` and ``tag_lengths`` have the nonces and tags that it allows.
    """

    key_length: int
    block_length: int
    algorithm: Callable[[bytes], CipherAlgorithm] | None
    key_lengths: Container[int] = ()
    iv_lengths: Container[int] = ()
    tag_lengths: Container[int] = ()


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
    "BF-CBC": CipherDescription(16, 8, Blowfish, range(4, 57)),
    "CAST5-CBC": CipherDescription(16, 8, CAST5, range(5, 17)),
    "IDEA-CBC": CipherDescription(16, 8, IDEA),
    "SM4-CBC": CipherDescription(16, 16, SM4),
    "RC4-128": CipherDescription(16, 0, ARC4),
    "RC4-40": CipherDescription(5, 0, ARC4),
    # RFC 5084 section 3; SP 800-38D section 5.2.1.2 has the tags of GCM
    **{
        f"AES-{8 * length}-GCM": CipherDescription(length, 0, AES, (), range(8, 129), range(12, 17))
        for length in (16, 24, 32)
    },
    **{
        f"AES-{8 * length}-CCM": CipherDescription(length, 0, AES, (), range(7, 14), range(4, 17, 2))
        for length in (16, 24, 32)
    },
}


def describe(name: str) -> CipherDescription | None:
    """Return the properties of a cipher, None if unknown. RC2 is named with its effective key bits: ``RC2-40-CBC``."""
    bits = _effective_bits(name)
    if bits is None:
        return _CIPHERS.get(name)
    if bits not in _RC2_EFFECTIVE_BITS:
        return None
    return CipherDescription(-(-bits // 8), 8, None, _RC2_KEY_LENGTHS)


def allows_key_length(name: str, length: int) -> bool:
    """Return True if a cipher supports a key length in bytes. RC2 supports many with any effective bits (RFC 2268)."""
    description = describe(name)
    return description is not None and (length == description.key_length or length in description.key_lengths)


def allows_iv_length(name: str, length: int) -> bool:
    """Return True if a cipher supports an IV of this length in bytes: one block, or a nonce for AES-GCM and AES-CCM."""
    description = _require(name)
    return length in (description.iv_lengths or (description.block_length,))


def allows_tag_length(name: str, length: int) -> bool:
    """Return True if a cipher supports authentication tags of this length in bytes, 0 for one that has no tags."""
    return length in (_require(name).tag_lengths or (0,))


def encrypt(name: str, key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """Return the padded and encrypted plaintext (RFC 8018 section 6.1.1). ``iv`` is empty for a stream cipher."""
    block_length = _require(name).block_length
    if block_length:
        padder = PKCS7(8 * block_length).padder()
        plaintext = padder.update(plaintext) + padder.finalize()
    return _transform(name, key, iv, plaintext, encrypting=True)


def decrypt(name: str, key: bytes, iv: bytes, ciphertext: bytes, *, tag_length: int = 0) -> bytes:
    """Return the plaintext without its padding, or without its authentication tag of ``tag_length`` bytes at its end.

    Raises :class:`DecryptionError` if the padding or the tag is wrong.
    """
    block_length = _require(name).block_length
    try:
        if tag_length:
            return _open_authenticated(name, key, iv, ciphertext, tag_length)
        padded = _transform(name, key, iv, ciphertext, encrypting=False)
        if not block_length:
            return padded
        unpadder = PKCS7(8 * block_length).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except (ValueError, InvalidTag):
        raise DecryptionError from None


def _open_authenticated(name: str, key: bytes, iv: bytes, ciphertext: bytes, tag_length: int) -> bytes:
    if name.endswith("-CCM"):
        return AESCCM(key, tag_length).decrypt(iv, ciphertext, None)
    if len(ciphertext) < tag_length:
        raise InvalidTag
    mode = modes.GCM(iv, ciphertext[-tag_length:], min_tag_length=tag_length)
    decryptor = Cipher(AES(key), mode).decryptor()
    return decryptor.update(ciphertext[:-tag_length]) + decryptor.finalize()


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
