"""What one PFX may still ask for, counted before the work is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import LimitExceededError
from pkcs12kit.limits import KIB

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.derivation import KeyDerivation, ScryptCost

_MOST_RUNS: Final = 64
"""More than any output takes: 1,024 bytes of SHA-1 are 52 runs."""
_RAISED_BY_OPTION: Final = frozenset({"pfx_iterations", "pfx_total_iterations"})


class Budget:
    """Counts what one file asks for against the limits. Not shared between threads."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._iterations = 0
        self._retry_iterations = 0
        self._scrypt_bytes = 0
        self._private_key_work = 0
        self._bags = 0
        self._elements = 0

    def foresee(self, derivations: Iterable[KeyDerivation]) -> None:
        """Check what all these derivations ask for, without counting them. Raises :class:`LimitExceededError`."""
        iterations = scrypt_bytes = 0
        for derivation in derivations:
            if derivation.cost is not None and min(derivation.cost) > 0:
                scrypt_bytes += self._require_scrypt(derivation.cost)
            iterations += self._require_iterations(derivation.iterations or 0)
        self._require_totals(iterations, scrypt_bytes)

    def derive(self, iterations: int, *, blocks: int = 1) -> None:
        """Count one derivation whose output takes ``blocks`` runs. Raises :class:`LimitExceededError` before it."""
        self._iterations += blocks * self._require_iterations(iterations)
        self._require_totals(self._iterations, self._scrypt_bytes)

    def retry(self, iterations: int | None) -> bool:
        """Whether the budget has one more derivation, with a rare encoding of the password; if so, count it.

        None for a scrypt: no writer is known that gives it anything but UTF-8.
        """
        if iterations is None or self._retry_iterations + iterations > self.limits.pfx_retry_iterations:
            return False
        if self._iterations + _MOST_RUNS * iterations > self.limits.pfx_total_iterations:
            return False  # running out of the total would hide that the password is wrong
        self._retry_iterations += iterations
        return True

    def scrypt(self, cost: ScryptCost) -> None:
        """Count one scrypt. Raises :class:`LimitExceededError` before it."""
        self._scrypt_bytes += self._require_scrypt(cost)
        self._require_totals(self._iterations, self._scrypt_bytes)

    def key_length(self, length: int) -> None:
        """Check the length of a derived key in bytes. Raises :class:`LimitExceededError`."""
        _require(length, self.limits.pfx_key_bytes, "pfx_key_bytes", "bytes of derived key")

    def private_key(self, length: int) -> None:
        """Count the work of loading a private key of ``length`` bytes. Raises :class:`LimitExceededError` before it."""
        _require(length, self.limits.private_key_bytes, "private_key_bytes", "bytes of one private key")
        self._private_key_work += length**3
        work = -(-self._private_key_work // KIB**3)
        _require(work, self.limits.pfx_private_key_work, "pfx_private_key_work", "KiB³ of private keys")

    def bag(self) -> None:
        """Count one bag. Raises :class:`LimitExceededError`."""
        self._bags += 1
        _require(self._bags, self.limits.pfx_bags, "pfx_bags", "bags or more")

    def element(self, depth: int) -> None:
        """Count one element of BER, ``depth`` levels deep. Raises :class:`LimitExceededError`."""
        self._elements += 1
        if self._elements > self.limits.pfx_elements or depth > self.limits.pfx_depth:
            _require(self._elements, self.limits.pfx_elements, "pfx_elements", "elements of BER or more")
            _require(depth, self.limits.pfx_depth, "pfx_depth", "elements of BER in one another")

    def nest(self, depth: int) -> None:
        """Check how deep SafeContents lie in one another. Raises :class:`LimitExceededError`."""
        _require(depth, self.limits.pfx_nesting, "pfx_nesting", "SafeContents in one another")

    def size(self, length: int) -> None:
        """Check the size of a file in bytes. Raises :class:`LimitExceededError`."""
        _require(length, self.limits.pfx_bytes, "pfx_bytes", "bytes")

    def _require_iterations(self, iterations: int) -> int:
        _require(iterations, self.limits.pfx_iterations, "pfx_iterations", "iterations for one key")
        return iterations

    def _require_scrypt(self, cost: ScryptCost) -> int:
        asked = 128 * cost.n * cost.r * cost.p
        _require(asked, self.limits.pfx_scrypt_bytes, "pfx_scrypt_bytes", "bytes for one scrypt")
        return asked

    def _require_totals(self, iterations: int, scrypt_bytes: int) -> None:
        _require(iterations, self.limits.pfx_total_iterations, "pfx_total_iterations", "iterations in all")
        _require(scrypt_bytes, self.limits.pfx_total_scrypt_bytes, "pfx_total_scrypt_bytes", "bytes of scrypt")


def _require(asked: int, allowed: int, limit: str, what: str) -> None:
    if asked > allowed:
        figure = f"{asked:,}" if asked < 2**64 else f"2**{asked.bit_length() - 1} or more"
        option = " (--max-iterations raises it)" if limit in _RAISED_BY_OPTION else ""
        raise LimitExceededError(
            f"the PKCS#12 file asks for {figure} {what}; limits.{limit} allows {allowed:,}{option}"
        )
