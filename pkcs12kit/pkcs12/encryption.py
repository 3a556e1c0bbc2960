"""Password-based encryption in a PFX: PBES2, PBES1 (RFC 8018 section 6) and PKCS#12's own (RFC 7292 appendix C)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.lenient import encoding_of
from pkcs12kit.errors import ArgumentError, MalformedPfxError, UnsupportedPfxError
from pkcs12kit.pkcs12 import algorithms
from pkcs12kit.pkcs12.derivation import KeyDerivation, pbkdf2_identifier, positive, read_kdf
from pkcs12kit.pkcs12.digests import DIGESTS
from pkcs12kit.pkcs12.object_identifiers import named
from pkcs12kit.pkcs12.pkcs12_kdf import IV, KEY
from pkcs12kit.pkcs12.protection import PBES2, PBKDF1, PBKDF2, PKCS12KDF

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.pkcs12.algorithms import CipherDescription
    from pkcs12kit.pkcs12.asn1 import Asn1Value
    from pkcs12kit.pkcs12.budget import WorkBudget
    from pkcs12kit.pkcs12.passwords import Password
    from pkcs12kit.pkcs12.protection import Scheme

# The supported encryption schemes of PBES2 whose parameter is an IV, by asn1crypto's name, or by a dotted identifier if
# it has no name.
_PBES2_CIPHERS: Final = {
    "aes128_cbc": "AES-128-CBC",
    "aes192_cbc": "AES-192-CBC",
    "aes256_cbc": "AES-256-CBC",
    "tripledes_3key": "DES-EDE3-CBC",
    "des": "DES-CBC",
    "1.2.392.200011.61.1.1.1.2": "Camellia-128-CBC",  # RFC 3657 section 3
    "1.2.392.200011.61.1.1.1.3": "Camellia-192-CBC",
    "1.2.392.200011.61.1.1.1.4": "Camellia-256-CBC",
    "1.2.410.200004.1.4": "SEED-CBC",  # RFC 4010 section 2
    "1.3.6.1.4.1.3029.1.2": "BF-CBC",
    "1.3.6.1.4.1.188.7.1.1.2": "IDEA-CBC",
    "1.2.156.10197.1.104.2": "SM4-CBC",
}
_PBES2_IDENTIFIERS: Final = {name: native for native, name in _PBES2_CIPHERS.items()}
_CAST5: Final = "1.2.840.113533.7.66.10"
_RC4_KEYS: Final = {None: "RC4-128", 16: "RC4-128", 5: "RC4-40"}
_AUTHENTICATED: Final = {
    f"aes{bits}_{mode}": f"AES-{bits}-{mode.upper()}" for bits in (128, 192, 256) for mode in ("gcm", "ccm")
}
# RFC 8018 appendix B.2.3: numbers below 256 stand for effective key bits; no number is for 32 bits.
_RC2_VERSIONS: Final = {160: 40, 120: 64, 58: 128}

# RFC 7292 appendix C: asn1crypto's name, the RFC's name, the cipher. All take their key from PKCS12KDF with SHA-1.
_PKCS12_SCHEMES: Final = {
    "pkcs12_sha1_rc4_128": ("pbeWithSHAAnd128BitRC4", "RC4-128"),
    "pkcs12_sha1_rc4_40": ("pbeWithSHAAnd40BitRC4", "RC4-40"),
    "pkcs12_sha1_tripledes_3key": ("pbeWithSHAAnd3-KeyTripleDES-CBC", "DES-EDE3-CBC"),
    "pkcs12_sha1_tripledes_2key": ("pbeWithSHAAnd2-KeyTripleDES-CBC", "DES-EDE2-CBC"),
    "pkcs12_sha1_rc2_128": ("pbeWithSHAAnd128BitRC2-CBC", "RC2-128-CBC"),
    "pkcs12_sha1_rc2_40": ("pbeWithSHAAnd40BitRC2-CBC", "RC2-40-CBC"),
}
_PKCS12_IDENTIFIERS: Final = {name: (native, cipher) for native, (name, cipher) in _PKCS12_SCHEMES.items()}

# RFC 8018 appendix A.3: the same, with the digest of PBKDF1. MD2 is only known by name.
_PBES1_SCHEMES: Final = {
    "pbes1_md2_des": ("pbeWithMD2AndDES-CBC", "MD2", "DES-CBC"),
    "pbes1_md2_rc2": ("pbeWithMD2AndRC2-CBC", "MD2", "RC2-64-CBC"),
    "pbes1_md5_des": ("pbeWithMD5AndDES-CBC", "MD5", "DES-CBC"),
    "pbes1_md5_rc2": ("pbeWithMD5AndRC2-CBC", "MD5", "RC2-64-CBC"),
    "pbes1_sha1_des": ("pbeWithSHA1AndDES-CBC", "SHA-1", "DES-CBC"),
    "pbes1_sha1_rc2": ("pbeWithSHA1AndRC2-CBC", "SHA-1", "RC2-64-CBC"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Encryption:
    """The encryption that an algorithm identifier in a PFX states.

    ``algorithm`` is ``PBES2``, or a name of RFC 7292 appendix C or of RFC 8018 appendix A.3. An algorithm or a
    ``cipher`` that is not supported is its object identifier, with its name before it if that is known. ``cipher`` and
    ``derivation`` are None if the algorithm does not state them. ``iv`` is the nonce, and ``tag_length`` the length of
    the tag in bytes, if the cipher is AES-GCM or AES-CCM.
    """

    algorithm: str
    cipher: str | None = None
    derivation: KeyDerivation | None = None
    iv: bytes | None = field(default=None, repr=False)
    tag_length: int = 0

    @property
    def kdf(self) -> str | None:
        """The name of the key derivation function."""
        return None if self.derivation is None else self.derivation.algorithm

    @property
    def digest(self) -> str | None:
        """The digest of the key derivation."""
        return None if self.derivation is None else self.derivation.digest

    @property
    def iterations(self) -> int | None:
        """The iterations of the key derivation."""
        return None if self.derivation is None else self.derivation.iterations

    @property
    def salt(self) -> bytes | None:
        """The salt of the key derivation."""
        return None if self.derivation is None else self.derivation.salt

    @property
    def is_supported(self) -> bool:
        """True if the right password opens it here."""
        try:
            require_supported(self)
        except UnsupportedPfxError:
            return False
        return True

    def to_json(self) -> dict[str, object]:
        """Return the encryption for ``inspect --json``; the salt length is in bytes, ``scrypt`` is N, r and p."""
        cost = None if self.derivation is None else self.derivation.cost
        return {
            "algorithm": self.algorithm,
            "cipher": self.cipher,
            "kdf": self.kdf,
            "digest": self.digest,
            "iterations": self.iterations,
            "salt_length": None if self.salt is None else len(self.salt),
            "scrypt": None if cost is None else cost._asdict(),
        }

    def __str__(self) -> str:
        parts = [str(part) for part in (self.cipher, self.derivation) if part]
        return f"{self.algorithm} ({', '.join(parts)})" if parts else self.algorithm


def read_encryption(identifier: Asn1Value) -> Encryption:
    """Parse asn1crypto's EncryptionAlgorithm. Raises as asn1crypto does; the caller translates its errors."""
    from pkcs12kit.pkcs12 import asn1_types

    native = identifier["algorithm"].native
    if native == "pbes2":
        return _read_pbes2(identifier["parameters"])
    if native in _PKCS12_SCHEMES:
        (name, cipher), kdf, digest = _PKCS12_SCHEMES[native], PKCS12KDF, "SHA-1"
    elif native in _PBES1_SCHEMES:
        (name, digest, cipher), kdf = _PBES1_SCHEMES[native], PBKDF1
    else:
        return Encryption(algorithm=named(identifier["algorithm"].dotted))
    parameters = asn1_types.PbeParams.load(encoding_of(identifier["parameters"]), strict=True)
    return Encryption(
        algorithm=name,
        cipher=cipher,
        derivation=KeyDerivation(
            algorithm=kdf,
            digest=digest,
            iterations=positive(parameters["iterations"]),
            salt=parameters["salt"].native or b"",
        ),
    )


def _read_pbes2(parameters: Asn1Value) -> Encryption:
    scheme = parameters["encryption_scheme"]
    derivation = read_kdf(parameters["key_derivation_func"])
    if scheme["algorithm"].native == "rc2":
        version, iv = scheme["parameters"]["rc2_parameter_version"].native, scheme["parameters"]["iv"].native
        bits = 32 if version is None else _RC2_VERSIONS.get(version, version)
        return Encryption(algorithm=PBES2, cipher=f"RC2-{bits}-CBC", derivation=derivation, iv=iv)
    native = scheme["algorithm"].native
    if native in _AUTHENTICATED:
        return _read_authenticated(scheme, derivation)
    cipher, iv = _PBES2_CIPHERS.get(native), None
    if cipher is not None:
        iv = scheme["parameters"].native
    elif native == "rc4":
        cipher = _RC4_KEYS.get(derivation.key_length)
    elif native == _CAST5:
        cipher, iv = "CAST5-CBC", _cast5_iv(scheme["parameters"])
    return Encryption(algorithm=PBES2, cipher=cipher or named(scheme["algorithm"].dotted), derivation=derivation, iv=iv)


def _read_authenticated(scheme: Asn1Value, derivation: KeyDerivation) -> Encryption:
    """Parse the GCMParameters or CCMParameters of RFC 5084 section 3.2, which are alike.

    With other parameters it is an encryption that is not supported.
    """
    from pkcs12kit.pkcs12 import asn1_types

    cipher = _AUTHENTICATED[scheme["algorithm"].native]
    try:
        parsed = asn1_types.NonceParams.load(encoding_of(scheme["parameters"]), strict=True)
    except (ValueError, TypeError):
        return Encryption(algorithm=PBES2, cipher=named(scheme["algorithm"].dotted), derivation=derivation)
    return Encryption(
        algorithm=PBES2,
        cipher=cipher,
        derivation=derivation,
        iv=parsed["nonce"].native,
        tag_length=parsed["tag_length"].native,
    )


def _cast5_iv(parameters: Asn1Value) -> bytes:
    """Return the IV of CAST5: a SEQUENCE with the length of the key (RFC 2984 section 2), or bare as OpenSSL has it."""
    from pkcs12kit.pkcs12 import asn1_types

    if not isinstance(parameters.native, bytes):
        parameters = asn1_types.Cast5Params.load(encoding_of(parameters), strict=True)["iv"]
    iv: bytes = parameters.native
    return iv


def new_encryption(
    scheme: Scheme, *, iterations: int, salt_length: int, random_bytes: Callable[[int], bytes]
) -> Encryption:
    """Return one use of ``scheme`` with a new salt, and an IV for PBES2. ``salt_length`` is in bytes.

    ``scheme.algorithm`` is ``PBES2`` (with PBKDF2) or a name of RFC 7292 appendix C. Raises
    :class:`~pkcs12kit.ArgumentError` for others.
    """
    salt = random_bytes(salt_length)
    if scheme.algorithm in _PKCS12_IDENTIFIERS:
        _, cipher = _PKCS12_IDENTIFIERS[scheme.algorithm]
        derivation = KeyDerivation(algorithm=PKCS12KDF, digest="SHA-1", iterations=iterations, salt=salt)
        return Encryption(algorithm=scheme.algorithm, cipher=cipher, derivation=derivation)
    description = algorithms.describe(scheme.cipher or "")
    writable = description is not None and scheme.cipher in _PBES2_IDENTIFIERS
    if scheme.algorithm != PBES2 or scheme.digest not in DIGESTS or description is None or not writable:
        raise ArgumentError(f"cannot encrypt by {scheme}: its algorithm, cipher or digest is not supported")
    return Encryption(
        algorithm=PBES2,
        cipher=scheme.cipher,
        derivation=KeyDerivation(algorithm=PBKDF2, digest=scheme.digest, iterations=iterations, salt=salt),
        iv=random_bytes(description.block_length),
    )


def algorithm_identifier(encryption: Encryption) -> Asn1Value:
    """Return an :class:`Encryption` from :func:`new_encryption` as asn1crypto's EncryptionAlgorithm.

    PBKDF2's keyLength is left out, as OpenSSL does: the cipher fixes it.
    """
    from asn1crypto import algos, core

    if encryption.algorithm in _PKCS12_IDENTIFIERS or encryption.derivation is None:
        native, _ = _PKCS12_IDENTIFIERS[encryption.algorithm]
        parameters: dict[str, object] = {"salt": encryption.salt, "iterations": encryption.iterations}
        return algos.EncryptionAlgorithm({"algorithm": native, "parameters": parameters})
    parameters = {
        "key_derivation_func": pbkdf2_identifier(encryption.derivation),
        "encryption_scheme": {
            "algorithm": _PBES2_IDENTIFIERS[str(encryption.cipher)],
            "parameters": core.OctetString(encryption.iv),
        },
    }
    return algos.EncryptionAlgorithm({"algorithm": "pbes2", "parameters": parameters})


class CipherKey:
    """The key and IV of one encryption, counted in the work budget and still to be derived.

    Raises :class:`~pkcs12kit.errors.UnsupportedPfxError`, :class:`~pkcs12kit.errors.MalformedPfxError` for a key or IV
    length that the cipher does not support, and :class:`~pkcs12kit.errors.LimitExceededError`.
    """

    def __init__(self, encryption: Encryption, password: Password, budget: WorkBudget) -> None:
        description, derivation = require_supported(encryption)
        block_length = description.block_length
        key_length = description.key_length if derivation.key_length is None else derivation.key_length
        _require_lengths(encryption, str(encryption.cipher), key_length, budget.subject)
        if encryption.algorithm == PBES2:
            asked = [(key_length, KEY)]
        elif derivation.algorithm == PBKDF1:  # one derivation for both, the key first
            asked = [(key_length + block_length, KEY)]
        else:
            asked = [(length, purpose) for length, purpose in ((key_length, KEY), (block_length, IV)) if length]
        self.encryption = encryption
        self._key_length = key_length
        self.pending = tuple(derivation.prepare(password, length, budget, purpose=purpose) for length, purpose in asked)

    def encrypt(self, plaintext: bytes) -> bytes:
        """Return the padded and encrypted plaintext (RFC 8018 section 6.1.1 step 4)."""
        return algorithms.encrypt(str(self.encryption.cipher), *self._key_and_iv(), plaintext)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plaintext without its padding. The ciphertext is not counted.

        Raises :class:`~pkcs12kit.pkcs12.algorithms.DecryptionError` if the padding is wrong.
        """
        encryption, (key, iv) = self.encryption, self._key_and_iv()
        return algorithms.decrypt(str(encryption.cipher), key, iv, ciphertext, tag_length=encryption.tag_length)

    def _key_and_iv(self) -> tuple[bytes, bytes]:
        octets = b"".join(pending.octets for pending in self.pending)
        key, iv = octets[: self._key_length], octets[self._key_length :]
        return key, self.encryption.iv or b"" if self.encryption.algorithm == PBES2 else iv


def encrypt(encryption: Encryption, plaintext: bytes, password: Password, budget: WorkBudget) -> bytes:
    """Return the padded and encrypted plaintext. Raises as :class:`CipherKey` does."""
    return CipherKey(encryption, password, budget).encrypt(plaintext)


def decrypt(encryption: Encryption, ciphertext: bytes, password: Password, budget: WorkBudget) -> bytes:
    """Return the plaintext without its padding.

    Raises :class:`~pkcs12kit.pkcs12.algorithms.DecryptionError` if the padding is wrong; and, before any derivation, as
    :class:`CipherKey` does.
    """
    budget.decipher(len(ciphertext))
    return CipherKey(encryption, password, budget).decrypt(ciphertext)


def require_supported(encryption: Encryption) -> tuple[CipherDescription, KeyDerivation]:
    """Return the properties of the cipher, and the derivation of its key.

    Raises :class:`~pkcs12kit.errors.UnsupportedPfxError` for an encryption that no password opens here.
    """
    description, derivation = algorithms.describe(encryption.cipher or ""), encryption.derivation
    if description is None or derivation is None or not derivation.is_supported:
        raise UnsupportedPfxError(f"the encryption {encryption} in the PKCS#12 file is not supported")
    return description, derivation


def _require_lengths(encryption: Encryption, cipher: str, key_length: int, subject: str) -> None:
    """Raise :class:`~pkcs12kit.errors.MalformedPfxError` for a length that the cipher does not support."""
    iv_length, tag_length = len(encryption.iv or b""), encryption.tag_length
    if not algorithms.allows_key_length(cipher, key_length):
        raise MalformedPfxError(f"{subject} states a key of {key_length} bytes, which {cipher} does not support")
    if encryption.algorithm == PBES2 and not algorithms.allows_iv_length(cipher, iv_length):
        raise MalformedPfxError(f"{subject} states an IV of {iv_length} bytes, which {cipher} does not support")
    if not algorithms.allows_tag_length(cipher, tag_length):
        raise MalformedPfxError(
            f"{subject} states an authentication tag of {tag_length} bytes, which {cipher} does not support"
        )
