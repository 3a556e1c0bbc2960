"""Key derivation from a password: PKCS12KDF (RFC 7292 appendix B), PBKDF1 and PBKDF2 (RFC 8018), scrypt (RFC 7914)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm

from pkcs12kit.certificates.lenient import encoding_of, require_whole
from pkcs12kit.errors import MalformedPfxError, UnsupportedPfxError
from pkcs12kit.pkcs12.asn1 import absent
from pkcs12kit.pkcs12.digests import DIGEST_NAMES, DIGESTS, digest_size, new_hash
from pkcs12kit.pkcs12.libcrypto import libcrypto_kdf
from pkcs12kit.pkcs12.object_identifiers import named
from pkcs12kit.pkcs12.pending_keys import PendingKey
from pkcs12kit.pkcs12.pkcs12_kdf import KEY, KdfInputs, filled_octets, pkcs12_kdf
from pkcs12kit.pkcs12.protection import PBKDF1, PBKDF2, SCRYPT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.pkcs12.asn1 import Asn1Value
    from pkcs12kit.pkcs12.budget import WorkBudget
    from pkcs12kit.pkcs12.passwords import Password

# HMACs that asn1crypto does not name: with MD5, which OpenSSL writes, and the two in IANA's register.
_MORE_HMACS: Final = {"1.2.840.113549.2.6": "MD5", "1.3.6.1.5.5.8.1.1": "MD5", "1.3.6.1.5.5.8.1.2": "SHA-1"}
_MOST_ITERATIONS: Final = 2**31 - 1  # OpenSSL counts them in C's int
_WORTH_LIBCRYPTO: Final = 10_000
"""The iterations, four milliseconds in Python, from which loading ctypes for libcrypto is worth its time."""


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
        """Return ``length`` derived bytes, as :meth:`prepare` prepares them. Raises as that does."""
        return self.prepare(password, length, budget, purpose=purpose).octets

    def prepare(self, password: Password, length: int, budget: WorkBudget, *, purpose: int = KEY) -> PendingKey:
        """Check and count the derivation of ``length`` bytes, and return it without doing it.

        Only PKCS12KDF uses ``purpose`` (:data:`~pkcs12kit.pkcs12.pkcs12_kdf.KEY`, ``IV`` or ``MAC``). Raises
        :class:`~pkcs12kit.errors.UnsupportedPfxError`, :class:`~pkcs12kit.errors.MalformedPfxError` for a cost that
        scrypt does not allow (some costs only when the key is derived), and
        :class:`~pkcs12kit.errors.LimitExceededError`.
        """
        if not self.is_supported:
            raise UnsupportedPfxError(f"the key derivation {self} in the PKCS#12 file is not supported")
        octets = password.octets(self.algorithm)
        budget.key_length(length)
        budget.salt(len(self.salt or b""))
        if self.algorithm == SCRYPT and self.cost is not None and self.salt is not None:
            return _scrypt(octets, salt=self.salt, cost=self.cost, length=length, budget=budget)
        derive = {PBKDF1: self._prepare_pbkdf1, PBKDF2: self._prepare_pbkdf2}.get(self.algorithm)
        if derive is not None:
            return derive(octets, length, budget)
        return self._prepare_pkcs12_kdf(octets, length, purpose, budget)

    def _prepare_pbkdf1(self, password: bytes, length: int, budget: WorkBudget) -> PendingKey:
        salt, iterations, digest = self._inputs
        budget.derive(iterations, digest=digest, octets=len(password) + len(salt))
        return PendingKey(lambda: _pbkdf1(password, digest=digest, salt=salt, iterations=iterations)[:length])

    def _prepare_pbkdf2(self, password: bytes, length: int, budget: WorkBudget) -> PendingKey:
        salt, iterations, digest = self._inputs
        runs = -(-length // digest_size(digest))
        budget.derive(iterations, digest=digest, runs=runs, octets=len(password) + len(salt))
        if iterations > _MOST_ITERATIONS:
            raise UnsupportedPfxError(
                f"{budget.subject} states {iterations:,} iterations, more than PBKDF2 can do here"
            )
        return PendingKey(
            lambda: _pbkdf2(password, digest=digest, salt=salt, iterations=iterations, length=length),
            side_by_side=runs * iterations,
        )

    def _prepare_pkcs12_kdf(self, password: bytes, length: int, purpose: int, budget: WorkBudget) -> PendingKey:
        salt, iterations, digest = self._inputs
        runs = -(-length // digest_size(digest))
        filled = filled_octets(password, salt, digest=digest)
        budget.derive(iterations, digest=digest, runs=runs, octets=2 * filled)  # hashed, and added to
        inputs = KdfInputs(password=password, salt=salt, iterations=iterations, purpose=purpose, length=length)
        native = libcrypto_kdf(digest) if iterations >= _WORTH_LIBCRYPTO else None
        if native is None:
            return PendingKey(lambda: pkcs12_kdf(inputs, digest=digest))
        return PendingKey(partial(native, inputs), side_by_side=runs * iterations)

    @property
    def _inputs(self) -> tuple[bytes, int, str]:
        return self.salt or b"", self.iterations or 1, str(self.digest)

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


def _pbkdf1(password: bytes, *, digest: str, salt: bytes, iterations: int) -> bytes:
    """Derive by RFC 8018 section 5.1, the length of one digest; it only uses hashing."""
    copy = new_hash(digest).copy
    derived = password + salt
    for _ in range(iterations):
        hashed = copy()
        hashed.update(derived)
        derived = hashed.digest()
    return derived


def _pbkdf2(password: bytes, *, digest: str, salt: bytes, iterations: int, length: int) -> bytes:
    """Derive by RFC 8018 section 5.2: by pyca/cryptography, whose OpenSSL takes half the time of Python's; or that."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

    try:
        algorithm = getattr(hashes, DIGESTS[digest].upper())()
        kdf = PBKDF2HMAC(algorithm=algorithm, length=length, salt=salt, iterations=iterations)
    except UnsupportedAlgorithm:
        return hashlib.pbkdf2_hmac(DIGESTS[digest], password, salt, iterations, length)
    return kdf.derive(password)


def _scrypt(password: bytes, *, salt: bytes, cost: ScryptCost, length: int, budget: WorkBudget) -> PendingKey:
    if min(cost) < 1:
        raise MalformedPfxError(f"{budget.subject} states a cost parameter of scrypt below 1 (RFC 7914 section 2)")
    budget.scrypt(**cost._asdict(), octets=len(password) + len(salt), length=length)
    subject = budget.subject

    def derive() -> bytes:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        try:
            return Scrypt(salt=salt, length=length, n=cost.n, r=cost.r, p=cost.p).derive(password)
        except ValueError:  # for example, N is not a power of 2
            raise MalformedPfxError(
                f"{subject} states cost parameters that scrypt does not allow (RFC 7914 section 2)"
            ) from None

    return PendingKey(derive)
