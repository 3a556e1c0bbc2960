"""Structures that asn1crypto lacks. Imported where they are used: this loads asn1crypto."""

from __future__ import annotations

from typing import Any, ClassVar

from asn1crypto import algos, core

SCRYPT = "1.3.6.1.4.1.11591.4.11"
PBMAC1 = "1.2.840.113549.1.5.14"


class ScryptParams(core.Sequence):  # type: ignore[misc]  # asn1crypto has no types
    """RFC 7914 section 7.1."""

    _fields: ClassVar[list[tuple[Any, ...]]] = [
        ("salt", core.OctetString),
        ("cost_parameter", core.Integer),
        ("block_size", core.Integer),
        ("parallelization_parameter", core.Integer),
        ("key_length", core.Integer, {"optional": True}),
    ]


class Pbmac1Params(core.Sequence):  # type: ignore[misc]  # as above
    """RFC 8018 appendix A.5."""

    _fields: ClassVar[list[tuple[Any, ...]]] = [
        ("key_derivation_func", algos.KdfAlgorithm),
        ("message_auth_scheme", algos.HmacAlgorithm),
    ]
