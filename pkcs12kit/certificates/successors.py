"""CAs of the Federal and the DoD PKI, and the CAs that follow them, from published announcements.

The table is for hints. It says nothing about trust: no certificate is accepted or rejected because of it. A CA is known
by its key. Another CA that only has the same name is not in the table; a lab has such CAs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """The CA that follows another, as its operator or a published certificate says."""

    name: str
    """The common name."""
    since: date
    """The first day on which the successor is known to exist."""
    replaces: bool
    """True if the older CA is not to be used any more; False if both are in use, and the newer is only the younger."""
    source: str
    """The URL of the announcement, or of the collection with the certificate."""
    note: str
    """One or two sentences about the evidence, and about its limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCA:
    """A CA by name and key, the published bundle with its PKI's certificates of today, and its successor."""

    name: str
    """The common name."""
    subject: str
    """The subject (RFC 4514)."""
    key_identifier: str
    """The subjectKeyIdentifier of its certificates, in hexadecimal."""
    spki_sha256: str
    """The SHA-256 of its SubjectPublicKeyInfo, in hexadecimal: it identifies the key."""
    bundle: str
    """The name of the published bundle, for ``--bundle``."""
    successor: Successor | None = None
    """The CA that follows; None if none is known."""


_FPKI: Final = "OU=FPKI,O=U.S. Government,C=US"
_DOD: Final = "OU=PKI,OU=DoD,O=U.S. Government,C=US"
_ECA: Final = "OU=ECA,O=U.S. Government,C=US"
_GUIDES: Final = "https://github.com/GSA/fpki-guides/issues"
_PLAYBOOKS: Final = "https://github.com/GSA/ficam-playbooks/issues"
_NOTICES: Final = "https://github.com/GSA/idmanagement.gov/issues"
_ZCRYPTO: Final = "https://github.com/zmap/zcrypto"
_BRIDGE_G5: Final = "https://www.idmanagement.gov/implement/announcements/FBCAG5/"

CAS: Final = (
    KnownCA(
        name="Federal Common Policy CA",
        subject=f"CN=Federal Common Policy CA,{_FPKI}",
        key_identifier="ad0c7a755ce5f398c479980eac28fd97f4e702fc",
        spki_sha256="8e8b56f5918a25bd85dce76663fd94cc23690f10ea9586613171c6f8378890d5",
        bundle="fpki",
        successor=Successor(
            name="Federal Common Policy CA G2",
            since=date(2020, 10, 14),
            replaces=True,
            source=f"{_PLAYBOOKS}/107",
            note="All certificates that it issued were revoked, and it was decommissioned on 2021-07-28.",
        ),
    ),
    KnownCA(
        name="Federal Common Policy CA G2",
        subject=f"CN=Federal Common Policy CA G2,{_FPKI}",
        key_identifier="f4275ca9c37c47f4faa6a7b05997aadd352617e3",
        spki_sha256="166b08e9535614bc6d57e9d088421ce771cd15ccc4c9842d997a973260cc4800",
        bundle="fpki",
    ),
    KnownCA(
        name="Federal Bridge CA",
        subject=f"CN=Federal Bridge CA,{_FPKI}",
        key_identifier="c49dfc9d5d3a5d057abf0281ecdb497015c7b272",
        spki_sha256="2067b67554bfee30e3d54ac5953904127503b28fdef913ec02695984201bbaf6",
        bundle="fpki",
        successor=Successor(
            name="Federal Bridge CA 2013",
            since=date(2013, 10, 21),
            replaces=True,
            source=_ZCRYPTO,
            note="By the validity of the certificates that Federal Common Policy CA issued to both. No announcement is"
            " known.",
        ),
    ),
    KnownCA(
        name="Federal Bridge CA 2013",
        subject=f"CN=Federal Bridge CA 2013,{_FPKI}",
        key_identifier="bbce747183344e593245155f406060dc2bb0b4e4",
        spki_sha256="18b0156ab8e6704869cad83678e0984324299c1c56646a16ee4f841bd161eb78",
        bundle="fpki",
        successor=Successor(
            name="Federal Bridge CA 2016",
            since=date(2016, 11, 8),
            replaces=True,
            source=_ZCRYPTO,
            note="By the validity of the certificates that Federal Common Policy CA issued to both. No announcement is"
            " known.",
        ),
    ),
    KnownCA(
        name="Federal Bridge CA 2016",
        subject=f"CN=Federal Bridge CA 2016,{_FPKI}",
        key_identifier="23b0b37d1654d4025676eb3abea96b2f437b2816",
        spki_sha256="5b6b96f18cb18f6a62a9c7b9728e9e5587cd4e568d92f380f8af6e224e21d319",
        bundle="fpki",
        successor=Successor(
            name="Federal Bridge CA G4",
            since=date(2019, 12, 16),
            replaces=True,
            source=f"{_GUIDES}/748",
            note="Its certificate was revoked on 2020-10-13, as part of the migration to the successor.",
        ),
    ),
    KnownCA(
        name="Federal Bridge CA G4",
        subject=f"CN=Federal Bridge CA G4,{_FPKI}",
        key_identifier="79f00049eb7f77c25d410265348a90239b1e076f",
        spki_sha256="ac499048c7dd00c021b371e34aa7599ee6de94076008adae0faba298c83359e2",
        bundle="fpki",
        successor=Successor(
            name="Federal Bridge CA G5",
            since=date(2026, 9, 1),
            replaces=True,
            source=_BRIDGE_G5,
            note="It was announced that the older CA and its cross-certificates will be revoked by 2026-11-30. Whether"
            " that was done is not known here.",
        ),
    ),
    KnownCA(
        name="DoD Interoperability Root CA 2",
        subject=f"CN=DoD Interoperability Root CA 2,{_DOD}",
        key_identifier="fff8ae138b922b799241a3765c2c819e9ac59c78",
        spki_sha256="6c24623cbd3538c04bdb7a475abce95a5c2012159bf150201af92d54166096af",
        bundle="fpki",
        successor=Successor(
            name="DoD Interoperability Root CA 3",
            since=date(2026, 9, 14),
            replaces=True,
            source=f"{_NOTICES}/2073",
            note="Federal Bridge CA G5 certifies only the successor, which was expected to certify DoD Root CA 3 and 6,"
            " and ECA Root CA 4 and 5. Federal Bridge CA G4 certified the older CA once more, from 2026-01-21 to"
            f" 2029-01-21 ({_NOTICES}/1732).",
        ),
    ),
    KnownCA(
        name="DoD Root CA 2",
        subject=f"CN=DoD Root CA 2,{_DOD}",
        key_identifier="4974bb0c5eba7afe0254ef7ba0c695c609807096",
        spki_sha256="8adb238554a0cbfc3a11fecc183e3cd2c23d25e7894cf2bbae58eb70a44e7cf3",
        bundle="dod",
        successor=Successor(
            name="DoD Root CA 3",
            since=date(2012, 3, 20),
            replaces=True,
            source="https://github.com/18F/identity-pki/pull/321",
            note="No path of the Federal PKI led to the older CA any more in August 2022. No announcement of its end is"
            " known; its certificate is valid until 2029.",
        ),
    ),
    KnownCA(
        name="DoD Root CA 3",
        subject=f"CN=DoD Root CA 3,{_DOD}",
        key_identifier="6c8a94a277b180721d817a16aaf2dcce66ee45c0",
        spki_sha256="0426ad0eff7f5e57853c95b9c02d685147462965d2909abd147ec07377eb7bb5",
        bundle="dod",
        successor=Successor(
            name="DoD Root CA 6",
            since=date(2023, 1, 24),
            replaces=False,
            source=f"{_NOTICES}/1288",
            note="Both are in use: issuing CAs since 2025 are below DoD Root CA 6, and the older ones stay below DoD"
            " Root CA 3, whose certificate is valid until 2029.",
        ),
    ),
    KnownCA(
        name="DoD Root CA 6",
        subject=f"CN=DoD Root CA 6,{_DOD}",
        key_identifier="134f3cbbdb5d4529a59470b6daac9e4ce22fc10b",
        spki_sha256="2091329dd1a11b8b7978b8f5de8c9cbe4ae4eace1f2fd4360e88d3be66fc478e",
        bundle="dod",
    ),
    KnownCA(
        name="ECA Root CA 4",
        subject=f"CN=ECA Root CA 4,{_ECA}",
        key_identifier="335ba56f7a55602b814b2614cc79bf4aba8b32bd",
        spki_sha256="505236b952680b4394707f99d84e040fc94be791fc24d1af78f2eecb0c958308",
        bundle="eca",
        successor=Successor(
            name="ECA Root CA 5",
            since=date(2024, 3, 12),
            replaces=False,
            source=f"{_NOTICES}/956",
            note="Both are in use: DoD Interoperability Root CA 2 certified both in 2024.",
        ),
    ),
    KnownCA(
        name="ECA Root CA 5",
        subject=f"CN=ECA Root CA 5,{_ECA}",
        key_identifier="cf94c7db7fdd3390e761412d7010e207ec6ee7aa",
        spki_sha256="5b0ccd27a02d842dcc294cda57b6d367fa44ae2f65c2e54a222a2dfd19a321d5",
        bundle="eca",
    ),
)
"""The known CAs. ``since`` of a successor without an announcement is the beginning of its first known certificate."""

_BY_KEY: Final[Mapping[str, KnownCA]] = MappingProxyType({ca.spki_sha256: ca for ca in CAS})
_BY_NAME: Final[Mapping[str, KnownCA]] = MappingProxyType({ca.name: ca for ca in CAS})
_BY_SUBJECT: Final[Mapping[tuple[str, str], KnownCA]] = MappingProxyType(
    {(ca.subject, ca.key_identifier): ca for ca in CAS}
)


def known_ca(subject_public_key_info: bytes) -> KnownCA | None:
    """Return the CA with this key, which is DER; None for a key that is not in the table."""
    return _BY_KEY.get(hashlib.sha256(subject_public_key_info).hexdigest())


def known_cas(certificates: Iterable[Certificate]) -> Iterator[KnownCA]:
    """Yield the known CAs among the subjects of certificates. A certificate without a readable key is passed over."""
    for certificate in certificates:
        try:
            found = known_ca(certificate.subject_public_key_info)
        except MalformedCertificateError:
            continue
        if found is not None:
            yield found


def named_ca(name: Name, key_identifier: bytes | None) -> KnownCA | None:
    """Return the CA that a certificate names as its issuer. Anyone can write these two values: it is only a hint."""
    return None if key_identifier is None else _BY_SUBJECT.get((str(name), key_identifier.hex()))


def successors_of(ca: KnownCA, day: date) -> tuple[Successor, ...]:
    """Return the CAs that replaced a CA by ``day``, each the successor of the one before."""
    found: list[Successor] = []
    known: KnownCA | None = ca
    while known is not None and known.successor is not None:
        if not known.successor.replaces or known.successor.since > day:
            break
        found.append(known.successor)
        known = _BY_NAME.get(known.successor.name)
    return tuple(found)
