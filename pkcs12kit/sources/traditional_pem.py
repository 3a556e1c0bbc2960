"""Private keys in PEM with traditional encryption: ``Proc-Type: 4,ENCRYPTED`` and ``DEK-Info`` (RFC 1421 section 4.6).

The ciphers and the derivation of the key are OpenSSL's: the standards of PEM only have DES.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError
from pkcs12kit.pkcs12 import algorithms
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from pkcs12kit.sources.containers import PemBlock

# OpenSSL's names of the ciphers, in capital letters, and ours.
_CIPHERS: Final = {
    "AES-128-CBC": "AES-128-CBC",
    "AES-192-CBC": "AES-192-CBC",
    "AES-256-CBC": "AES-256-CBC",
    "CAMELLIA-128-CBC": "Camellia-128-CBC",
    "CAMELLIA-192-CBC": "Camellia-192-CBC",
    "CAMELLIA-256-CBC": "Camellia-256-CBC",
    "DES-CBC": "DES-CBC",
    "DES-EDE-CBC": "DES-EDE2-CBC",
    "DES-EDE3-CBC": "DES-EDE3-CBC",
    "RC2-CBC": "RC2-128-CBC",
    "RC2-64-CBC": "RC2-64-CBC",
    "RC2-40-CBC": "RC2-40-CBC",
    "SEED-CBC": "SEED-CBC",
    "BF-CBC": "BF-CBC",
    "CAST5-CBC": "CAST5-CBC",
    "IDEA-CBC": "IDEA-CBC",
    "SM4-CBC": "SM4-CBC",
}
_SALT_BYTES: Final = 8


class TraditionalEncryption:
    """The encryption of one block, which is supported and whose IV has the right length.

    Raises :class:`InputError`, with ``name`` in its text, for any other.
    """

    def __init__(self, block: PemBlock, name: str) -> None:
        cipher, iv = block.dek_info
        if not cipher:
            raise InputError(
                f"{name}: an encrypted private key that is damaged: its header DEK-Info, which names the cipher, is"
                " missing or empty"
            )
        if cipher.upper() not in _CIPHERS:
            raise InputError(
                f"{name}: a private key encrypted with {harmless(cipher)}, which is not supported in traditional PEM;"
                f" supported are {', '.join(sorted(_CIPHERS))}. Encrypt it in another way, for example with: openssl"
                " pkcs8 -topk8 -v2 aes-256-cbc"
            )
        self._cipher = _CIPHERS[cipher.upper()]
        try:
            self._iv = bytes.fromhex(iv)
        except ValueError:
            raise InputError(
                f"{name}: an encrypted private key that is damaged: the IV in its DEK-Info is not hexadecimal"
            ) from None
        if not algorithms.allows_iv_length(self._cipher, len(self._iv)):
            raise InputError(f"{name}: an encrypted private key that is damaged: its IV has the wrong length")
        self._ciphertext = block.content

    def decrypt(self, password: bytes) -> bytes:
        """Return the private key.

        Raises :class:`~pkcs12kit.pkcs12.algorithms.DecryptionError` if the padding is wrong, and
        :class:`~pkcs12kit.UnsupportedPfxError` if the OpenSSL of pyca/cryptography lacks the cipher.
        """
        description = algorithms.describe(self._cipher)
        length = description.key_length if description is not None else 0
        key = _derive(password, self._iv[:_SALT_BYTES], length)
        return algorithms.decrypt(self._cipher, key, self._iv, self._ciphertext)


def _derive(password: bytes, salt: bytes, length: int) -> bytes:
    """Return a key by OpenSSL's EVP_BytesToKey with MD5 and one iteration; it only uses hashing."""
    key = digest = b""
    while len(key) < length:
        digest = hashlib.md5(digest + password + salt, usedforsecurity=False).digest()
        key += digest
    return key[:length]
