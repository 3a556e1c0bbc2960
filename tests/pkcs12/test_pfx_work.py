"""The work of key derivations and keys: what is counted is what they cost, and what is counted has a bound.

Costs are counted in calls of the compression function of the hash, by the standards' own formulas, not in seconds.
"""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import replace

import pytest
from asn1crypto import core, keys
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.errors import InputError, LimitExceededError, Pkcs12KitError, UnsupportedPfxError
from pkcs12kit.limits import DEFAULT_LIMITS, KIB, MIB
from pkcs12kit.pkcs12 import derivation, pkcs12_kdf
from pkcs12kit.pkcs12.budget import SharedWork, WorkBudget
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.derivation import KeyDerivation, ScryptCost
from pkcs12kit.pkcs12.digests import DIGESTS, digest_size
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.pending_keys import PendingKey
from pkcs12kit.pkcs12.private_keys import cost_of_key
from pkcs12kit.pkcs12.protection import PBKDF1, PBKDF2, PKCS12KDF, SCRYPT
from pkcs12kit.sources.keys import read_private_key
from pkcs12kit.sources.loading import load_certificates

from .conftest import PASSWORD
from .pfx_parts import bag_of, bags_of, der, encrypted_safe, make_pfx, octets_password, oid, plain_safe

LONG_PASSWORD = 64 * KIB  # what the command line takes at most
PER_UNIT = 6
"""Calls of the compression function for one unit of the budget, at most: an iteration of HMAC is two, the rest of a run
of one iteration (lengths, padding, the key of HMAC) four."""
KDF_OIDS = {PBKDF2: "1.2.840.113549.1.5.12", SCRYPT: "1.3.6.1.4.1.11591.4.11"}


def blocks(octets, digest):
    """Calls of the compression function for so many octets and their padding."""
    size = 72 if digest == "SHA3-512" else 64  # the shortest rate or block there is, but for SHA3-512
    return (octets + 17) // size + 1


def compressions(kdf, *, password, length):
    """Return the work of one derivation by its standard; ``password`` is a number of octets, as encoded for it."""
    salt, digest, iterations = len(kdf.salt), kdf.digest, kdf.iterations
    if kdf.algorithm == SCRYPT:  # RFC 7914 section 6: PBKDF2 of the password, ROMix, PBKDF2 with that for salt
        _, r, p = kdf.cost
        first = replace(kdf, algorithm=PBKDF2, digest="SHA-256", iterations=1)
        second = replace(first, salt=bytes(128 * r * p))
        return compressions(first, password=password, length=128 * r * p) + compressions(
            second, password=password, length=length
        )
    runs = -(-length // digest_size(digest))
    if kdf.algorithm == PBKDF2:  # RFC 8018 section 5.2; the two blocks of HMAC's key are hashed once
        return 2 + blocks(password, digest) + runs * (blocks(salt + 4, digest) + 1 + 2 * (iterations - 1))
    if kdf.algorithm == PKCS12KDF:  # RFC 7292 appendix B.2: D, S and P are filled up to whole blocks
        filled = sum(-(-octets // 64) * 64 for octets in (salt, password))
        return runs * (blocks(128 + filled, digest) + iterations - 1)
    return blocks(password + salt, digest) + iterations - 1


def derivations():
    """List every key derivation with each parameter at its least and at its limit."""
    limits = DEFAULT_LIMITS
    for algorithm, digest in itertools.product((PBKDF1, PBKDF2, PKCS12KDF), DIGESTS):
        for iterations, salt in itertools.product((1, limits.pfx_iterations), (0, limits.kdf_salt_bytes)):
            yield KeyDerivation(algorithm=algorithm, digest=digest, iterations=iterations, salt=bytes(salt))
    most = limits.pfx_scrypt_bytes // 128
    for n, r, p, salt in (
        (2, most // 2, 1, limits.kdf_salt_bytes),
        (2, 1, most // 2, limits.kdf_salt_bytes),
        (2, 1, most // 2, 0),
        (most, 1, 1, limits.kdf_salt_bytes),
        (2, 1, 1, 0),
        (1024, 8, most // 8192, 8),
    ):
        yield KeyDerivation(algorithm=SCRYPT, salt=bytes(salt), cost=ScryptCost(n=n, r=r, p=p))


@pytest.fixture
def no_work(monkeypatch):
    """Key derivations are counted and not run; the iterations that others would not have waited for are listed."""
    done = []

    class NoKey(PendingKey):
        @property
        def octets(self):
            done.append(self.side_by_side)
            return b""

    monkeypatch.setattr(derivation, "PendingKey", NoKey)
    return done


def counted(kdf, password, length):
    """Prepare a derivation by ``kdf`` and give the budget; None where it refuses."""
    budget = WorkBudget(DEFAULT_LIMITS)
    try:
        kdf.prepare(octets_password(bytes(password)), length, budget)
    except LimitExceededError:
        return None
    return budget


def test_what_is_counted_is_the_cost(no_work):
    """RFC 8018, 7292 and 7914: for all parameters, the budget counts the hashing, and limits the total."""
    accepted = 0
    for kdf in derivations():
        for password, length in itertools.product((0, 32, LONG_PASSWORD), (1, 32, DEFAULT_LIMITS.pfx_key_bytes)):
            budget = counted(kdf, password, length)
            if budget is None:
                continue
            accepted += 1
            cost = compressions(kdf, password=password, length=length)
            assert cost <= PER_UNIT * (budget.iterations + 1), (kdf, password, length)
            assert cost <= PER_UNIT * DEFAULT_LIMITS.pfx_total_iterations
            if kdf.cost is not None:
                n, r, p = kdf.cost
                assert budget.scrypt_bytes == 128 * n * r * p <= DEFAULT_LIMITS.pfx_scrypt_bytes
    assert accepted > 300
    assert no_work == [], "it is counted before it is done"


def test_the_model_counts_hashing(monkeypatch):
    """RFC 7292 appendix B.2 done with a hash that counts: the model of the cost is no lower than what it takes."""
    import hashlib

    for salt, password, length, iterations in itertools.product((0, 8, 1024), (0, 40, 5000), (1, 64), (1, 50)):
        octets = []

        class CountingHash:
            block_size, digest_size = 64, 32

            def copy(self):
                return CountingHash()

            def update(self, data, octets=octets):
                octets.append(len(data))
                self.digest = hashlib.sha256(data).digest

        monkeypatch.setattr(pkcs12_kdf, "new_hash", lambda _, made=CountingHash: made())
        kdf = KeyDerivation(algorithm=PKCS12KDF, digest="SHA-256", iterations=iterations, salt=bytes(salt))
        kdf.derive(octets_password(bytes(password)), length, WorkBudget(DEFAULT_LIMITS))
        monkeypatch.undo()
        taken = sum((number + 8) // 64 + 1 for number in octets if number)
        assert taken <= compressions(kdf, password=password, length=length) <= taken + 2 * len(octets)


def kdf_identifier(kdf, *, length=None):
    """Encode the AlgorithmIdentifier of PBKDF2 or scrypt."""
    numbers = kdf.cost if kdf.cost is not None else (kdf.iterations,)
    numbers = (*numbers, *(() if length is None else (length,)))
    parameters = der(0x04, kdf.salt) + b"".join(core.Integer(number).dump() for number in numbers)
    if kdf.algorithm == PBKDF2:
        parameters += der(0x30, oid("1.2.840.113549.2.9") + b"\x05\x00")
    return der(0x30, oid(KDF_OIDS[kdf.algorithm]) + der(0x30, parameters))


def identifier_of(kdf):
    """Encode the AlgorithmIdentifier of an encryption under such a key."""
    if kdf.algorithm in KDF_OIDS:
        cipher = der(0x30, oid("2.16.840.1.101.3.4.1.42") + der(0x04, bytes(16)))
        return der(0x30, oid("1.2.840.113549.1.5.13") + der(0x30, kdf_identifier(kdf) + cipher))
    scheme = {PKCS12KDF: "1.2.840.113549.1.12.1.3", PBKDF1: "1.2.840.113549.1.5.3"}[kdf.algorithm]
    return der(0x30, oid(scheme) + der(0x30, der(0x04, kdf.salt) + core.Integer(kdf.iterations).dump()))


def pbmac1(kdf, length):
    """Encode a MacData by PBMAC1 (RFC 9879) that no password verifies."""
    hmac = der(0x30, oid("1.2.840.113549.2.9") + b"\x05\x00")
    algorithm = der(0x30, oid("1.2.840.113549.1.5.14") + der(0x30, kdf_identifier(kdf, length=length) + hmac))
    return der(0x30, der(0x30, algorithm + der(0x04, bytes(32))) + der(0x04, b"x") + b"\x02\x01\x01")


def hungry(algorithm, iterations, salt, cost=ScryptCost(n=2, r=1, p=2**17)):  # noqa: B008
    """A key derivation as a hostile file states it."""
    if algorithm == SCRYPT:
        return KeyDerivation(algorithm=SCRYPT, salt=bytes(salt), cost=cost)
    return KeyDerivation(algorithm=algorithm, digest="SHA-256", iterations=iterations, salt=bytes(salt))


KINDS = (PBKDF1, PBKDF2, PKCS12KDF, SCRYPT)


def test_one_file_with_every_parameter_at_its_limit(no_work):
    """A file that asks for the most of every key derivation at once is refused before any of it is done."""
    limits = DEFAULT_LIMITS
    greedy = [hungry(kind, limits.pfx_iterations, limits.kdf_salt_bytes) for kind in KINDS]
    safes = [encrypted_safe(identifier_of(kdf), bytes(64)) for kdf in greedy * 3]
    mac = pbmac1(hungry(PBKDF2, limits.pfx_iterations, limits.kdf_salt_bytes), limits.pfx_key_bytes)
    for read in (decode_pfx, inspect_pfx):
        with pytest.raises(LimitExceededError, match="pfx_total_iterations"):
            read(make_pfx(safes, mac), password=PASSWORD)
    assert no_work == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_salt_beyond_the_limit(kind, no_work):
    """RFC 8018 section 4.1 sets no limit on salts: ``kdf_salt_bytes`` does, inclusive, for every salt."""
    for excess in (0, 1):
        kdf = hungry(kind, 1, DEFAULT_LIMITS.kdf_salt_bytes + excess, ScryptCost(n=2, r=1, p=1))
        shrouded = bag_of(2, der(0x30, identifier_of(kdf) + der(0x04, bytes(64))))
        files = [
            make_pfx([encrypted_safe(identifier_of(kdf), bytes(64))]),
            make_pfx([shrouded_in_the_clear(shrouded)]),
        ]
        if kind in KDF_OIDS:
            files.append(make_pfx([plain_safe()], pbmac1(kdf, 32)))
        for data in files:
            with pytest.raises(Pkcs12KitError) as raised:
                decode_pfx(data, password=PASSWORD)
            assert ("limits.kdf_salt_bytes allows 1,024" in str(raised.value)) is bool(excess)
        key = der(0x30, identifier_of(kdf) + der(0x04, bytes(64)))
        with pytest.raises(InputError) as raised:
            read_private_key(key, name="server.key", password=PASSWORD, limits=DEFAULT_LIMITS)
        assert ("server.key: the private key asks for 1,025 bytes of salt" in str(raised.value)) is bool(excess)
    with pytest.raises(Pkcs12KitError, match="kdf_salt_bytes"):  # among certificates, without a password
        load_certificates(make_pfx([encrypted_safe(identifier_of(kdf), bytes(64))]))
    assert len(no_work) < 40


def shrouded_in_the_clear(*bags):
    """A safe that is not encrypted, of encodings of bags."""
    from asn1crypto import cms

    return cms.ContentInfo({"content_type": "data", "content": bags_of(*bags)}).dump()


def test_files_among_certificates_share_one_budget(no_work, tmp_path):
    """A folder of files, each within its limits, asks for no more work than one file may."""
    kdf = hungry(PBKDF2, DEFAULT_LIMITS.pfx_iterations, 8)
    data = make_pfx([encrypted_safe(identifier_of(kdf), bytes(64))])
    for number in range(40):
        (tmp_path / f"{number:02}.p12").write_bytes(data)
    with pytest.raises(InputError, match="no certificate in it can be read"):
        load_certificates(tmp_path, password=PASSWORD)
    asked = sum(no_work)
    assert DEFAULT_LIMITS.pfx_total_iterations // 2 < asked <= DEFAULT_LIMITS.pfx_total_iterations


def test_elements_of_files_among_certificates_are_counted_together():
    """``pfx_all_elements`` is of all of them; what one took counts for the next."""
    work = SharedWork()
    limits = replace(DEFAULT_LIMITS, pfx_all_elements=10)
    for _ in range(2):
        budget = WorkBudget(limits, shared=work)
        for _ in range(5):
            budget.element(1)
    with pytest.raises(LimitExceededError, match=r"11 elements of BER or more; limits\.pfx_all_elements allows 10"):
        WorkBudget(limits, shared=work).element(1)


def rsa_info(p, q):
    """The PKCS#8 of an RSA key whose other numbers make no sense."""
    names = ("modulus", "public_exponent", "private_exponent", "prime1", "prime2", "exponent1", "exponent2")
    numbers = dict(zip((*names, "coefficient"), (p * q, 3, 3, p, q, 1, 1, 1), strict=True))
    key = keys.RSAPrivateKey({"version": 0, **numbers})
    return keys.PrivateKeyInfo({"version": 0, "private_key_algorithm": {"algorithm": "rsa"}, "private_key": key}).dump()


def diffie_hellman(bits, algorithm):
    """A PKCS#8 key for Diffie-Hellman; ``algorithm`` is dotted."""
    parameters = core.Integer(2**bits - 1).dump() + core.Integer(5).dump()
    identifier = der(0x30, oid(algorithm) + der(0x30, parameters))
    return der(0x30, b"\x02\x01\x00" + identifier + der(0x04, core.Integer(5**50).dump()))


MERSENNE = 2**9689 - 1  # a prime; one with many bits in few seconds, and it takes OpenSSL half a minute to test


def test_private_keys_are_counted_by_their_primes(monkeypatch):
    """A key of 2.5 KB with one long prime took 32 seconds: a cost by the length of the key does not see that."""
    monkeypatch.setattr("pkcs12kit.pkcs12.private_keys.load_der_private_key", pytest.fail)
    hostile = rsa_info(MERSENNE, 3)
    assert len(hostile) < 2500
    for data in (hostile, keys.PrivateKeyInfo.load(hostile)["private_key"].parsed.dump()):
        with pytest.raises(
            LimitExceededError, match=r"1,695 Kibit³ of private keys; limits\.private_key_work allows 256"
        ):
            decode_pfx(make_pfx([shrouded_in_the_clear(bag_of(1, data))]), password=None)
        with pytest.raises(LimitExceededError, match=r"server\.key: .*limits\.private_key_work allows 256"):
            read_private_key(data, name="server.key", password=None, limits=DEFAULT_LIMITS)


def test_the_cost_of_sound_keys():
    """RSA keys of 2,048 bits have two primes of 1,024: two Kibit³. Short keys of others take a tenth."""
    for key, least, most in (
        (rsa.generate_private_key(65537, 2048), 1.98, 2.0),
        (ec.generate_private_key(ec.SECP521R1()), 0.1, 0.11),
    ):
        for layout in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
            assert least < cost_of_key(key.private_bytes(Encoding.DER, layout, NoEncryption())) / KIB**3 <= most
    for damaged in (b"", b"\x30", b"\x30\x80", os.urandom(100)):
        assert cost_of_key(damaged) == 480**3


@pytest.mark.parametrize("algorithm", ["1.2.840.113549.1.3.1", "1.2.840.10046.2.1"])
def test_keys_for_diffie_hellman_are_not_loaded(monkeypatch, algorithm):
    """A server's certificate is not for one, and testing its modulus takes half a minute."""
    monkeypatch.setattr("pkcs12kit.pkcs12.private_keys.load_der_private_key", pytest.fail)
    data = diffie_hellman(8192, algorithm)
    decoded = decode_pfx(make_pfx([shrouded_in_the_clear(bag_of(1, data))]), password=None)
    with pytest.raises(UnsupportedPfxError, match=r"a private key for Diffie-Hellman .*which cannot sign"):
        _ = decoded.private_key
    with pytest.raises(InputError, match=r"server\.key: a private key for Diffie-Hellman .*which cannot sign"):
        read_private_key(data, name="server.key", password=None, limits=DEFAULT_LIMITS)


def closed_safes(kind, count, iterations=0, salt=DEFAULT_LIMITS.kdf_salt_bytes, size=64):
    """Safes under one kind of key derivation; ``size`` is that of each ciphertext."""
    return [encrypted_safe(identifier_of(hungry(kind, iterations, salt)), bytes(size))] * count


def small_key():
    """An EC key that takes long for its length."""
    return ec.generate_private_key(ec.BrainpoolP512R1()).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )


MOST = DEFAULT_LIMITS.pfx_key_bytes
# Files that take as much as the limits allow, each in one way.
WORST = {
    "PKCS12KDF": lambda: make_pfx(closed_safes(PKCS12KDF, 5, 640_000, 8)),
    "PBKDF1": lambda: make_pfx(closed_safes(PBKDF1, 5, 1_900_000, 8)),
    "PBKDF2": lambda: make_pfx(closed_safes(PBKDF2, 5, 1_900_000, 8)),
    "PBMAC1": lambda: make_pfx([plain_safe()], pbmac1(hungry(PBKDF2, 1_200_000, 1024), MOST)),
    "scrypt, long salts": lambda: make_pfx(closed_safes(SCRYPT, 1)),
    "scrypt": lambda: make_pfx(closed_safes(SCRYPT, 4, salt=8)),
    "scrypt for a MAC": lambda: make_pfx([plain_safe()], pbmac1(hungry(SCRYPT, 0, 8), MOST)),
    "a long ciphertext": lambda: make_pfx(closed_safes(PBKDF1, 1, 1, 8, 15 * MIB)),
    "many tries": lambda: make_pfx(closed_safes(PKCS12KDF, 1900, 1, 1024)),
    "RSA keys": lambda: make_pfx([shrouded_in_the_clear(*[bag_of(1, rsa_info(2**3217 - 1, 3))] * 4)]),
    "small keys": lambda: make_pfx([shrouded_in_the_clear(*[bag_of(1, small_key())] * 1990)]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WORST)
def test_clock_of_the_worst_files(name):
    """The processor time of reading any file with any password is about ten seconds on an idle core."""
    data = WORST[name]()
    for read, password in ((decode_pfx, "é" * 30_000), (inspect_pfx, "é" * 20)):
        start = time.process_time()
        try:
            read(data, password=password)  # inspect_pfx goes on where a part does not open
            ended = "read"
        except Pkcs12KitError as error:
            ended = str(error)
        taken = time.process_time() - start
        print(f"{read.__name__}, {name}: {taken:.1f} s, {ended[:100]}")  # noqa: T201  # for the page about limits
        assert taken < 25
