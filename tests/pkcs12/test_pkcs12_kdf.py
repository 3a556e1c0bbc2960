"""PKCS12KDF by libcrypto derives as Python does, or is not used; PBKDF2 by pyca/cryptography as hashlib."""

from __future__ import annotations

import hashlib
import sys
from types import SimpleNamespace

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf import pbkdf2
from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import derivation, libcrypto
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.derivation import KeyDerivation
from pkcs12kit.pkcs12.digests import DIGESTS
from pkcs12kit.pkcs12.passwords import ABSENT, encode_password
from pkcs12kit.pkcs12.pkcs12_kdf import KdfInputs, pkcs12_kdf
from pkcs12kit.pkcs12.protection import PBKDF2, PKCS12KDF

from ..thoroughness import examples

SALTS = st.binary(max_size=200)
PASSWORDS = st.one_of(
    st.just(ABSENT),
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=150).map(encode_password),
)
INPUTS = KdfInputs(password=b"\0p\0\0", salt=b"saltsalt", iterations=5, purpose=3, length=70)


@pytest.fixture
def afresh():
    """Look for libcrypto again, and forget it afterwards."""

    def forget():
        libcrypto._loaded.cache_clear()
        libcrypto.libcrypto_kdf.cache_clear()

    forget()
    yield
    forget()


@settings(max_examples=examples(600), deadline=None)
@given(
    digest=st.sampled_from(list(DIGESTS)),
    password=PASSWORDS,
    salt=SALTS,
    iterations=st.integers(1, 20),
    purpose=st.sampled_from((1, 2, 3)),
    length=st.integers(1, 256),
)
def test_libcrypto_agrees_with_python(cannot_run, digest, password, salt, iterations, purpose, length):
    """RFC 7292 appendix B.2: every digest and purpose, across the borders of blocks of password, salt and output."""
    native = libcrypto.libcrypto_kdf(digest)
    if native is None:
        cannot_run("Python's hashlib does not lead to a libcrypto")
    inputs = KdfInputs(password=password.bmp, salt=salt, iterations=iterations, purpose=purpose, length=length)
    assert native(inputs) == pkcs12_kdf(inputs, digest=digest)


@settings(max_examples=examples(300), deadline=None)
@given(
    digest=st.sampled_from(list(DIGESTS)),
    password=PASSWORDS,
    salt=SALTS,
    iterations=st.integers(1, 20),
    length=st.integers(1, 256),
)
def test_pbkdf2_agrees_with_hashlib(digest, password, salt, iterations, length):
    """RFC 8018 section 5.2: two implementations."""
    kdf = KeyDerivation(algorithm=PBKDF2, digest=digest, iterations=iterations, salt=salt)
    derived = kdf.derive(password, length, WorkBudget(DEFAULT_LIMITS))
    assert derived == hashlib.pbkdf2_hmac(DIGESTS[digest], password.utf8, salt, iterations, length)


def test_hashlib_does_what_pyca_does_not(monkeypatch):
    """A build of pyca/cryptography may not support each digest."""

    def refuse(**_):
        raise UnsupportedAlgorithm("MD5")

    kdf = KeyDerivation(algorithm=PBKDF2, digest="MD5", iterations=2, salt=b"saltsalt")
    expected = kdf.derive(encode_password("pw"), 40, WorkBudget(DEFAULT_LIMITS))
    monkeypatch.setattr(pbkdf2, "PBKDF2HMAC", refuse)
    assert kdf.derive(encode_password("pw"), 40, WorkBudget(DEFAULT_LIMITS)) == expected


def no_ctypes(monkeypatch):
    """A Python that was built without libffi."""
    monkeypatch.setitem(sys.modules, "ctypes", None)


def no_hashlib(monkeypatch):
    """A Python without OpenSSL."""
    monkeypatch.setitem(sys.modules, "_hashlib", None)


def in_fips_mode(monkeypatch):
    """An OpenSSL whose default is its FIPS provider."""
    monkeypatch.setitem(sys.modules, "_hashlib", SimpleNamespace(get_fips_mode=lambda: 1, __file__="x"))


def built_in(monkeypatch):
    """An OpenSSL that is part of the interpreter."""
    monkeypatch.setitem(sys.modules, "_hashlib", SimpleNamespace(get_fips_mode=lambda: 0))


def not_loaded_yet(monkeypatch):
    """A module that the process has not loaded."""
    monkeypatch.setitem(sys.modules, "_hashlib", SimpleNamespace(get_fips_mode=lambda: 0, __file__="/nowhere/x.so"))


def on_windows(monkeypatch):
    """There is no RTLD_NOLOAD."""
    monkeypatch.setattr(libcrypto.sys, "platform", "win32")


def of_an_unknown_version(monkeypatch):
    """LibreSSL, for example."""
    monkeypatch.setattr(libcrypto, "_is_known", lambda _: False)


def without_the_function(monkeypatch):
    """A library that leaves it out."""
    monkeypatch.setattr(libcrypto, "_functions", lambda _: (_ for _ in ()).throw(AttributeError("PKCS12_key_gen_uni")))


def answering(monkeypatch, *, done, octet=b"\0", found=1):
    """Let a libcrypto answer with the same octet throughout."""

    def derive(*asked):
        asked[7].value = octet * (asked[6] - 1)
        return done

    made = libcrypto._Libcrypto(derive, lambda _: found, lambda: None)
    monkeypatch.setattr(libcrypto, "_loaded", lambda: made)


FAULTS = {
    "no ctypes": no_ctypes,
    "no OpenSSL in Python": no_hashlib,
    "FIPS": in_fips_mode,
    "static": built_in,
    "not loaded": not_loaded_yet,
    "Windows": on_windows,
    "another version": of_an_unknown_version,
    "no function": without_the_function,
    "an error": lambda monkeypatch: answering(monkeypatch, done=0),
    "a wrong answer": lambda monkeypatch: answering(monkeypatch, done=1, octet=b"x"),
    "no such digest": lambda monkeypatch: answering(monkeypatch, done=1, found=None),
}


@pytest.mark.usefixtures("afresh")
@pytest.mark.parametrize("fault", FAULTS)
def test_python_derives_where_anything_is_not_sure(monkeypatch, fault):
    """A libcrypto that is missing, unknown, wrong or broken is not used, and keys are the same."""
    monkeypatch.setattr(derivation, "_WORTH_LIBCRYPTO", 0)
    kdf = KeyDerivation(algorithm=PKCS12KDF, digest="SHA-256", iterations=5, salt=b"saltsalt")
    with monkeypatch.context() as patched:
        FAULTS[fault](patched)
        assert libcrypto.libcrypto_kdf("SHA-256") is None
        pending = kdf.prepare(encode_password("p"), 70, WorkBudget(DEFAULT_LIMITS), purpose=3)
        assert pending.octets == pkcs12_kdf(INPUTS, digest="SHA-256")
        assert pending.side_by_side == 0


@pytest.mark.usefixtures("afresh")
def test_python_derives_where_libcrypto_fails_later(cannot_run, monkeypatch):
    """An error after the questions were answered right, and what C's int does not hold, is no error of ours."""
    native = libcrypto.libcrypto_kdf("SHA-1")
    if native is None:
        cannot_run("Python's hashlib does not lead to a libcrypto")

    def refuse(*_):
        raise libcrypto._LibcryptoError

    monkeypatch.setattr(libcrypto, "_derive", refuse)
    assert native(INPUTS) == pkcs12_kdf(INPUTS, digest="SHA-1")
    monkeypatch.setattr(libcrypto, "_derive", None)
    monkeypatch.setattr(libcrypto, "_MOST_OCTETS", 7)
    assert native(INPUTS) == pkcs12_kdf(INPUTS, digest="SHA-1")


def test_the_buffer_is_wiped():
    """The derived key stays in no memory of C, with or without an error."""
    buffers = []

    def derive(*asked):
        buffers.append(asked[7])
        asked[7].raw = b"s" * asked[6]
        return len(buffers)

    cleared = []
    made = libcrypto._Libcrypto(derive, None, lambda: cleared.append(True))
    assert libcrypto._derive(made, 1, INPUTS) == b"s" * 70
    with pytest.raises(libcrypto._LibcryptoError):
        libcrypto._derive(made, 1, INPUTS)
    assert [buffer.raw for buffer in buffers] == [bytes(70)] * 2
    assert cleared == [True]
    assert "salt" not in repr(INPUTS)
