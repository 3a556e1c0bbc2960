"""PKCS12KDF, the key derivation of RFC 7292 appendix B, in Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from pkcs12kit.pkcs12.digests import new_hash

# RFC 7292 appendix B.3: the purpose of the derived bytes.
KEY: Final = 1
IV: Final = 2
MAC: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class KdfInputs:
    """The inputs of PKCS12KDF, as RFC 7292 appendix B.2 has them, without the digest.

    ``password`` is a BMPString with its terminator, or empty; ``purpose`` is :data:`KEY`, :data:`IV` or :data:`MAC`;
    ``length`` is in bytes.
    """

    password: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    iterations: int
    purpose: int
    length: int


def filled_octets(password: bytes, salt: bytes, *, digest: str) -> int:
    """Return the length of password and salt as each block of output hashes them: repeated to fill whole blocks."""
    block = new_hash(digest).block_size
    return sum(-(-len(text) // block) * block for text in (password, salt))


def pkcs12_kdf(inputs: KdfInputs, *, digest: str) -> bytes:
    """Return the bytes that RFC 7292 appendix B.2 derives. pyca/cryptography has no public function for it.

    The derivation only uses hashing. The work is not counted here.
    """
    empty = new_hash(digest)
    block = empty.block_size
    blocks = -(-inputs.length // empty.digest_size)
    diversifier = bytes([inputs.purpose]) * block
    state = _fill(inputs.salt, block) + _fill(inputs.password, block)
    output = b""
    # Of all ways to hash an octet string with hashlib, a copy of an empty hash object is the one that costs least.
    copy = empty.copy
    for remaining in range(blocks, 0, -1):
        derived: bytes = diversifier + state
        for _ in range(inputs.iterations):
            hashed = copy()
            hashed.update(derived)
            derived = hashed.digest()
        output += derived
        if remaining > 1:
            addend = int.from_bytes((derived * (-(-block // len(derived))))[:block]) + 1
            state = b"".join(
                (int.from_bytes(state[start : start + block]) + addend & (1 << 8 * block) - 1).to_bytes(block)
                for start in range(0, len(state), block)
            )
    return output[: inputs.length]


def _fill(text: bytes, block: int) -> bytes:
    """Return ``text`` repeated to fill whole blocks; empty if it is empty."""
    whole = -(-len(text) // block) * block
    return (text * (-(-whole // len(text))))[:whole] if text else b""
