"""ASN.1 structures that asn1crypto lacks, or that it defines more strictly than real files are.

This module loads asn1crypto, so import it within functions. A salt is optional here: some writers leave out an empty
one.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeAlias

from asn1crypto import algos, cms, core
from asn1crypto.pkcs12 import Version

SCRYPT = "1.3.6.1.4.1.11591.4.11"
PBMAC1 = "1.2.840.113549.1.5.14"

_Fields: TypeAlias = list[tuple[Any, ...]]


class MacData(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """MacData (RFC 7292 section 4)."""

    _fields: ClassVar[_Fields] = [
        ("mac", algos.DigestInfo),
        ("mac_salt", core.OctetString, {"optional": True}),
        ("iterations", core.Integer, {"default": 1}),
    ]


class Asn1Pfx(core.Sequence):  # type: ignore[misc]  # as above
    """PFX (RFC 7292 section 4)."""

    _fields: ClassVar[_Fields] = [
        ("version", Version),
        ("auth_safe", cms.ContentInfo),
        ("mac_data", MacData, {"optional": True}),
    ]


class CertBag(core.Sequence):  # type: ignore[misc]  # as above
    """CertBag (RFC 7292 section 4.2.3). The certificate in it is not parsed."""

    _fields: ClassVar[_Fields] = [
        ("cert_id", core.ObjectIdentifier),
        ("cert_value", core.OctetString, {"explicit": 0}),
    ]


class SafeBag(core.Sequence):  # type: ignore[misc]  # as above
    """SafeBag (RFC 7292 section 4.2). Neither its value nor its attributes are parsed."""

    _fields: ClassVar[_Fields] = [
        ("bag_id", core.ObjectIdentifier),
        ("bag_value", core.Any, {"explicit": 0}),
        ("bag_attributes", core.Any, {"optional": True}),
    ]


class SafeContents(core.SequenceOf):  # type: ignore[misc]  # as above
    """SafeContents (RFC 7292 section 4.2)."""

    _child_spec = SafeBag


class TypedValue(core.Sequence):  # type: ignore[misc]  # as above
    """CertBag, CRLBag or SecretBag (RFC 7292 sections 4.2.3 to 4.2.5) with a value of any type."""

    _fields: ClassVar[_Fields] = [
        ("type", core.ObjectIdentifier),
        ("value", core.Any, {"explicit": 0}),
    ]


class AnySet(core.SetOf):  # type: ignore[misc]  # as above
    """A SET OF values of any type."""

    _child_spec = core.Any


class Attribute(core.Sequence):  # type: ignore[misc]  # as above
    """Attribute with values of any type (RFC 2986 section 4.1)."""

    _fields: ClassVar[_Fields] = [
        ("type", core.ObjectIdentifier),
        ("values", AnySet),
    ]


class PbeParams(core.Sequence):  # type: ignore[misc]  # as above
    """The parameters of PBES1 and of PKCS#12's own encryption (RFC 7292 appendix C, RFC 8018 appendix A.3)."""

    _fields: ClassVar[_Fields] = [
        ("salt", core.OctetString, {"optional": True}),
        ("iterations", core.Integer),
    ]


class Pbkdf2Params(core.Sequence):  # type: ignore[misc]  # as above
    """PBKDF2-params (RFC 8018 appendix A.2)."""

    _fields: ClassVar[_Fields] = [
        ("salt", algos.Pbkdf2Salt, {"optional": True}),
        ("iteration_count", core.Integer),
        ("key_length", core.Integer, {"optional": True}),
        ("prf", algos.HmacAlgorithm, {"default": {"algorithm": "sha1"}}),
    ]


class ScryptParams(core.Sequence):  # type: ignore[misc]  # as above
    """scrypt-params (RFC 7914 section 7.1)."""

    _fields: ClassVar[_Fields] = [
        ("salt", core.OctetString),
        ("cost_parameter", core.Integer),
        ("block_size", core.Integer),
        ("parallelization_parameter", core.Integer),
        ("key_length", core.Integer, {"optional": True}),
    ]


class Pbmac1Params(core.Sequence):  # type: ignore[misc]  # as above
    """PBMAC1-params (RFC 8018 appendix A.5)."""

    _fields: ClassVar[_Fields] = [
        ("key_derivation_func", algos.KdfAlgorithm),
        ("message_auth_scheme", algos.HmacAlgorithm),
    ]


class NonceParams(core.Sequence):  # type: ignore[misc]  # as above
    """GCMParameters and CCMParameters (RFC 5084 section 3.2)."""

    _fields: ClassVar[_Fields] = [
        ("nonce", core.OctetString),
        ("tag_length", core.Integer, {"default": 12}),
    ]


class Cast5Params(core.Sequence):  # type: ignore[misc]  # as above
    """cast5CBCParameters (RFC 2984 section 2)."""

    _fields: ClassVar[_Fields] = [
        ("iv", core.OctetString, {"default": bytes(8)}),
        ("key_length", core.Integer),
    ]
