"""The numbers of an RSA private key (RFC 8017 appendix A.1.2): completed where they can be, else with the reason.

Some programs write only the modulus and the exponents, with zeros for the rest: Java does for keys that it made from
those. The primes are recovered from them by pyca/cryptography, within a budget.
"""

from __future__ import annotations

from math import gcd
from secrets import randbelow
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa

from pkcs12kit.pkcs12.key_encodings import INTEGER, REFUSALS, UnknownKeyError, UnusableKeyError

if TYPE_CHECKING:
    from pkcs12kit.pkcs12.budget import WorkBudget
    from pkcs12kit.pkcs12.key_encodings import EncodedPart

_NUMBERS: Final = 9  # version, n, e, d, p, q, d mod (p-1), d mod (q-1), 1/q mod p
_NUMBERS_WITHOUT_PRIMES: Final = 4
_FEW_ROUNDS_BITS: Final = 2048
_SHORTEST_MODULUS_BITS: Final = 512
# Each of the tries by which the primes are found raises a number to as many powers as e d - 1 has factors 2. The
# probability of so many is below 2**-50 for the primes of a sound key.
_MOST_FACTORS_OF_2: Final = 64
_EXPECTED_TRIES: Final = 2
_CHECKS: Final = 3
_POWERS_FOR_ONE_TEST: Final = (
    8  # Python raises to a power in an eighth of the time that OpenSSL's test of a prime takes
)


class RsaNumbers(NamedTuple):
    """The numbers of an RSA private key, spelled as in RFC 8017; those that are missing are 0."""

    version: int
    n: int
    e: int
    d: int
    p: int = 0
    q: int = 0
    d_p: int = 0
    d_q: int = 0
    q_inv: int = 0

    def __repr__(self) -> str:
        return f"<numbers of an RSA private key of {self.n.bit_length()} bits>"

    @property
    def cost(self) -> int:
        """The cost of loading the key in bit³; see :func:`~pkcs12kit.pkcs12.private_keys.cost_of_key`."""
        if not self.p or not self.q:
            powers = _CHECKS + _EXPECTED_TRIES * self._factors_of_2
            bits = max(self.d.bit_length() + self.e.bit_length(), self.n.bit_length())
            return powers * bits * self.n.bit_length() ** 2 // _POWERS_FOR_ONE_TEST
        lengths = (self.p.bit_length(), self.q.bit_length())
        return sum(length**3 * (2 if length > _FEW_ROUNDS_BITS else 1) for length in lengths)

    @property
    def _factors_of_2(self) -> int:
        multiple = self.e * self.d - 1
        return (multiple & -multiple).bit_length() - 1 if multiple > 0 else 0

    @property
    def is_complete(self) -> bool:
        """True if no number is missing."""
        return all((self.n, self.e, self.d, self.p, self.q, self.d_p, self.d_q, self.q_inv))

    def private_key(self, budget: WorkBudget) -> rsa.RSAPrivateKey:
        """Return the key with the missing numbers computed.

        That the numbers belong together is checked. Raises :class:`UnusableKeyError`, and
        :class:`~pkcs12kit.errors.LimitExceededError` before any work beyond the budget.
        """
        n, e, d = self.n, self.e, self.d
        p, q = (self.p, self.q) if self.p and self.q else self._recover_primes(budget)
        try:
            numbers = rsa.RSAPrivateNumbers(
                p=p,
                q=q,
                d=d,
                dmp1=self.d_p or rsa.rsa_crt_dmp1(d, p),
                dmq1=self.d_q or rsa.rsa_crt_dmq1(d, q),
                iqmp=self.q_inv or rsa.rsa_crt_iqmp(p, q),
                public_numbers=rsa.RSAPublicNumbers(e=e, n=n),
            )
            return numbers.private_key()
        except (*REFUSALS, ZeroDivisionError):
            raise UnusableKeyError(self.why_refused()) from None

    def _recover_primes(self, budget: WorkBudget) -> tuple[int, int]:
        """Return the two primes.

        The algorithm succeeds at each try with a probability of a half, if n has two different primes and e d - 1 is a
        multiple of what it has to be. Otherwise it could try 500 times, so both are checked first: 2**n - 2 has a
        factor in common with n if n is a prime or the power of one, and powers of random numbers show the other.
        """
        n, e, d = self.n, self.e, self.d
        if n.bit_length() < _SHORTEST_MODULUS_BITS or n % 2 == 0 or e < 2 or d < 2:  # noqa: PLR2004 - 1 encrypts nothing
            raise UnusableKeyError(self.why_refused())
        base = 2 + randbelow(n - 3)
        if self._factors_of_2 > _MOST_FACTORS_OF_2 or pow(base, e * d, n) != base or gcd(pow(2, n, n) - 2, n) != 1:
            raise UnusableKeyError(self.why_refused())
        try:
            p, q = rsa.rsa_recover_prime_factors(n, e, d)
        except (*REFUSALS, AssertionError, ZeroDivisionError):
            raise UnusableKeyError(self.why_refused()) from None
        budget.private_key(self._replace(p=p, q=q).cost)
        return p, q

    def why_refused(self) -> str:
        """Return why these numbers are refused, as text for :class:`UnusableKeyError`."""
        n, e, d, p, q = self.n, self.e, self.d, self.p, self.q
        if not p or not q:
            wrong = "whose modulus and exponents do not belong together"
        elif n != p * q or 1 in {p, q}:
            wrong = "whose modulus is not the product of its two primes"
        elif (e * d - 1) % (p - 1) or (e * d - 1) % (q - 1):
            wrong = "whose exponents do not belong to its primes"
        elif any(
            stated and stated != right
            for stated, right in ((self.d_p, d % (p - 1)), (self.d_q, d % (q - 1)), (self.q_inv * q % p, 1))
        ):
            wrong = "whose values for the Chinese remainder theorem (dP, dQ, qInv) do not belong to its other numbers"
        else:
            wrong = "whose numbers OpenSSL refuses: a factor of its modulus is not a prime, or it is too short"
        return f"an RSA private key {wrong} (RFC 8017 section 3.2): export the key again from the program that made it"


def read_rsa_numbers(parts: list[EncodedPart]) -> RsaNumbers | None:
    """Return the numbers of an RSAPrivateKey (RFC 8017 appendix A.1.2), None if the parts are something else.

    ``parts`` are those of its SEQUENCE. A key that ends after its private exponent is read as well.
    """
    if len(parts) not in {_NUMBERS_WITHOUT_PRIMES, _NUMBERS} or any(part.tag != INTEGER for part in parts):
        return None
    numbers = RsaNumbers(*(int.from_bytes(part.contents, signed=True) for part in parts))
    return numbers if min(numbers) >= 0 else None


def refuse_many_primes(parts: list[EncodedPart]) -> None:
    """Raise :class:`UnknownKeyError` for an RSA key of more than two primes (RFC 8017 appendix A.1.2, version 1)."""
    tags = [part.tag for part in parts]
    is_rsa = tags[:_NUMBERS] == [INTEGER] * _NUMBERS
    if is_rsa and (len(tags) > _NUMBERS or parts[0].contents == b"\x01"):
        raise UnknownKeyError(
            "an RSA private key of more than two primes (RFC 8017 appendix A.1.2), which is not supported: make a new"
            " key of two primes"
        )
