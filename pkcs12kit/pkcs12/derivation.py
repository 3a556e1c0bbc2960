"""From a password to a key: encodings of the password, PKCS12KDF, PBKDF2 (RFC 7292 appendix B, RFC 8018)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import PasswordError

if TYPE_CHECKING:
    from pkcs12kit.pkcs12.budget import Budget

# asn1crypto's name for a digest, for an HMAC with it and hashlib's name are the same.
DIGESTS: Final = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-224": "sha224",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}
DIGEST_NAMES: Final = {native: name for name, native in DIGESTS.items()}

# RFC 7292 appendix B.3: what the derived bytes are for.
KEY: Final = 1
IV: Final = 2
MAC: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Password:
    """A password in the two encodings that a PFX asks for; never shown.

    ``bmp`` goes into PKCS12KDF: a BMPString with its terminator, or no byte at all for an absent password (RFC 7292
    appendix B.1). ``utf8`` goes into PBKDF2 (RFC 8018 section 3).
    """

    bmp: bytes = field(repr=False)
    utf8: bytes = field(repr=False)


def encode_password(password: str) -> Password:
    """Encode a password as OpenSSL and Java do; characters beyond the BMP become surrogate pairs.

    Raises :class:`~pkcs12kit.errors.PasswordError` for what neither encoding can hold, :class:`TypeError` for bytes.
    """
    if not isinstance(password, str):
        raise TypeError(f"a password is text, not {type(password).__name__}")
    if "\0" in password:
        raise PasswordError("the password contains a NUL character, at which other programs would cut it off")
    try:
        return Password(bmp=password.encode("utf-16-be") + b"\0\0", utf8=password.encode())
    except UnicodeEncodeError:
        raise PasswordError("the password contains half of a surrogate pair, which has no encoding") from None


ABSENT: Final = Password(bmp=b"", utf8=b"")


def candidates(password: str | None) -> tuple[Password, ...]:
    """List the encodings that a reader tries, likeliest first.

    Writers encode 'no password' as an absent one or as an empty one, and so does this, for None and for "".
    """
    if password is None:
        return (ABSENT, encode_password(""))
    if not password:
        return (encode_password(""), ABSENT)
    return (encode_password(password),)


def pkcs12_kdf(
    password: Password, *, digest: str, salt: bytes, iterations: int, purpose: int, length: int, budget: Budget
) -> bytes:
    """Derive ``length`` bytes by RFC 7292 appendix B.2, for the ``purpose`` :data:`KEY`, :data:`IV` or :data:`MAC`.

    pyca/cryptography has no such primitive in its interface; the derivation is nothing but hashing.
    """
    new = getattr(hashlib, DIGESTS[digest])
    block = new(usedforsecurity=False).block_size
    blocks = -(-length // digest_size(digest))
    budget.derive(iterations, blocks=blocks)
    diversifier = bytes([purpose]) * block
    state = _fill(salt, block) + _fill(password.bmp, block)
    output = b""
    for remaining in range(blocks, 0, -1):
        derived: bytes = diversifier + state
        for _ in range(iterations):
            derived = new(derived, usedforsecurity=False).digest()
        output += derived
        if remaining > 1:
            addend = int.from_bytes((derived * (-(-block // len(derived))))[:block]) + 1
            state = b"".join(
                (int.from_bytes(state[start : start + block]) + addend & (1 << 8 * block) - 1).to_bytes(block)
                for start in range(0, len(state), block)
            )
    return output[:length]


def pbkdf2(password: Password, *, digest: str, salt: bytes, iterations: int, length: int, budget: Budget) -> bytes:
    """Derive ``length`` bytes by PBKDF2 with HMAC (RFC 8018 section 5.2)."""
    budget.derive(iterations, blocks=-(-length // digest_size(digest)))
    return hashlib.pbkdf2_hmac(DIGESTS[digest], password.utf8, salt, iterations, length)


def digest_size(digest: str) -> int:
    """Length of a digest, in bytes."""
    return hashlib.new(DIGESTS[digest], usedforsecurity=False).digest_size


def _fill(text: bytes, block: int) -> bytes:
    """Repeat ``text`` to fill whole blocks; nothing stays nothing."""
    whole = -(-len(text) // block) * block
    return (text * (-(-whole // len(text))))[:whole] if text else b""
