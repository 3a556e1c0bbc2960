"""Key derivation from a password: PKCS12KDF (RFC 7292 appendix B), PBKDF1 and PBKDF2 (RFC 8018), scrypt (RFC 7914)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from pkcs12kit.certificates.lenient import encoding_of, require_whole
from pkcs12kit.errors import MalformedPfxError, UnsupportedPfxError
from pkcs12kit.pkcs12.asn1 import absent
from pkcs12kit.pkcs12.object_identifiers import named
from pkcs12kit.pkcs12.protection import PBKDF1, PBKDF2, PKCS12KDF, SCRYPT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pkcs12kit.pkcs12.asn1 import Asn1Value
    from pkcs12kit.pkcs12.budget import WorkBudget
    from pkcs12kit.pkcs12.passwords import Password

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
# HMACs that asn1crypto does not name: with MD5, which OpenSSL writes, and the two in IANA's register.
_MORE_HMACS: Final = {"1.2.840.113549.2.6": "MD5", "1.3.6.1.5.5.8.1.1": "MD5", "1.3.6.1.5.5.8.1.2": "SHA-1"}

# RFC 7292 appendix B.3: the purpose of the derived bytes.
KEY: Final = 1
IV: Final = 2
MAC: Final = 3


class ScryptCost(NamedTuple):
    """N, r and p of RFC 7914. scrypt writes 128 N r bytes of memory, p times."""

    n: int
    r: int
    p: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDerivation:
    """The key derivation that a file states.

    ``algorithm`` is ``PKCS12KDF``, ``PBKDF1``, ``PBKDF2`` or ``scrypt``; an algorithm that is not supported is its
    object identifier, with its name before it if that is known. ``digest`` (for PBKDF2 the digest of its HMAC) may also
    be one that is not supported, and is None if the algorithm has no digest. ``key_length`` is in bytes, None if the
    file does not state it; ``cost`` is scrypt's.
    """

    algorithm: str
    digest: str | None = None
    iterations: int | None = None
    salt: bytes | None = field(default=None, repr=False)
    key_length: int | None = None
    cost: ScryptCost | None = None

    @property
    def is_supported(self) -> bool:
        """True if keys can be derived by it here."""
        if self.algorithm == SCRYPT:
            return self.cost is not None and self.salt is not None
        return self.iterations is not None and self.salt is not None and self.digest in DIGESTS

    def derive(self, password: Password, length: int, budget: WorkBudget, *, purpose: int = KEY) -> bytes:
        """Return ``length`` derived bytes. Only PKCS12KDF uses ``purpose`` (:data:`KEY`, :data:`IV` or :data:`MAC`).

        Raises :class:`~pkcs12kit.errors.UnsupportedPfxError`, :class:`~pkcs12kit.errors.MalformedPfxError` for a cost
        that scrypt does not allow, and :class:`~pkcs12kit.errors.LimitExceededError` before any work.
        """
        if not self.is_supported:
            raise UnsupportedPfxError(f"the key derivation {self} in the PKCS#12 file is not supported")
        octets = password.octets(self.algorithm)
        budget.key_length(length)
        budget.salt(len(self.salt or b""))
        if self.algorithm == SCRYPT and self.cost is not None and self.salt is not None:
            return _scrypt(octets, salt=self.salt, cost=self.cost, length=length, budget=budget)
        salt, iterations, digest = self.salt or b"", self.iterations or 1, str(self.digest)
        if self.algorithm == PKCS12KDF:
            return pkcs12_kdf(
                password, digest=digest, salt=salt, iterations=iterations, purpose=purpose, length=length, budget=budget
            )
        derive = {PBKDF1: _pbkdf1, PBKDF2: _pbkdf2}[self.algorithm]
        return derive(octets, digest=digest, salt=salt, iterations=iterations, length=length, budget=budget)

    def __str__(self) -> str:
        return " with ".join(part for part in (self.algorithm, self.digest) if part)


def foresee(derivations: Iterable[KeyDerivation], budget: WorkBudget) -> None:
    """Check the least work that these derivations need, each and all together, without counting it.

    Raises :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    iterations = scrypt_bytes = 0
    for derivation in derivations:
        budget.salt(len(derivation.salt or b""))
        if derivation.cost is not None and min(derivation.cost) > 0:
            scrypt_bytes += budget.scrypt_size(**derivation.cost._asdict())
        iterations += budget.weigh(derivation.iterations or 0, digest=derivation.digest)
    budget.foresee(iterations=iterations, scrypt_bytes=scrypt_bytes)


def read_kdf(kdf: Asn1Value) -> KeyDerivation:
    """Parse asn1crypto's KdfAlgorithm. Raises as asn1crypto does; the caller translates its errors."""
    from pkcs12kit.pkcs12 import asn1_types

    parameters = kdf["parameters"]
    if kdf["algorithm"].dotted == asn1_types.SCRYPT:
        parsed = parameters.parse(asn1_types.ScryptParams)
        return KeyDerivation(
            algorithm=SCRYPT,
            salt=parsed["salt"].native,
            key_length=parsed["key_length"].native,
            cost=ScryptCost(
                n=parsed["cost_parameter"].native,
                r=parsed["block_size"].native,
                p=parsed["parallelization_parameter"].native,
            ),
        )
    if kdf["algorithm"].native != "pbkdf2":
        return KeyDerivation(algorithm=named(kdf["algorithm"].dotted))
    parameters = asn1_types.Pbkdf2Params.load(encoding_of(parameters), strict=True)
    prf = parameters["prf"]["algorithm"]
    salt = parameters["salt"]
    require_whole(parameters)
    return KeyDerivation(
        algorithm=PBKDF2,
        digest=hmac_digest(prf),
        iterations=positive(parameters["iteration_count"]),
        salt=b"" if absent(salt) else salt.native if salt.name == "specified" else None,
        key_length=parameters["key_length"].native,
    )


def hmac_digest(algorithm: Asn1Value) -> str:
    """Return the digest of asn1crypto's HmacAlgorithmId; for an HMAC that is not supported its name and identifier."""
    dotted: str = algorithm.dotted
    return DIGEST_NAMES.get(algorithm.native) or _MORE_HMACS.get(dotted) or named(dotted)


def pbkdf2_identifier(derivation: KeyDerivation, *, with_key_length: bool = False) -> dict[str, object]:
    """Return PBKDF2 as the contents of asn1crypto's KdfAlgorithm."""
    from asn1crypto import algos

    parameters: dict[str, object] = {
        "salt": algos.Pbkdf2Salt(name="specified", value=derivation.salt),
        "iteration_count": derivation.iterations,
        "prf": {"algorithm": DIGESTS[str(derivation.digest)]},
    }
    if with_key_length:
        parameters["key_length"] = derivation.key_length
    return {"algorithm": "pbkdf2", "parameters": parameters}


def positive(integer: Asn1Value) -> int:
    """Return an iteration count. Raises :class:`~pkcs12kit.errors.MalformedPfxError` below 1 (RFC 8018 section 5)."""
    iterations: int = integer.native
    if iterations < 1:
        raise MalformedPfxError(f"the PKCS#12 file states {iterations} iterations, and at least 1 is needed")
    return iterations


def pkcs12_kdf(
    password: Password, *, digest: str, salt: bytes, iterations: int, purpose: int, length: int, budget: WorkBudget
) -> bytes:
    """Return ``length`` bytes derived by RFC 7292 appendix B.2.

    ``purpose`` is :data:`KEY`, :data:`IV` or :data:`MAC`. pyca/cryptography has no public function for it; the
    derivation only uses hashing.
    """
    new = _hash(digest)
    block = new().block_size
    blocks = -(-length // digest_size(digest))
    diversifier = bytes([purpose]) * block
    state = _fill(salt, block) + _fill(password.octets(PKCS12KDF), block)
    budget.derive(iterations, digest=digest, runs=blocks, octets=2 * len(state))  # hashed, and added to
    output = b""
    for remaining in range(blocks, 0, -1):
        derived: bytes = diversifier + state
        for _ in range(iterations):
            derived = new(derived).digest()
        output += derived
        if remaining > 1:
            addend = int.from_bytes((derived * (-(-block // len(derived))))[:block]) + 1
            state = b"".join(
                (int.from_bytes(state[start : start + block]) + addend & (1 << 8 * block) - 1).to_bytes(block)
                for start in range(0, len(state), block)
            )
    return output[:length]


def digest_size(digest: str) -> int:
    """Return the length of a digest in bytes."""
    return _hash(digest)().digest_size


def _pbkdf1(password: bytes, *, digest: str, salt: bytes, iterations: int, length: int, budget: WorkBudget) -> bytes:
    """Derive by RFC 8018 section 5.1, at most the length of one digest; it only uses hashing."""
    budget.derive(iterations, digest=digest, octets=len(password) + len(salt))
    new = _hash(digest)
    derived = password + salt
    for _ in range(iterations):
        derived = new(derived).digest()
    return derived[:length]


def _pbkdf2(password: bytes, *, digest: str, salt: bytes, iterations: int, length: int, budget: WorkBudget) -> bytes:
    """Derive by RFC 8018 section 5.2."""
    runs = -(-length // digest_size(digest))
    budget.derive(iterations, digest=digest, runs=runs, octets=len(password) + len(salt))
    return hashlib.pbkdf2_hmac(DIGESTS[digest], password, salt, iterations, length)


def _scrypt(password: bytes, *, salt: bytes, cost: ScryptCost, length: int, budget: WorkBudget) -> bytes:
    if min(cost) < 1:
        raise MalformedPfxError(f"{budget.subject} states a cost parameter of scrypt below 1 (RFC 7914 section 2)")
    budget.scrypt(**cost._asdict(), octets=len(password) + len(salt), length=length)
    try:
        return Scrypt(salt=salt, length=length, n=cost.n, r=cost.r, p=cost.p).derive(password)
    except ValueError:  # for example, N is not a power of 2
        raise MalformedPfxError(
            f"{budget.subject} states cost parameters that scrypt does not allow (RFC 7914 section 2)"
        ) from None


def _hash(digest: str) -> Callable[..., hashlib._Hash]:
    """Return hashlib's constructor of a digest; it is a third faster than ``hashlib.new`` with the name."""
    name = DIGESTS[digest]
    constructor = getattr(hashlib, name, None)
    try:
        new = partial(constructor, usedforsecurity=False) if constructor else partial(hashlib.new, name)
        new()
    except ValueError:
        raise UnsupportedPfxError(f"this build of Python has no {digest}, which the PKCS#12 file uses") from None
    return new


def _fill(text: bytes, block: int) -> bytes:
    """Return ``text`` repeated to fill whole blocks; empty if it is empty."""
    whole = -(-len(text) // block) * block
    return (text * (-(-whole // len(text))))[:whole] if text else b""
