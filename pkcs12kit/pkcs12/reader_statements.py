"""Parts of the table of readers: statements, and the abilities and sources that several programs share."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.key_kinds import ML_DSA, KeyKind
from pkcs12kit.findings import Evidence
from pkcs12kit.pkcs12.compatibility import Bounds, Reader, ReaderStatement
from pkcs12kit.pkcs12.features import Feature

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.pkcs12.features import Ability

DOCUMENTED: Final = Evidence.DOCUMENTED
REPORTED: Final = Evidence.REPORTED
TRIED: Final = Evidence.TRIED
MODERN: Final = (Feature.AES, Feature.MAC_SHA256)
LEGACY: Final = (Feature.TRIPLE_DES, Feature.MAC_SHA1)
PASSWORDS: Final = (Feature.EMPTY_PASSWORD, Feature.NON_ASCII_PASSWORD)
RSA: Final = (KeyKind.RSA_1024, KeyKind.RSA_2048, KeyKind.RSA_4096, KeyKind.RSA_8192)
NIST: Final = (KeyKind.EC_P256, KeyKind.EC_P384, KeyKind.EC_P521)
CURVES: Final = (KeyKind.EC_P224, KeyKind.EC_SECP256K1, KeyKind.EC_BRAINPOOL)
EDDSA: Final = (KeyKind.ED25519, KeyKind.ED448)
PQ: Final = (*ML_DSA, KeyKind.SLH_DSA)
CLASSIC_CERTIFICATES: Final = (
    Feature.P224_CERTIFICATE,
    Feature.CURVE_CERTIFICATE,
    Feature.EDDSA_CERTIFICATE,
    Feature.PSS_CERTIFICATE,
)
PQ_CERTIFICATES: Final = (Feature.ML_DSA_CERTIFICATE, Feature.SLH_DSA_CERTIFICATE)
CERTIFICATES: Final = (*CLASSIC_CERTIFICATES, *PQ_CERTIFICATES)
EMPTY_PASSWORDS: Final = "https://github.com/zeroc-ice/ice/pull/6503"

_NO_BOUNDS: Final = Bounds()


def opens(features: Iterable[Ability], evidence: Evidence, source: str, note: str = "") -> list[ReaderStatement]:
    """Return one statement for each ability that a reader has."""
    return [ReaderStatement(feature=it, opens=True, evidence=evidence, source=source, note=note) for it in features]


def refuses(features: Iterable[Ability], evidence: Evidence, source: str, note: str = "") -> list[ReaderStatement]:
    """Return one statement for each ability that a reader lacks."""
    return [ReaderStatement(feature=it, opens=False, evidence=evidence, source=source, note=note) for it in features]


def entry(name: str, title: str, *statements: list[ReaderStatement], bounds: Bounds = _NO_BOUNDS) -> Reader:
    """Return an entry of the table."""
    return Reader(name=name, title=title, statements=tuple(chain.from_iterable(statements)), bounds=bounds)
