"""Password-based encryption in a PFX: PBES2 (RFC 8018 section 6.2) and PKCS#12's own (RFC 7292 appendix C)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4, RC2, TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.padding import PKCS7

from pkcs12kit.errors import MalformedPfxError, UnsupportedPfxError
from pkcs12kit.pkcs12 import derivation

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.ciphers import CipherAlgorithm

    from pkcs12kit.pkcs12.asn1 import Asn1Value
    from pkcs12kit.pkcs12.budget import Budget
    from pkcs12kit.pkcs12.profiles import Scheme


class DecryptionError(Exception):
    """The ciphertext does not decrypt: the password is wrong or the ciphertext damaged. Never leaves the codec."""


class _CipherDescription(NamedTuple):
    key_length: int
    block_length: int
    algorithm: Callable[[bytes], CipherAlgorithm]


RC2_40: Final = "RC2-40-CBC"
_CIPHERS: Final = {
    "AES-128-CBC": _CipherDescription(16, 16, AES),
    "AES-192-CBC": _CipherDescription(24, 16, AES),
    "AES-256-CBC": _CipherDescription(32, 16, AES),
    "DES-EDE3-CBC": _CipherDescription(24, 8, TripleDES),
    "DES-EDE2-CBC": _CipherDescription(16, 8, lambda key: TripleDES(key + key[:8])),
    "RC2-128-CBC": _CipherDescription(16, 8, RC2),
    "RC4-128": _CipherDescription(16, 0, ARC4),
    "RC4-40": _CipherDescription(5, 0, ARC4),
}

# asn1crypto's names of the encryption schemes of PBES2 that are read.
_PBES2_CIPHERS: Final = {
    "aes128_cbc": "AES-128-CBC",
    "aes192_cbc": "AES-192-CBC",
    "aes256_cbc": "AES-256-CBC",
    "tripledes_3key": "DES-EDE3-CBC",
}
_PBES2_CIPHER_IDENTIFIERS: Final = {name: native for native, name in _PBES2_CIPHERS.items()}

# RFC 7292 appendix C: asn1crypto's name, the RFC's name, the cipher. All take their key from PKCS12KDF with SHA-1.
_PKCS12_SCHEMES: Final = {
    "pkcs12_sha1_rc4_128": ("pbeWithSHAAnd128BitRC4", "RC4-128"),
    "pkcs12_sha1_rc4_40": ("pbeWithSHAAnd40BitRC4", "RC4-40"),
    "pkcs12_sha1_tripledes_3key": ("pbeWithSHAAnd3-KeyTripleDES-CBC", "DES-EDE3-CBC"),
    "pkcs12_sha1_tripledes_2key": ("pbeWithSHAAnd2-KeyTripleDES-CBC", "DES-EDE2-CBC"),
    "pkcs12_sha1_rc2_128": ("pbeWithSHAAnd128BitRC2-CBC", "RC2-128-CBC"),
    "pkcs12_sha1_rc2_40": ("pbeWithSHAAnd40BitRC2-CBC", RC2_40),
}
_PKCS12_IDENTIFIERS: Final = {name: native for native, (name, _) in _PKCS12_SCHEMES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """How something in a PFX is encrypted, as its algorithm identifier states it.

    ``algorithm`` is ``PBES2``, a name of RFC 7292 appendix C, or a dotted object identifier where nothing more is
    known. ``cipher``, ``kdf`` and ``digest`` are dotted identifiers too where they are not known, None where the
    algorithm does not state them. ``key_length`` is in bytes, None where the file leaves it to the cipher.
    """

    algorithm: str
    cipher: str | None = None
    kdf: str | None = None
    digest: str | None = None
    iterations: int | None = None
    salt: bytes | None = field(default=None, repr=False)
    iv: bytes | None = field(default=None, repr=False)
    key_length: int | None = None

    def to_json(self) -> dict[str, str | int | None]:
        """Describe it for ``inspect --json``; the salt's length is in bytes."""
        return {
            "algorithm": self.algorithm,
            "cipher": self.cipher,
            "kdf": self.kdf,
            "digest": self.digest,
            "iterations": self.iterations,
            "salt_length": None if self.salt is None else len(self.salt),
        }


def read_encryption(identifier: Asn1Value) -> Encryption:
    """Read asn1crypto's EncryptionAlgorithm. What asn1crypto raises for damage is the caller's to translate."""
    native = identifier["algorithm"].native
    if native == "pbes2":
        return _read_pbes2(identifier["parameters"])
    if native not in _PKCS12_SCHEMES:
        return Encryption(algorithm=identifier["algorithm"].dotted)
    name, cipher = _PKCS12_SCHEMES[native]
    return Encryption(
        algorithm=name,
        cipher=cipher,
        kdf="PKCS12KDF",
        digest="SHA-1",
        iterations=_iterations(identifier["parameters"]["iterations"]),
        salt=identifier["parameters"]["salt"].native,
    )


def _read_pbes2(parameters: Asn1Value) -> Encryption:
    scheme = parameters["encryption_scheme"]
    cipher = _PBES2_CIPHERS.get(scheme["algorithm"].native)
    kdf = parameters["key_derivation_func"]
    if cipher is None or kdf["algorithm"].native != "pbkdf2":
        return Encryption(
            algorithm="PBES2",
            cipher=cipher or scheme["algorithm"].dotted,
            kdf="PBKDF2" if kdf["algorithm"].native == "pbkdf2" else kdf["algorithm"].dotted,
        )
    prf = kdf["parameters"]["prf"]["algorithm"]
    salt = kdf["parameters"]["salt"]
    return Encryption(
        algorithm="PBES2",
        cipher=cipher,
        kdf="PBKDF2",
        digest=derivation.DIGEST_NAMES.get(prf.native, prf.dotted),
        iterations=_iterations(kdf["parameters"]["iteration_count"]),
        salt=salt.native if salt.name == "specified" else None,
        iv=scheme["parameters"].native,
        key_length=kdf["parameters"]["key_length"].native,
    )


def _iterations(integer: Asn1Value) -> int:
    iterations: int = integer.native
    if iterations < 1:
        raise MalformedPfxError(f"an encryption in the PKCS#12 file states {iterations} iterations")
    return iterations


def new_encryption(
    scheme: Scheme, *, iterations: int, salt_length: int, random_bytes: Callable[[int], bytes]
) -> Encryption:
    """Draw salt (and IV, for PBES2) for one use of ``scheme``. ``salt_length`` is in bytes."""
    salt = random_bytes(salt_length)
    if scheme.algorithm != "PBES2":
        _, cipher = _PKCS12_SCHEMES[_PKCS12_IDENTIFIERS[scheme.algorithm]]
        return Encryption(
            algorithm=scheme.algorithm, cipher=cipher, kdf="PKCS12KDF", digest="SHA-1", iterations=iterations, salt=salt
        )
    if scheme.cipher is None or scheme.digest is None:
        raise ValueError("PBES2 needs a cipher and a digest")
    return Encryption(
        algorithm="PBES2",
        cipher=scheme.cipher,
        kdf="PBKDF2",
        digest=scheme.digest,
        iterations=iterations,
        salt=salt,
        iv=random_bytes(_CIPHERS[scheme.cipher].block_length),
    )


def algorithm_identifier(encryption: Encryption) -> Asn1Value:
    """Write an :class:`Encryption` from :func:`new_encryption` as asn1crypto's EncryptionAlgorithm.

    PBKDF2's keyLength is left out, as OpenSSL does: the cipher fixes it.
    """
    from asn1crypto import algos

    if encryption.algorithm != "PBES2":
        parameters: dict[str, object] = {"salt": encryption.salt, "iterations": encryption.iterations}
        return algos.EncryptionAlgorithm(
            {"algorithm": _PKCS12_IDENTIFIERS[encryption.algorithm], "parameters": parameters}
        )
    kdf = {
        "salt": algos.Pbkdf2Salt(name="specified", value=encryption.salt),
        "iteration_count": encryption.iterations,
        "prf": {"algorithm": derivation.DIGESTS[str(encryption.digest)]},
    }
    parameters = {
        "key_derivation_func": {"algorithm": "pbkdf2", "parameters": kdf},
        "encryption_scheme": {
            "algorithm": _PBES2_CIPHER_IDENTIFIERS[str(encryption.cipher)],
            "parameters": encryption.iv,
        },
    }
    return algos.EncryptionAlgorithm({"algorithm": "pbes2", "parameters": parameters})


def encrypt(encryption: Encryption, plaintext: bytes, password: derivation.Password, budget: Budget) -> bytes:
    """Encrypt with padding (RFC 8018 section 6.1.1 step 4)."""
    cipher = _cipher(encryption, password, budget)
    padder = PKCS7(8 * _CIPHERS[str(encryption.cipher)].block_length).padder()
    encryptor = cipher.encryptor()
    return encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()


def decrypt(encryption: Encryption, ciphertext: bytes, password: derivation.Password, budget: Budget) -> bytes:
    """Decrypt and take the padding off.

    Raises :class:`DecryptionError` where the padding is wrong, :class:`~pkcs12kit.errors.UnsupportedPfxError` and
    :class:`~pkcs12kit.errors.LimitExceededError`; the limits are checked before any work. RC2-40 is not among what this
    decrypts: see :mod:`~pkcs12kit.pkcs12.rc2_40`.
    """
    cipher = _cipher(encryption, password, budget)
    block_length = _CIPHERS[str(encryption.cipher)].block_length
    try:
        decryptor = cipher.decryptor()
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        if not block_length:
            return padded
        unpadder = PKCS7(8 * block_length).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise DecryptionError from None
    except UnsupportedAlgorithm:
        raise _unsupported(encryption) from None


def _cipher(encryption: Encryption, password: derivation.Password, budget: Budget) -> Cipher[modes.CBC | None]:
    """Derive the key, and the IV where PKCS12KDF gives it, for the cipher that the file names."""
    description = _CIPHERS.get(encryption.cipher or "")
    if (
        description is None
        or encryption.iterations is None
        or encryption.salt is None
        or encryption.digest not in derivation.DIGESTS
    ):
        raise _unsupported(encryption)
    if encryption.key_length not in {None, description.key_length}:
        raise MalformedPfxError(f"the PKCS#12 file states {encryption.key_length} bytes of key for {encryption.cipher}")
    salt, iterations, digest = encryption.salt, encryption.iterations, encryption.digest
    iv = encryption.iv or b""
    if encryption.kdf == "PBKDF2":
        key = derivation.pbkdf2(
            password, digest=digest, salt=salt, iterations=iterations, length=description.key_length, budget=budget
        )
    else:
        key, iv = (
            derivation.pkcs12_kdf(
                password,
                digest=digest,
                salt=salt,
                iterations=iterations,
                purpose=purpose,
                length=length,
                budget=budget,
            )
            for purpose, length in (
                (derivation.KEY, description.key_length),
                (derivation.IV, description.block_length),
            )
        )
    if len(iv) != description.block_length:
        raise MalformedPfxError(f"the PKCS#12 file states an IV of {len(iv)} bytes for {encryption.cipher}")
    return Cipher(description.algorithm(key), modes.CBC(iv) if description.block_length else None)


def _unsupported(encryption: Encryption) -> UnsupportedPfxError:
    parts = [part for part in (encryption.cipher, encryption.kdf, encryption.digest) if part]
    detail = f" ({', '.join(parts)})" if parts else ""
    return UnsupportedPfxError(f"the encryption {encryption.algorithm}{detail} in the PKCS#12 file is not supported")
