"""Private keys for ML-DSA in each form of RFC 9881 section 6: the seed, the expanded key, or both.

pyca/cryptography reads and writes only the seed. OpenSSL 3.5 writes both by default. A key with the expanded form keeps
its encoding here: the seed cannot be computed from it, and programs differ in the forms that they read. OpenSSL, by
pyOpenSSL, derives the public key from the expanded form, and checks that the parts belong together.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_public_key

from pkcs12kit.certificates.lenient import encode_element, sequence
from pkcs12kit.pkcs12.key_encodings import (
    OCTET_STRING,
    REFUSALS,
    VERSION_1,
    UnknownKeyError,
    UnusableKeyError,
    parts_of,
    split,
)
from pkcs12kit.pkcs12.object_identifiers import named

if TYPE_CHECKING:
    from typing import Self

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.hazmat.primitives.serialization import KeySerializationEncryption

    from pkcs12kit.pkcs12.key_encodings import EncodedPart, KeyInfo

_SEED: Final = 0x80  # [0] IMPLICIT OCTET STRING
_SEED_SIZE: Final = 32
_NO_SEED: Final = (
    "this ML-DSA key has only the expanded form, without its seed: pyca/cryptography cannot compute with it"
)


class _KeptEncoding:
    """A key that is written as it was read. It signs only if its seed is known."""

    _public_key: Any
    _of_seed: Any
    _info: bytes

    @classmethod
    def of(cls, info: bytes, public_key: Any, of_seed: Any) -> Self:  # noqa: ANN401 - three types of keys
        """Return a key: ``info`` is a PrivateKeyInfo in DER; ``of_seed`` is pyca's key, None if the seed is unknown."""
        key = cls()
        key._info, key._public_key, key._of_seed = info, public_key, of_seed
        return key

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def public_key(self) -> Any:  # noqa: ANN401 - as above
        """Return the public key."""
        return self._public_key

    def private_bytes(
        self,
        encoding: Encoding,
        format: PrivateFormat,  # noqa: A002 - pyca's name
        encryption_algorithm: KeySerializationEncryption,
    ) -> bytes:
        """Return the PrivateKeyInfo as it was read; other encodings are those of the seed."""
        if format is PrivateFormat.PKCS8 and isinstance(encryption_algorithm, NoEncryption):
            if encoding is Encoding.DER:
                return self._info
            if encoding is Encoding.PEM:
                from asn1crypto import pem

                armored: bytes = pem.armor("PRIVATE KEY", self._info)
                return armored
        encoded: bytes = self._with_seed().private_bytes(encoding, format, encryption_algorithm)
        return encoded

    def private_bytes_raw(self) -> bytes:
        """Return the seed."""
        raw: bytes = self._with_seed().private_bytes_raw()
        return raw

    def sign(self, data: Any, context: Any = None) -> bytes:  # noqa: ANN401 - buffers of any kind
        """Return a signature."""
        signature: bytes = self._with_seed().sign(data, context)
        return signature

    def sign_mu(self, mu: Any) -> bytes:  # noqa: ANN401 - as above
        """Return a signature of a representative of the message."""
        signature: bytes = self._with_seed().sign_mu(mu)
        return signature

    def _with_seed(self) -> Any:  # noqa: ANN401 - as above
        if self._of_seed is None:
            raise UnsupportedAlgorithm(_NO_SEED)
        return self._of_seed

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        return self


class _Kept44(_KeptEncoding, mldsa.MLDSA44PrivateKey):
    """A key for ML-DSA-44."""


class _Kept65(_KeptEncoding, mldsa.MLDSA65PrivateKey):
    """A key for ML-DSA-65."""


class _Kept87(_KeptEncoding, mldsa.MLDSA87PrivateKey):
    """A key for ML-DSA-87."""


class _Parameters(NamedTuple):
    """One of the three sets of parameters (FIPS 204 section 4). The size of an expanded key is in octets."""

    name: str
    kind: type[mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey]
    kept: type[_Kept44 | _Kept65 | _Kept87]
    expanded_size: int


_PARAMETERS: Final = {
    "2.16.840.1.101.3.4.3.17": _Parameters("ML-DSA-44", mldsa.MLDSA44PrivateKey, _Kept44, 2560),
    "2.16.840.1.101.3.4.3.18": _Parameters("ML-DSA-65", mldsa.MLDSA65PrivateKey, _Kept65, 4032),
    "2.16.840.1.101.3.4.3.19": _Parameters("ML-DSA-87", mldsa.MLDSA87PrivateKey, _Kept87, 4896),
}
ML_DSA: Final = frozenset(_PARAMETERS)
"""The object identifiers of ML-DSA-44, ML-DSA-65 and ML-DSA-87."""


def ml_dsa_name(private_key: PrivateKeyTypes) -> str | None:
    """Return ``ML-DSA-65``, for example; None for a key for something else."""
    return next((one.name for one in _PARAMETERS.values() if isinstance(private_key, one.kind)), None)


def load_ml_dsa_key(info: KeyInfo) -> PrivateKeyTypes:
    """Load the private key in a PrivateKeyInfo whose algorithm is one of :data:`ML_DSA`.

    The forms are those of RFC 9881 section 6. The octets of the seed or of the expanded key may also stand without that
    structure, as programs wrote them before the RFC, Bouncy Castle 1.80 for example. A key of a seed only becomes
    pyca's own. Raises :class:`~pkcs12kit.pkcs12.key_encodings.UnusableKeyError` for a damaged key, an expanded key
    whose parts do not belong together, and one that is not the key of the seed beside it. One part of an expanded key
    without its seed, the 32 octets for the randomness of signatures, cannot be checked.
    """
    parameters = _PARAMETERS[info.algorithm]
    if len(parts_of(info.algorithm_identifier)) != 1:
        raise UnusableKeyError(
            f"a private key for {named(info.algorithm)} with parameters, which this algorithm does not have (RFC 9881"
            " section 2)"
        )
    seed, expanded = _forms(info.private_key.contents, parameters)
    if seed is None and expanded is None:
        raise UnusableKeyError(
            f"a damaged private key of the algorithm {named(info.algorithm)}: it has neither the seed nor the expanded"
            " key in a known form (RFC 9881 section 6)"
        )
    try:
        of_seed = None if seed is None else parameters.kind.from_seed_bytes(seed)
    except UnsupportedAlgorithm:
        raise _without_support(info.algorithm) from None
    if expanded is None and of_seed is not None:
        return of_seed
    choice = encode_element(OCTET_STRING, expanded or b"")
    if seed is not None:
        choice = sequence(encode_element(OCTET_STRING, seed), choice)
    encoded = sequence(VERSION_1, info.algorithm_identifier, encode_element(OCTET_STRING, choice))
    public_key = _derive_public_key(encoded)
    if public_key is None or (of_seed is not None and of_seed.public_key() != public_key):
        raise UnusableKeyError(
            f"a private key of the algorithm {named(info.algorithm)} whose expanded key "
            + ("is damaged" if seed is None else "is not that of the seed beside it (RFC 9881 section 8.2)")
            + ": export the key again from the program that made it"
        )
    return parameters.kept.of(encoded, public_key, of_seed)


def _forms(contents: bytes, parameters: _Parameters) -> tuple[bytes | None, bytes | None]:
    """Return the seed and the expanded key, None for what is not there."""
    match _single(contents):
        case (tag, seed) if tag == _SEED and len(seed) == _SEED_SIZE:
            return seed, None
        case (tag, expanded) if tag == OCTET_STRING and len(expanded) == parameters.expanded_size:
            return None, expanded
    both = parts_of(contents)
    if [(part.tag, len(part.contents)) for part in both] == [
        (OCTET_STRING, _SEED_SIZE),
        (OCTET_STRING, parameters.expanded_size),
    ]:
        return both[0].contents, both[1].contents
    if len(contents) == _SEED_SIZE:
        return contents, None
    return None, contents if len(contents) == parameters.expanded_size else None


def _single(contents: bytes) -> tuple[int, bytes] | None:
    """Return the tag and the contents of the one element of an encoding, None if it is not one."""
    part: EncodedPart
    for part in split(contents)[:1]:
        if part.encoding == contents:
            return part.tag, part.contents
    return None


def _derive_public_key(encoded: bytes) -> Any:  # noqa: ANN401 - three types of keys
    """Return the public key of an expanded key, None if OpenSSL refuses that, as it does if parts do not agree."""
    from OpenSSL import crypto

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pyOpenSSL prefers pyca's keys, which lack this form
        try:
            loaded = crypto.load_privatekey(crypto.FILETYPE_ASN1, encoded)
            return load_der_public_key(crypto.dump_publickey(crypto.FILETYPE_ASN1, loaded))
        except (crypto.Error, *REFUSALS):
            return None


def _without_support(algorithm: str) -> UnknownKeyError:
    return UnknownKeyError(
        f"a private key of the algorithm {named(algorithm)}, which the OpenSSL of the package cryptography does not"
        " have: it needs OpenSSL 3.5 or newer"
    )
