"""The file at the place of an output: what it is, and whether a new file of a form may replace it unasked."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.choice import are_akin
from pkcs12kit.errors import InputError, LimitExceededError
from pkcs12kit.files import read_in
from pkcs12kit.pkcs12.decoded_keys import certificates_by_key, encode_public_key
from pkcs12kit.sources.containers import pem_blocks
from pkcs12kit.sources.elements import elements
from pkcs12kit.sources.keys import read_private_key
from pkcs12kit.sources.sniffing import Kind, sniff
from pkcs12kit.sources.text_forms import sniff_inside

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.containers import PemBlock

_PADDING: Final = b" \t\r\n\v\f\x00"
_ALGORITHMS: Final = (
    (rsa.RSAPrivateKey, "an RSA"),
    (ec.EllipticCurvePrivateKey, "an EC"),
    (ed25519.Ed25519PrivateKey, "an Ed25519"),
    (ed448.Ed448PrivateKey, "an Ed448"),
    (dsa.DSAPrivateKey, "a DSA"),
    *((kind, "an ML-DSA") for kind in (mldsa.MLDSA44PrivateKey, mldsa.MLDSA65PrivateKey, mldsa.MLDSA87PrivateKey)),
)
_BLOCK: Final = re.compile(rb"-----BEGIN [^\n]*?-----.*?-----END [^\n]*?-----", re.DOTALL)
# What OpenSSL writes between blocks, and comments; everything else there is someone's text
_BETWEEN: Final = re.compile(rb"(?:\s|#|Bag Attributes|Key Attributes|subject=|issuer=|Certificate:$|$)")
_PICTURE: Final = re.compile(
    rb"<svg [^>]{0,1000}\bp12k-picture\b|digraph pkcs12kit \{\n|%% [^\n]*\n%% [^\n]*\nflowchart (?:LR|TD)\n"
)
_JUNIT: Final = re.compile(rb'<\?xml [^>]{0,100}>\s{0,9}<testsuites name="pkcs12kit batch"')
_METRICS: Final = re.compile(rb"# pkcs12kit batch\n")
_LISTED: Final = 5
_VERSION: Final = b"\x02\x01\x03"  # RFC 7292 section 4
_WRITTEN: Final = frozenset({Kind.CERTIFICATE, Kind.PRIVATE_KEY})
"""The kinds of blocks that are written as PEM."""


class Form(Enum):
    """The forms of files that are written. The value is the form in words."""

    PKCS12 = "a PKCS#12 file"
    PEM = "a PEM file"
    PICTURE = "a picture that pkcs12kit drew"
    JUNIT = "a JUnit report that pkcs12kit wrote"
    METRICS = "metrics that pkcs12kit wrote"


PUBLIC_FORMS: Final = frozenset({Form.PICTURE, Form.JUNIT, Form.METRICS})
"""The forms of files that hold nothing secret: everybody may read them."""
_OWN: Final = {Form.PICTURE: _PICTURE, Form.JUNIT: _JUNIT, Form.METRICS: _METRICS}


@dataclass(frozen=True, slots=True, kw_only=True)
class PemParts:
    """The parts of a PEM text: the kinds of its blocks, its keys and certificates, and text between them."""

    kinds: frozenset[Kind] = frozenset()
    keys: frozenset[bytes] = frozenset()
    """The public key (SubjectPublicKeyInfo) of each private key, or the block of one that cannot be read."""
    certificates: frozenset[bytes] = frozenset()
    has_text: bool = False

    @classmethod
    def of(cls, keys: Iterable[PrivateKeyTypes], certificates: Iterable[Certificate]) -> PemParts:
        """Return the parts that a PEM text of these keys and certificates would have."""
        return cls(
            kinds=_WRITTEN,
            keys=frozenset(encode_public_key(key.public_key()) for key in keys),
            certificates=frozenset(certificate.der for certificate in certificates),
        )


def why_not_replaced(
    path: str | os.PathLike[str],
    form: Form,
    *,
    data: bytes | None = None,
    at_hand: PemParts | None = None,
    limits: Limits,
) -> str | None:
    """Return what the existing file is, in words, if a new file of ``form`` must not replace it unasked; else None.

    ``data`` is the content of the new file, if it is known, and ``at_hand`` what the inputs have. A PEM file is not
    replaced if a private key in it is in neither of them, nor if it has only keys or only certificates and the new file
    has others. An empty file is always replaced.
    """
    if not os.path.lexists(path):
        return None
    try:
        there = read_in(None, path, limit=limits.input_bytes, access=None)
    except InputError as error:
        return f"a file of an unknown kind ({error})"
    kind = sniff(there)
    own = _OWN.get(form)
    if kind is Kind.EMPTY or (own is not None and own.match(there)):
        return None
    if form is Form.PKCS12 and (kind is Kind.PKCS12 or _is_cut_pkcs12(kind, there)):
        return f"{kind.value} with other data after it" if _has_more(there, limits) else None
    if form is Form.PEM and kind is Kind.PEM:
        return _why_pem_is_kept(there, data, at_hand or PemParts(), limits)
    return describe(there, limits)


def what_is_lost(path: str | os.PathLike[str], data: bytes, limits: Limits) -> str | None:
    """Return in words what a server finds in the PEM file at ``path``, and would no longer find in ``data``; or None.

    The file may be replaced, because the inputs have all that is in it. A server may still read its key from there.
    """
    there = content_of(path, limits)
    if there is None or sniff(there) is not Kind.PEM:
        return None
    try:
        lost = _pem_parts(there, limits).kinds - _pem_parts(data, limits).kinds
    except LimitExceededError:
        return None
    if Kind.PRIVATE_KEY in lost:
        return "the private key"
    return "certificates" if Kind.CERTIFICATE in lost else None


def content_of(path: str | os.PathLike[str], limits: Limits) -> bytes | None:
    """Return the content of a file; None where there is none, or none that can be read."""
    try:
        return read_in(None, path, limit=limits.input_bytes, access=None)
    except InputError:
        return None


def is_plain_pkcs12(path: str | os.PathLike[str], limits: Limits) -> bool:
    """Return True if a file is a PKCS#12 file, in DER or BER, without a text form around it. Links are followed."""
    there = content_of(os.path.realpath(path), limits)
    return there is not None and sniff(there) is Kind.PKCS12


def why_part_is_kept(path: str, form: Form, at_hand: PemParts, limits: Limits) -> str | None:
    """Return what a file of a delivery has that no file of a server has, in words; None for a server's file.

    Such a file has the same ``form``, and in PEM certificates, or only the key of ``at_hand``: an earlier call may have
    written it.
    """
    there = content_of(path, limits)
    if there is None or sniff(there) is Kind.EMPTY:
        return None
    if sniff(there) is not (Kind.PEM if form is Form.PEM else Kind.PKCS12):
        return describe(there, limits)
    if form is not Form.PEM:
        return None
    parts = _pem_parts(there, limits)
    return None if parts.certificates or parts.keys <= at_hand.keys else describe(there, limits)


def certificates_alone(path: str, limits: Limits) -> frozenset[bytes]:
    """Return the certificates in a PEM file without a private key; empty for every other file."""
    there = content_of(path, limits)
    if there is None or sniff(there) is not Kind.PEM:
        return frozenset()
    parts = _pem_parts(there, limits)
    return frozenset() if parts.keys else parts.certificates


def keys_of_server(data: bytes, renewed: Certificate, limits: Limits) -> frozenset[bytes]:
    """Return the public keys (SubjectPublicKeyInfo) of the certificates in a PEM text that ``renewed`` may renew.

    These have its subject, its key or one of its names. There are none in content of another kind.
    """
    if sniff(data) is not Kind.PEM:
        return frozenset()
    try:
        certificates = [
            Certificate.from_der(block.content)
            for block in pem_blocks(data, "the file", limits)
            if block.kind is Kind.CERTIFICATE
        ]
    except InputError:
        return frozenset()
    return frozenset(certificates_by_key(one for one in certificates if are_akin(one, renewed)))


def describe(data: bytes, limits: Limits) -> str:
    """Return in words what a content is: "an RSA private key in PEM". Nothing of the content itself is in the text."""
    try:
        kind, data = sniff_inside(data, "the file", limits)
        if kind is not Kind.PEM:
            return _in_words(kind, data, limits)
        blocks = tuple(pem_blocks(data, "the file", limits))
    except LimitExceededError:
        return Kind.PEM.value
    parts = list(dict.fromkeys(_block_in_words(block, limits) for block in blocks))
    return f"{' and '.join(parts[:_LISTED])} in PEM"


def _is_cut_pkcs12(kind: Kind, data: bytes) -> bool:
    """Return True for the beginning of a PKCS#12 file in DER: a SEQUENCE that begins with the version."""
    return kind is Kind.CUT_SHORT and data[2 + (data[1] & 0x7F) :].startswith(_VERSION)


def _has_more(data: bytes, limits: Limits) -> bool:
    """Return True unless there is only padding after a PKCS#12 file."""
    from pkcs12kit.pkcs12.budget import WorkBudget
    from pkcs12kit.pkcs12.structure import read_pfx

    try:
        outer = next(elements(data))
    except ValueError:  # cut short
        return False
    if outer.encoding is not None:
        return bool(data[len(outer.encoding) :].strip(_PADDING))
    try:
        after = read_pfx(data, WorkBudget(limits)).trailing_bytes
    except InputError:  # where it ends is not known
        return True
    return bool(data[len(data) - after :].strip(_PADDING))


def _why_pem_is_kept(there: bytes, data: bytes | None, at_hand: PemParts, limits: Limits) -> str | None:
    try:
        old = _pem_parts(there, limits)
        new = PemParts(kinds=_WRITTEN, keys=old.keys) if data is None else _pem_parts(data, limits)
    except LimitExceededError:
        return "a PEM file with more blocks than are read"
    if old.has_text:
        return f"{describe(there, limits)}, with other text"
    only_certificates = not old.keys and Kind.CERTIFICATE not in new.kinds
    if old.kinds - _WRITTEN - new.kinds or (only_certificates and not old.certificates <= at_hand.certificates):
        return describe(there, limits)
    if not old.keys <= new.keys | at_hand.keys:
        whose = ", of another key" if new.keys or at_hand.keys else ""
        return f"{describe(there, limits)}{whose}"
    if data is not None and old.keys and not old.certificates and Kind.CERTIFICATE in new.kinds:
        return f"{describe(there, limits)}, without certificates"
    return None


def _pem_parts(data: bytes, limits: Limits) -> PemParts:
    blocks = [block for block in pem_blocks(data, "the file", limits) if block.label != "EC PARAMETERS"]
    between = _BLOCK.sub(b"", data.replace(b"\r\n", b"\n")).splitlines()
    return PemParts(
        kinds=frozenset(map(_kind, blocks)),
        keys=frozenset(_key_of(block, limits) for block in blocks if block.label.endswith("PRIVATE KEY")),
        certificates=frozenset(block.content for block in blocks if block.kind is Kind.CERTIFICATE),
        has_text=not all(_BETWEEN.match(line) for line in between),
    )


def _kind(block: PemBlock) -> Kind:
    return Kind.OTHER_PEM if block.fault is not None else block.kind


def _key_of(block: PemBlock, limits: Limits) -> bytes:
    try:
        key = read_private_key(block.content, name="", password=None, limits=limits)
        return encode_public_key(key.public_key())
    except (InputError, ValueError):
        return block.text + block.content


def _block_in_words(block: PemBlock, limits: Limits) -> str:
    """Return the kind of a block; parameters, for example, look like a public key, and are called by their label."""
    kind = _kind(block)
    if kind is Kind.OTHER_PEM or (kind is Kind.PUBLIC_KEY and "PUBLIC" not in block.label):
        return f"{block.label} block"
    return _in_words(kind, block.content, limits)


def _in_words(kind: Kind, data: bytes, limits: Limits) -> str:
    if kind is not Kind.PRIVATE_KEY:
        return str(kind.value).partition(" (")[0]
    try:
        key = read_private_key(data, name="", password=None, limits=limits)
    except InputError:
        return str(kind.value)
    return next((f"{words} private key" for its_type, words in _ALGORITHMS if isinstance(key, its_type)), kind.value)
