"""What it takes to load a private key, known from its encoding before pyca/cryptography loads it.

OpenSSL tests the primes of RSA keys (64 rounds of Miller and Rabin, 128 above 2,048 bits), and for a Diffie-Hellman key
that its modulus is a safe prime: 36 seconds for a key of 8,192 bits that takes 1 KB in a file. The primes of a hostile
RSA key may be as long as its whole encoding.
"""

from __future__ import annotations

from typing import Final, NamedTuple

UNITS_PER_CUBIC_KIBIBIT: Final = 1024**3
"""The unit of :func:`cost_of_key` is bit³."""
_LEAST_BITS: Final = 480  # a key on brainpoolP512r1 takes two milliseconds, about a tenth of a Kibit³
_FEW_ROUNDS_BITS: Final = 2048
_INTEGER: Final = 0x02
_OCTET_STRING: Final = 0x04
_SEQUENCE: Final = 0x10
_OBJECT_IDENTIFIER: Final = 0x06
_PRIMES: Final = slice(4, 6)  # RFC 8017 appendix A.1.2: version, n, e, d, p, q, d mod (p-1), d mod (q-1), 1/q mod p
_RSA_INTEGERS: Final = 9
# dhKeyAgreement of PKCS#3 and dhpublicnumber of X9.42, object identifiers without tag and length
_KEY_AGREEMENT: Final = frozenset({bytes.fromhex("2a864886f70d010301"), bytes.fromhex("2a8648ce3e0201")})


class _Element(NamedTuple):
    tag: int
    contents: bytes


def cost_of_key(der: bytes) -> int:
    """Return what it takes to load a private key, in bit³ (:data:`UNITS_PER_CUBIC_KIBIBIT`).

    ``der`` is PKCS#8 or an RSAPrivateKey (RFC 8017 appendix A.1.2), DER. For RSA it is the sum of the cubes of the
    lengths of the primes, twice for a prime above 2,048 bits; for anything else, the cube of the length of the whole
    in KiB. Raises nothing: an encoding that cannot be read counts like any other key.
    """
    lengths = _lengths_of_primes(der)
    if lengths:
        return sum(length**3 * (2 if length > _FEW_ROUNDS_BITS else 1) for length in lengths)
    return max(len(der) ** 3, _LEAST_BITS**3)


def is_for_diffie_hellman(der: bytes) -> bool:
    """Return True for a PKCS#8 key for Diffie-Hellman in a finite field, which no certificate of a server is for."""
    algorithms = _inside(der)[1:2]
    identifiers = [_children(algorithm.contents)[:1] for algorithm in algorithms if algorithm.tag == _SEQUENCE]
    return any([_Element(_OBJECT_IDENTIFIER, oid)] in identifiers for oid in _KEY_AGREEMENT)


def _lengths_of_primes(der: bytes) -> list[int]:
    """Return the lengths of p and q in bits; none where it is not an RSA key."""
    fields = _inside(der)
    for key in fields[2:3]:
        if key.tag == _OCTET_STRING:  # PKCS#8: version, algorithm, key
            fields = _inside(key.contents)
    if [field.tag for field in fields[:_RSA_INTEGERS]] != [_INTEGER] * _RSA_INTEGERS:
        return []
    return [int.from_bytes(field.contents).bit_length() for field in fields[_PRIMES]]


def _inside(der: bytes) -> list[_Element]:
    elements = _children(der)
    return _children(elements[0].contents) if elements and elements[0].tag == _SEQUENCE else []


def _children(encodings: bytes) -> list[_Element]:
    """Split the first nine of the encodings that follow one another; those after damage are left out."""
    from asn1crypto import parser

    found: list[_Element] = []
    while encodings and len(found) < _RSA_INTEGERS:
        try:
            _, _, tag, header, contents, trailer = parser.parse(encodings)
        except ValueError:
            break
        found.append(_Element(tag, contents))
        encodings = encodings[len(header) + len(contents) + len(trailer) :]
    return found
