"""The parts of encoded private keys: PKCS#8 of both versions (RFC 5958), and EC keys (RFC 5915).

pyca/cryptography reads PKCS#8 of version 1 only, and it does not say why it refuses a key. So version 2 is rewritten
as version 1 for it, its public key is compared here, and the reason is found here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from pkcs12kit.certificates.lenient import encode_element, sequence
from pkcs12kit.certificates.public_keys import public_key_octets
from pkcs12kit.pkcs12.object_identifiers import named

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

REFUSALS: Final = (ValueError, TypeError, OverflowError, InternalError, UnsupportedAlgorithm)
"""The errors by which pyca/cryptography refuses a key."""
INTEGER: Final = 0x02
_BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
_OBJECT_IDENTIFIER: Final = 0x06
_SEQUENCE: Final = 0x30
_ATTRIBUTES: Final = 0xA0
_PUBLIC_KEY: Final = 0x81
_PUBLIC_KEY_EXPLICIT: Final = 0xA1
_EC_PARAMETERS: Final = 0xA0
_NO_UNUSED_BITS: Final = b"\x00"
VERSION_1: Final = b"\x02\x01\x00"
"""The version of a PrivateKeyInfo: 0, as an INTEGER."""
_EC_VERSION: Final = b"\x01"
_VERSIONS: Final = frozenset({b"\x00", b"\x01"})
_MOST_PARTS: Final = 12
"""More parts than any private key has: an RSA key of several primes has ten."""


class UnknownKeyError(Exception):
    """A private key of a kind that is not supported or not for certificates: its text names the kind.

    The text continues a sentence: ``a private key of the algorithm SM2 (1.2.156.10197.1.301), which ...``. Never leaves
    the package.
    """


class UnusableKeyError(Exception):
    """A private key whose parts can be read and do not fit together, so the password cannot be the reason.

    The text continues a sentence: ``a private key whose public key ...``. Never leaves the package.
    """


class EncodedPart(NamedTuple):
    """One element of DER: its identifier octet, its contents, and the whole encoding."""

    tag: int
    contents: bytes
    encoding: bytes

    def __repr__(self) -> str:
        return f"<part of an encoded key with the tag {self.tag:#04x}>"


class KeyInfo(NamedTuple):
    """The parts of a PrivateKeyInfo or OneAsymmetricKey (RFC 5958 section 2), encoded; the algorithm as dotted."""

    version: bytes
    algorithm: str
    algorithm_identifier: bytes
    private_key: EncodedPart
    extensions: tuple[EncodedPart, ...]

    def __repr__(self) -> str:
        return f"<encoded private key of the algorithm {self.algorithm}>"

    @property
    def is_version_1(self) -> bool:
        """True for a key that is as pyca/cryptography reads it."""
        return self.version == b"\x00" and all(part.tag == _ATTRIBUTES for part in self.extensions)

    def as_version_1(self) -> bytes:
        """Return the key in version 1, with its attributes and without its public key.

        Raises :class:`UnusableKeyError` for another version, or for fields that the standard does not have.
        """
        if self.version not in _VERSIONS:
            raise UnusableKeyError(
                "a private key in an unknown version of PKCS#8; the versions are 1 and 2 (RFC 5958 section 2)"
            )
        tags = [part.tag for part in self.extensions]
        if len(set(tags)) != len(tags) or not set(tags) <= {_ATTRIBUTES, _PUBLIC_KEY, _PUBLIC_KEY_EXPLICIT}:
            raise UnusableKeyError("a private key with a field that PKCS#8 does not have (RFC 5958 section 2)")
        attributes = [part.encoding for part in self.extensions if part.tag == _ATTRIBUTES]
        return sequence(VERSION_1, self.algorithm_identifier, self.private_key.encoding, *attributes)

    def require_same_public_key(self, private_key: PrivateKeyTypes) -> None:
        """Raise :class:`UnusableKeyError` if the key has a public key that is not the public half of ``private_key``.

        The public key is [1] IMPLICIT BIT STRING (RFC 5958 section 2). As [1] EXPLICIT, which ring has written, and as
        octets it is read as well.
        """
        public_key = private_key.public_key()
        own = public_key_octets(public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        for part in self.extensions:
            if part.tag == _ATTRIBUTES:
                continue
            stated = _public_key_of(part)
            if stated.removeprefix(_NO_UNUSED_BITS) == own or stated == own:
                continue
            try:  # an EC point may be compressed, for example
                info = sequence(self.algorithm_identifier, encode_element(_BIT_STRING, stated))
                is_own = load_der_public_key(info) == public_key
            except REFUSALS:
                is_own = False
            if not is_own:
                raise UnusableKeyError(
                    "a private key whose public key, which is stored with it, is not its own (PKCS#8 version 2, RFC"
                    " 5958 section 2): export the key again from the program that made it"
                )


def read_key_info(der: bytes) -> KeyInfo | None:
    """Split a private key in PKCS#8; return None for anything else, also with bytes after it."""
    parts = parts_of(der)
    if [part.tag for part in parts[:3]] != [INTEGER, _SEQUENCE, OCTET_STRING]:
        return None
    version, identifier, private_key, *extensions = parts
    algorithm = _dotted(split(identifier.contents)[:1])
    if algorithm is None:
        return None
    return KeyInfo(version.contents, algorithm, identifier.encoding, private_key, tuple(extensions))


def parts_of(der: bytes) -> list[EncodedPart]:
    """Return the elements in a SEQUENCE that takes all of ``der``; empty for anything else."""
    outer = split(der)
    if [part.tag for part in outer] != [_SEQUENCE] or outer[0].encoding != der:
        return []
    parts = split(outer[0].contents)
    return parts if sum(len(part.encoding) for part in parts) == len(outer[0].contents) else []


def split(encodings: bytes) -> list[EncodedPart]:
    """Return the first twelve of consecutive encodings with definite lengths, up to the first that is damaged."""
    from asn1crypto import parser

    found: list[EncodedPart] = []
    while encodings and len(found) < _MOST_PARTS and encodings[0] & 0x1F != 0x1F and encodings[1:2] != b"\x80":  # noqa: PLR2004 - X.690 sections 8.1.2.4 and 8.1.3.6
        try:
            _, _, _, header, contents, _ = parser.parse(encodings)
        except ValueError:
            break
        found.append(EncodedPart(encodings[0], contents, header + contents))
        encodings = encodings[len(header) + len(contents) :]
    return found


def explain_ec_key(der: bytes, identifier: bytes | None) -> None:
    """Raise the reason why an EC private key (RFC 5915 section 3) is refused, if there is one to find.

    ``identifier`` is the AlgorithmIdentifier of PKCS#8, None for a key of its own. Raises :class:`UnknownKeyError` for
    its curve, and :class:`UnusableKeyError` for a public key of another private key or two statements of the curve.
    """
    parts = parts_of(der)
    if [part.tag for part in parts[:2]] != [INTEGER, OCTET_STRING] or parts[0].contents != _EC_VERSION:
        return
    stated = [] if identifier is None else parts_of(identifier)[1:2]
    stated += [inner for part in parts[2:] if part.tag == _EC_PARAMETERS for inner in split(part.contents)[:1]]
    for parameters in stated:
        _require_named_curve(parameters)
    curves = {parameters.encoding for parameters in stated}
    if len(curves) != 1:
        which = "states two elliptic curves" if curves else "does not state its elliptic curve"
        raise UnusableKeyError(f"a private key that {which} (RFC 5915 section 3)")
    without = sequence(*(part.encoding for part in parts if part.tag != _PUBLIC_KEY_EXPLICIT))
    if identifier is not None:
        without = sequence(VERSION_1, identifier, encode_element(OCTET_STRING, without))
    if without != der and _loads(without):
        raise UnusableKeyError(
            "a private key whose public key, which is stored with it, is not its own (RFC 5915 section 3): export the"
            " key again from the program that made it"
        )


def _require_named_curve(parameters: EncodedPart) -> None:
    """Raise :class:`UnknownKeyError` for a curve without a name, or with one that pyca/cryptography does not know."""
    from cryptography.hazmat.primitives.asymmetric.ec import get_curve_for_oid
    from cryptography.x509 import ObjectIdentifier

    curve = _dotted([parameters])
    if curve is None:
        raise UnknownKeyError(
            "a private key whose elliptic curve is given by explicit parameters instead of a name, which is not"
            " supported (RFC 5480 section 2.1.1): write it with a named curve, for example with openssl ec -param_enc"
            " named_curve"
        )
    try:
        get_curve_for_oid(ObjectIdentifier(curve))
    except (LookupError, ValueError):  # a number in it may be too long for pyca/cryptography
        raise UnknownKeyError(f"a private key on the elliptic curve {named(curve)}, which is not supported") from None


def _loads(der: bytes) -> bool:
    try:
        load_der_private_key(der, None)
    except REFUSALS:
        return False
    return True


def _public_key_of(part: EncodedPart) -> bytes:
    """Return the contents of the BIT STRING or OCTET STRING of a public key, empty for anything else."""
    if part.tag == _PUBLIC_KEY:
        return part.contents
    for inner in split(part.contents):
        if inner.encoding == part.contents and inner.tag in {_BIT_STRING, OCTET_STRING}:
            return inner.contents
    return b""


def _dotted(parts: list[EncodedPart]) -> str | None:
    """Return the object identifier in a list of one part, None if there is none."""
    from asn1crypto.core import ObjectIdentifier

    if [part.tag for part in parts] != [_OBJECT_IDENTIFIER]:
        return None
    try:
        dotted: str = ObjectIdentifier.load(parts[0].encoding, strict=True).dotted
    except (ValueError, IndexError):
        return None
    return dotted
