"""PKCS12KDF by OpenSSL's libcrypto, which takes a tenth to a third of the time that Python takes.

Only the libcrypto that Python's own ``_hashlib`` is linked with, and that is loaded already, is called: no library is
searched for or loaded. Nothing is called unless everything about it is known: its version, and, for each digest, that
it derives the same octets as :mod:`~pkcs12kit.pkcs12.pkcs12_kdf`. Otherwise keys are derived in Python, as always on
Windows, where ``_hashlib`` does not lead to its libcrypto, and where OpenSSL is linked into Python statically.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkcs12kit.pkcs12.digests import DIGESTS
from pkcs12kit.pkcs12.pkcs12_kdf import IV, KEY, MAC, KdfInputs, pkcs12_kdf

if TYPE_CHECKING:
    from collections.abc import Callable
    from ctypes import CDLL

# PKCS12_key_gen_uni has the same prototype in all these versions of OpenSSL. LibreSSL calls itself version 2.
_OPENSSL_1_1_1: Final = 0x10101
_MAJOR_VERSIONS: Final = frozenset({3, 4})
_MOST_ITERATIONS: Final = 2**31 - 1
_MOST_OCTETS: Final = 2**20
"""More octets than this of password, salt or output are left to Python: OpenSSL calculates with C's int."""
# Output of one and of several blocks; password and salt of no, one and several blocks, of 64 to 144 octets.
_QUESTIONS: Final = (
    KdfInputs(password=b"\0p\0w\0\0", salt=b"saltsalt", iterations=3, purpose=MAC, length=20),
    KdfInputs(password=b"\0\xe4N-\0\0" * 30, salt=bytes(range(200)), iterations=2, purpose=KEY, length=150),
    KdfInputs(password=b"\0\0", salt=b"s" * 64, iterations=1, purpose=IV, length=8),
)


class _Libcrypto(NamedTuple):
    """The functions of libcrypto, with their prototypes set."""

    derive: Any  # int PKCS12_key_gen_uni(pass, passlen, salt, saltlen, id, iter, n, out, md_type)
    find_digest: Any  # const EVP_MD *EVP_get_digestbyname(const char *name)
    clear_errors: Any  # void ERR_clear_error(void)


class _LibcryptoError(Exception):
    """libcrypto did not derive a key."""


@cache
def libcrypto_kdf(digest: str) -> Callable[[KdfInputs], bytes] | None:
    """Return PKCS12KDF with a digest by libcrypto; None where it is not sure that it is right.

    It calls libcrypto without Python's global lock, so several derivations can run in threads. Where libcrypto fails,
    the function derives in Python.
    """
    libcrypto = _loaded()
    if libcrypto is None:
        return None
    try:
        found = libcrypto.find_digest(DIGESTS[digest].replace("_", "-").encode())
        if not found or any(_derive(libcrypto, found, one) != pkcs12_kdf(one, digest=digest) for one in _QUESTIONS):
            return None
    except (_LibcryptoError, MemoryError):
        return None

    def derive(inputs: KdfInputs) -> bytes:
        octets = max(len(inputs.password), len(inputs.salt), inputs.length)
        if inputs.iterations <= _MOST_ITERATIONS and octets <= _MOST_OCTETS:
            try:
                return _derive(libcrypto, found, inputs)
            except _LibcryptoError:
                pass
        return pkcs12_kdf(inputs, digest=digest)

    return derive


def _derive(libcrypto: _Libcrypto, digest: int, inputs: KdfInputs) -> bytes:
    """Return the derived bytes. Raises :class:`_LibcryptoError`."""
    import ctypes

    password, salt, length = inputs.password, inputs.salt, inputs.length
    derived = ctypes.create_string_buffer(length)
    try:
        done = libcrypto.derive(
            password, len(password), salt, len(salt), inputs.purpose, inputs.iterations, length, derived, digest
        )
        if done != 1:
            libcrypto.clear_errors()  # they stay with the thread, where Python's ssl would take them for its own
            raise _LibcryptoError
        return derived.raw
    finally:
        ctypes.memset(derived, 0, length)


@cache
def _loaded() -> _Libcrypto | None:
    """Return the functions of the libcrypto of Python's hashlib; None if it has none, or none that is known."""
    if sys.platform != "win32":
        try:
            import _hashlib
            import ctypes
            import os

            # OpenSSL's FIPS provider has no PKCS12KDF
            if not _hashlib.get_fips_mode():
                # Names are looked up in this module, which is loaded already, and in the libraries it is linked with.
                library = ctypes.CDLL(_hashlib.__file__, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
                return _functions(library) if _is_known(library) else None
        except (ImportError, OSError, AttributeError, RuntimeError, ValueError, MemoryError):
            pass
    return None


def _is_known(library: CDLL) -> bool:
    import ctypes

    number = library.OpenSSL_version_num
    number.argtypes, number.restype = (), ctypes.c_ulong
    version: int = number()
    return version >> 28 in _MAJOR_VERSIONS or version >> 12 == _OPENSSL_1_1_1


def _functions(library: CDLL) -> _Libcrypto:
    from ctypes import c_char_p, c_int, c_void_p

    functions = _Libcrypto(library.PKCS12_key_gen_uni, library.EVP_get_digestbyname, library.ERR_clear_error)
    functions.derive.argtypes = (c_char_p, c_int, c_char_p, c_int, c_int, c_int, c_int, c_char_p, c_void_p)
    functions.derive.restype = c_int
    functions.find_digest.argtypes, functions.find_digest.restype = (c_char_p,), c_void_p
    functions.clear_errors.argtypes, functions.clear_errors.restype = (), None
    return functions
