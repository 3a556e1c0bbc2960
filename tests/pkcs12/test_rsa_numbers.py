"""RSA private keys whose numbers are missing, wrong or too many (RFC 8017 section 3.2 and appendix A.1.2)."""

from __future__ import annotations

import subprocess

import pytest
from asn1crypto import core
from cryptography.hazmat.primitives.asymmetric import rsa

from pkcs12kit.errors import InputError, LimitExceededError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.key_encodings import UnusableKeyError, parts_of, read_key_info
from pkcs12kit.pkcs12.private_keys import cost_of_key, load_private_key, portable_key_info
from pkcs12kit.pkcs12.rsa_numbers import read_rsa_numbers
from pkcs12kit.sources.keys import read_private_key

from .pfx_parts import der, pkcs8

KEY = rsa.generate_private_key(65537, 1024)  # noqa: S505 - quick to make
OWN = KEY.private_numbers()
N, E, D, P, Q = OWN.public_numbers.n, OWN.public_numbers.e, OWN.d, OWN.p, OWN.q
NUMBERS = {"n": N, "e": E, "d": D, "p": P, "q": Q, "d_p": OWN.dmp1, "d_q": OWN.dmq1, "q_inv": OWN.iqmp}
NO_CRT = {"d_p": 0, "d_q": 0, "q_inv": 0}
NO_PRIMES = NO_CRT | {"p": 0, "q": 0}
MERSENNE = 2**2203 - 1  # a prime


ALGORITHM = parts_of(pkcs8(KEY))[1].encoding


def encoded(numbers, *, version=0, more=b""):
    """Return an RSAPrivateKey with these numbers."""
    return der(0x30, b"".join(core.Integer(number).dump() for number in (version, *numbers)) + more)


def both(data):
    """Return an RSAPrivateKey as it is and in PKCS#8."""
    return data, der(0x30, b"\x02\x01\x00" + ALGORITHM + der(0x04, data))


def load(data):
    """Load a key as the package does."""
    return load_private_key(data, WorkBudget(DEFAULT_LIMITS))


@pytest.mark.parametrize(
    "missing", [NO_PRIMES, NO_CRT, {"p": 0}, {"q_inv": 0}, NO_PRIMES | {"d": pow(E, -1, (P - 1) * (Q - 1))}]
)
def test_missing_numbers_are_computed(missing):
    """Java writes zeros for a key that it has from modulus and exponents; the whole key comes back."""
    for data in both(encoded((NUMBERS | missing).values())):
        found = load(data)
        assert {found.private_numbers().p, found.private_numbers().q} == {P, Q}
        assert found.public_key() == KEY.public_key()


def test_a_conversion_writes_all_numbers():
    """Other programs do not compute missing numbers; the algorithm and the attributes of the key stay."""
    attributes = der(0xA0, b"")
    without = both(encoded((NUMBERS | NO_PRIMES).values()))[1]
    without = der(0x30, b"".join(part.encoding for part in parts_of(without)) + attributes)
    written = portable_key_info(without, load(without))
    *_, private, rest = parts_of(written)
    assert rest.encoding == attributes
    assert read_rsa_numbers(parts_of(private.contents)).is_complete
    assert load(written).private_numbers() == load(without).private_numbers()


def test_a_key_that_ends_after_its_exponent():
    """Some programs leave the primes out instead of writing zeros."""
    own, within = both(encoded([N, E, D]))
    assert load(own).public_key() == load(within).public_key() == KEY.public_key()
    text = b"-----BEGIN RSA PRIVATE KEY-----\n" + _base64(own) + b"-----END RSA PRIVATE KEY-----\n"
    assert read_private_key(text, name="k", password=None, limits=DEFAULT_LIMITS).public_key() == KEY.public_key()


def _base64(data):
    import base64

    return base64.encodebytes(data)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"n": N + 2}, "modulus is not the product of its two primes"),
        ({"p": 1, "q": N}, "modulus is not the product of its two primes"),
        ({"p": Q, "q": P}, "Chinese remainder theorem"),
        ({"d": D + 2}, "exponents do not belong to its primes"),
        ({"e": 3}, "exponents do not belong to its primes"),
        ({"d": 0}, "exponents do not belong to its primes"),
        ({"d_p": OWN.dmp1 + 2}, "Chinese remainder theorem"),
        ({"q_inv": OWN.iqmp + 1}, "Chinese remainder theorem"),
        (NO_CRT | {"d_q": OWN.dmq1 + 2}, "Chinese remainder theorem"),
        (NO_PRIMES | {"d": D + 2}, "modulus and exponents do not belong together"),
        (NO_PRIMES | {"e": 1}, "modulus and exponents do not belong together"),
        (NO_PRIMES | {"n": 2 * N}, "modulus and exponents do not belong together"),
        (NO_PRIMES | {"n": 15, "e": 3, "d": 3}, "modulus and exponents do not belong together"),
        (NO_PRIMES | {"n": 0}, "modulus and exponents do not belong together"),
    ],
)
def test_numbers_that_do_not_fit_are_refused_with_the_reason(wrong, reason):
    """RFC 8017 section 3.2: each equation between the numbers has to hold, also for those that are computed."""
    for data in both(encoded((NUMBERS | wrong).values())):
        with pytest.raises(UnusableKeyError, match=reason):
            load(data)


def test_the_reason_has_no_number_of_the_key():
    """Neither the message nor the repr of what it was raised from shows a secret."""
    with pytest.raises(InputError, match="exponents") as raised:
        read_private_key(
            encoded((NUMBERS | {"d": D + 2}).values()), name="server.key", password=None, limits=DEFAULT_LIMITS
        )
    assert raised.value.__cause__ is None
    assert str(P) not in str(raised.value)
    assert repr(read_rsa_numbers(parts_of(encoded(NUMBERS.values())))) == "<numbers of an RSA private key of 1024 bits>"
    assert repr(read_key_info(pkcs8(KEY))) == "<encoded private key of the algorithm 1.2.840.113549.1.1.1>"
    assert repr(parts_of(pkcs8(KEY))[2]) == "<part of an encoded key with the tag 0x04>"
    assert str(raised.value).startswith("server.key: an RSA private key")


@pytest.mark.parametrize("modulus", [MERSENNE, (2**1279 - 1) ** 2], ids=["a prime", "a square"])
def test_a_modulus_without_two_primes_is_refused_at_once(monkeypatch, modulus):
    """The search for the primes would try 500 times, for ten seconds at 2,048 bits."""
    monkeypatch.setattr(rsa, "rsa_recover_prime_factors", pytest.fail)
    order = MERSENNE - 1 if modulus == MERSENNE else (2**1279 - 1) * (2**1279 - 2)
    numbers = NO_PRIMES | {"n": modulus, "e": 65537, "d": pow(65537, -1, order)}
    with pytest.raises(UnusableKeyError, match="do not belong together"):
        load(encoded((NUMBERS | numbers).values()))


def test_finding_primes_is_counted(monkeypatch):
    """The cost is that of the powers that are computed: long exponents, and many factors 2 of e d - 1, cost more."""
    sound, long, even = (
        cost_of_key(encoded((NUMBERS | NO_PRIMES | changed).values()))
        for changed in ({}, {"d": 2**20_000 + 1}, {"e": 2**500 + 1, "d": 2**500 + 1})
    )
    assert cost_of_key(encoded(NUMBERS.values())) < sound < 100 * 512**3
    assert long > 5 * sound
    assert even > 5 * sound
    monkeypatch.setattr(rsa, "rsa_recover_prime_factors", pytest.fail)
    data = encoded((NUMBERS | NO_PRIMES | {"n": 2**40_000 + 1}).values())
    with pytest.raises(LimitExceededError, match=r"limits\.private_key_work"):
        load(data)


def test_the_test_of_found_primes_is_counted(monkeypatch):
    """The primes are not known before; so their test is counted when they are found, before it is done."""
    data, counted = encoded((NUMBERS | NO_PRIMES).values()), []
    monkeypatch.setattr(WorkBudget, "private_key", lambda _, cost: counted.append(cost))
    load(data)
    assert counted == [cost_of_key(data), 2 * 512**3]


def test_keys_of_many_primes_are_named(require_tool):
    """RFC 8017 appendix A.1.2: version 1 has otherPrimeInfos. OpenSSL makes such keys, in both encodings."""
    command = [require_tool("openssl"), "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]
    made = subprocess.run([*command, "-pkeyopt", "rsa_keygen_primes:3"], capture_output=True, check=True, timeout=60)
    data = [made.stdout, *both(encoded(NUMBERS.values(), version=1)), encoded(NUMBERS.values(), more=der(0x30, b""))]
    for one in data:
        with pytest.raises(InputError, match=r"^k: an RSA private key of more than two primes .*not supported"):
            read_private_key(one, name="k", password=None, limits=DEFAULT_LIMITS)


def test_negative_numbers_are_not_numbers_of_a_key():
    """They are left to pyca/cryptography, which refuses them."""
    data = encoded((NUMBERS | {"n": -N}).values())
    assert read_rsa_numbers(parts_of(data)) is None
    with pytest.raises(InputError, match="damaged"):
        read_private_key(data, name="k", password=None, limits=DEFAULT_LIMITS)
