"""The digests that key derivations and MACs of a PFX use."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import UnsupportedPfxError

if TYPE_CHECKING:
    from _hashlib import HASH

# asn1crypto's name for a digest, for an HMAC with it and hashlib's name are the same.
DIGESTS: Final = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-224": "sha224",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
    "SHA-512/224": "sha512_224",
    "SHA-512/256": "sha512_256",
    "SHA3-224": "sha3_224",
    "SHA3-256": "sha3_256",
    "SHA3-384": "sha3_384",
    "SHA3-512": "sha3_512",
}
DIGEST_NAMES: Final = {native: name for name, native in DIGESTS.items()}


def new_hash(digest: str) -> HASH:
    """Return a new hash object. Raises :class:`~pkcs12kit.errors.UnsupportedPfxError` where Python has no such hash."""
    try:
        return hashlib.new(DIGESTS[digest], usedforsecurity=False)
    except ValueError:
        raise UnsupportedPfxError(f"this build of Python has no {digest}, which the PKCS#12 file uses") from None


def digest_size(digest: str) -> int:
    """Return the length of a digest in bytes. Raises as :func:`new_hash` does."""
    return new_hash(digest).digest_size
