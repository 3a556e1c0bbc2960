"""The work budget of a PKCS#12 file or an encrypted private key: all work is counted before it is done.

The unit is one iteration of PBKDF2 with HMAC-SHA256, 0.3 to 0.8 microseconds on one core. Everything that outside data
can make slow is counted in it:

- one iteration of a slower hash (SHA-384, SHA-512, SHA-3) as two;
- each repetition of the iterations that a longer output needs;
- every 64 octets of salt and password at the start of each repetition, because they are hashed there; twice for
  PKCS12KDF, which adds to them as well;
- the two PBKDF2 within scrypt (RFC 7914 section 6), the second of which has 128 r p octets of salt;
- every 16 octets of ciphertext, for the slowest ciphers (RC2, triple DES) and several tries;
- a private key, by the time that the test of its primes takes, and finding them if they are missing.

The mixing of scrypt is counted separately, in the bytes that it writes, because they are also memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import LimitExceededError

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits

UNITS_PER_CUBIC_KIBIBIT: Final = 1024**3
"""The cost of a private key is counted in bit³; limits state it in Kibit³."""
_SLOW_DIGESTS: Final = frozenset(
    {"SHA-384", "SHA-512", "SHA-512/224", "SHA-512/256", "SHA3-224", "SHA3-256", "SHA3-384", "SHA3-512"}
)
_SLOWNESS: Final = 2
_MOST_RUNS: Final = 16 * _SLOWNESS
"""The most repetitions of any output: 256 bytes, the default of pfx_key_bytes, are 16 of MD5, which is not slow."""
_HASHED_OCTETS: Final = 64
_DECIPHERED_OCTETS: Final = 16
_ITERATIONS_PER_CUBIC_KIBIBIT: Final = 20_000
"""The cost of the primes of an RSA key in iterations, per Kibit³; rounded down, so that a key of 8,192 bits fits."""
_SCRYPT_BLOCK: Final = 128  # octets of a block of RFC 7914, for r = 1
_SCRYPT_PRF: Final = "SHA-256"
_SCRYPT_PRF_OCTETS: Final = 32
_RAISED_BY_OPTION: Final = frozenset({"pfx_iterations", "pfx_total_iterations"})


class SharedWork:
    """The work of several PKCS#12 files that are loaded together, as certificates from a folder are."""

    def __init__(self) -> None:
        self.iterations = 0
        self.scrypt_bytes = 0
        self.elements = 0


class WorkBudget:
    """The work of one file, counted against the limits. Not shared between threads.

    ``shared`` is the work of all files that are loaded together; None for a single file. ``subject`` begins the
    messages.
    """

    def __init__(self, limits: Limits, *, shared: SharedWork | None = None, subject: str = "the PKCS#12 file") -> None:
        self.limits = limits
        self.subject = subject
        self._has_others = shared is not None
        self._work = SharedWork() if shared is None else shared
        self._retry_iterations = 0
        self._private_key_work = 0
        self._bags = 0
        self._elements = 0
        self._others_elements = self._work.elements
        self._most_elements = min(limits.pfx_elements, limits.pfx_all_elements - self._others_elements)
        self._deepest = limits.pfx_depth

    @property
    def iterations(self) -> int:
        """The iterations counted so far, including other work counted as iterations."""
        return self._work.iterations

    @property
    def scrypt_bytes(self) -> int:
        """The bytes of scrypt counted so far."""
        return self._work.scrypt_bytes

    def foresee(self, *, iterations: int, scrypt_bytes: int) -> None:
        """Check totals that are still to be asked for, in the units of this budget, without counting them.

        Raises :class:`~pkcs12kit.errors.LimitExceededError`.
        """
        self._require_totals(self._work.iterations + iterations, self._work.scrypt_bytes + scrypt_bytes)

    def weigh(self, iterations: int, *, digest: str | None) -> int:
        """Check the iterations of one key, and return them in the unit of this budget, without counting them.

        Raises :class:`~pkcs12kit.errors.LimitExceededError`.
        """
        self._require(iterations, "pfx_iterations", "iterations for one key")
        return (_SLOWNESS if digest in _SLOW_DIGESTS else 1) * iterations

    def scrypt_size(self, *, n: int, r: int, p: int) -> int:
        """Check N, r and p of one scrypt, and return the bytes that it writes, without counting them.

        Raises :class:`~pkcs12kit.errors.LimitExceededError`.
        """
        asked = _SCRYPT_BLOCK * n * r * p
        self._require(asked, "pfx_scrypt_bytes", "bytes for one scrypt")
        return asked

    def salt(self, octets: int) -> None:
        """Check the length of a salt. Raises :class:`~pkcs12kit.errors.LimitExceededError`."""
        self._require(octets, "kdf_salt_bytes", "bytes of salt for one key")

    def derive(self, iterations: int, *, digest: str, runs: int = 1, octets: int = 0) -> None:
        """Count one derivation, before it is done: ``runs`` times the iterations, each with ``octets`` hashed first.

        Raises :class:`~pkcs12kit.errors.LimitExceededError`.
        """
        self._require(iterations, "pfx_iterations", "iterations for one key")
        weight = _SLOWNESS if digest in _SLOW_DIGESTS else 1
        self._spend(weight * runs * (iterations + octets // _HASHED_OCTETS))

    def scrypt(self, *, n: int, r: int, p: int, octets: int, length: int) -> None:
        """Count one scrypt with ``length`` bytes of output and ``octets`` of salt and password, before it is done.

        Raises :class:`~pkcs12kit.errors.LimitExceededError`.
        """
        scrypt_bytes = self._work.scrypt_bytes + self.scrypt_size(n=n, r=r, p=p)
        self._require_totals(self._work.iterations, scrypt_bytes)
        blocks = _SCRYPT_BLOCK * r * p
        self.derive(1, digest=_SCRYPT_PRF, runs=-(-blocks // _SCRYPT_PRF_OCTETS), octets=octets)
        self.derive(1, digest=_SCRYPT_PRF, runs=-(-length // _SCRYPT_PRF_OCTETS), octets=blocks)
        self._work.scrypt_bytes = scrypt_bytes

    def decipher(self, octets: int) -> None:
        """Count the decryption of ``octets``, before it is done.

        Raises :class:`~pkcs12kit.errors.LimitExceededError`.
        """
        self._spend(octets // _DECIPHERED_OCTETS)

    def retry(self, iterations: int | None, octets: int = 0) -> bool:
        """Count one more try with a rare encoding of the password and return True, or return False beyond the budget.

        ``iterations`` are those of its derivation, None for scrypt, for which every known writer uses UTF-8.
        ``octets`` will be decrypted or hashed.
        """
        if iterations is None:
            return False
        iterations += octets // _DECIPHERED_OCTETS
        if self._retry_iterations + iterations > self.limits.pfx_retry_iterations:
            return False
        if self._work.iterations + _MOST_RUNS * iterations > self.limits.pfx_total_iterations:
            return False  # otherwise the message would be about the limit, not about the wrong password
        self._retry_iterations += iterations
        return True

    def key_length(self, length: int) -> None:
        """Check the length of a derived key in bytes. Raises :class:`~pkcs12kit.errors.LimitExceededError`."""
        self._require(length, "pfx_key_bytes", "bytes of derived key")

    def private_key_size(self, length: int) -> None:
        """Check the size of a private key in bytes. Raises :class:`~pkcs12kit.errors.LimitExceededError`."""
        self._require(length, "private_key_bytes", "bytes of one private key")

    def private_key(self, cost: int) -> None:
        """Count the loading of a private key, before it is done; ``cost`` is in bit³.

        Raises :class:`~pkcs12kit.errors.LimitExceededError`.
        """
        self._private_key_work += cost
        for work, limit in ((cost, "private_key_work"), (self._private_key_work, "pfx_private_key_work")):
            self._require(-(-work // UNITS_PER_CUBIC_KIBIBIT), limit, "Kibit³ of private keys")
        self._spend(cost * _ITERATIONS_PER_CUBIC_KIBIBIT // UNITS_PER_CUBIC_KIBIBIT)

    def bag(self) -> None:
        """Count one bag. Raises :class:`~pkcs12kit.errors.LimitExceededError`."""
        self._bags += 1
        self._require(self._bags, "pfx_bags", "bags or more")

    def element(self, depth: int) -> None:
        """Count one element of BER, ``depth`` levels deep. Raises :class:`~pkcs12kit.errors.LimitExceededError`."""
        self._elements += 1
        if self._elements > self._most_elements or depth > self._deepest:
            self._require(self._elements, "pfx_elements", "elements of BER or more")
            self._require(depth, "pfx_depth", "levels of nested BER elements")
            self._require(self._others_elements + self._elements, "pfx_all_elements", "elements of BER or more")
        self._work.elements = self._others_elements + self._elements

    def nest(self, depth: int) -> None:
        """Check the depth of nested SafeContents. Raises :class:`~pkcs12kit.errors.LimitExceededError`."""
        self._require(depth, "pfx_nesting", "levels of nested SafeContents")

    def size(self, length: int) -> None:
        """Check the size of a file in bytes. Raises :class:`~pkcs12kit.errors.LimitExceededError`."""
        self._require(length, "pfx_bytes", "bytes")

    def _spend(self, iterations: int) -> None:
        """Check work and count it. Refused work is not done, so it does not count against other files."""
        iterations += self._work.iterations
        self._require_totals(iterations, self._work.scrypt_bytes)
        self._work.iterations = iterations

    def _require_totals(self, iterations: int, scrypt_bytes: int) -> None:
        others = ", other PKCS#12 files included" if self._has_others else ""
        self._require(iterations, "pfx_total_iterations", f"iterations in all{others}")
        self._require(scrypt_bytes, "pfx_total_scrypt_bytes", f"bytes of scrypt{others}")

    def _require(self, asked: int, limit: str, unit: str) -> None:
        allowed: int = getattr(self.limits, limit)
        if asked > allowed:
            figure = f"{asked:,}" if asked < 2**64 else f"2**{asked.bit_length() - 1} or more"
            option = " (--max-iterations raises it)" if limit in _RAISED_BY_OPTION else ""
            raise LimitExceededError(
                f"{self.subject} asks for {figure} {unit}; limits.{limit} allows {allowed:,}{option}"
            )
