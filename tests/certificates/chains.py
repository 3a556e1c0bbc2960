"""A sound chain of three certificates, each field and extension of which can be changed, and chains with one defect."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, rsa

from .. import der
from ..x509_values import ANY_PURPOSE, AUTHORITY_KEY, BASIC, KEY_USAGE, PURPOSES, SERVER_AUTH, SUBJECT_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW: Final = dt.datetime.now(dt.UTC).replace(microsecond=0)  # programs of others know no other time
BEGIN: Final = NOW - dt.timedelta(days=150)
ALTERNATIVE, NAME_CONSTRAINTS, POLICIES, POLICY_CONSTRAINTS, INHIBIT = (
    f"2.5.29.{number}" for number in (17, 30, 32, 36, 54)
)
HOST: Final = "mdm.example.mil"
_KEYS: Final = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("Root", "Issuing", HOST)}
_SIGNATURES: Final = {"ecdsa": "1.2.840.10045.4.3.2", "ecdsa-sha1": "1.2.840.10045.4.1"}


def name(common_name: str, tag: int = 0x0C) -> bytes:
    """Return a name with one attribute; an empty one without text."""
    if not common_name:
        return der.sequence()
    return der.sequence(der.set_of(der.sequence(der.oid("2.5.4.3"), der.tlv(tag, common_name.encode()))))


def until(days: int) -> bytes:
    """Return a validity of so many days, the last second included."""
    return der.sequence(der.time(BEGIN), der.time(BEGIN + dt.timedelta(days=days, seconds=-1)))


def dns(*names: str) -> bytes:
    """Return the value of a subjectAltName with dNSNames."""
    return der.sequence(*(der.implicit(2, one.encode()) for one in names))


@dataclass(frozen=True)
class Parts:
    """The fields of one certificate. Extensions are by object identifier: whether critical, and the value."""

    subject: str
    issuer: str
    extensions: Mapping[str, tuple[bool, bytes]]
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | mldsa.MLDSA65PrivateKey
    issuer_key: ec.EllipticCurvePrivateKey
    serial: int = 77
    version: int = 3
    validity: bytes = until(365)
    signature: str = "ecdsa"
    unique: bytes = b""
    tag: int = 0x0C

    def without(self, oid: str) -> Parts:
        """Return the same without an extension."""
        return replace(self, extensions={one: value for one, value in self.extensions.items() if one != oid})

    def having(self, oid: str, value: bytes | None = None, *, critical: bool = False) -> Parts:
        """Return the same with another value of an extension, or with the same value."""
        value = self.extensions[oid][1] if value is None else value
        return replace(self, extensions={**self.extensions, oid: (critical, value)})

    @functools.cached_property
    def der(self) -> bytes:
        """The signed certificate."""
        algorithm = der.sequence(der.oid(_SIGNATURES[self.signature]))
        tbs = der.sequence(
            der.explicit(0, der.integer(self.version - 1)) if self.version > 1 else b"",
            der.integer(self.serial),
            algorithm,
            name(self.issuer),
            self.validity,
            name(self.subject, self.tag),
            _public_info(self.key),
            self.unique,
            der.explicit(3, der.sequence(*self._extensions())) if self.version == 3 else b"",
        )
        digest = hashes.SHA1() if self.signature.endswith("sha1") else hashes.SHA256()  # noqa: S303  # one rule is about it
        return der.sequence(tbs, algorithm, der.bit_string(self.issuer_key.sign(tbs, ec.ECDSA(digest))))

    def _extensions(self) -> list[bytes]:
        return [
            der.sequence(der.oid(oid), der.TRUE if critical else b"", der.octets(value))
            for oid, (critical, value) in self.extensions.items()
        ]


def _public_info(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | mldsa.MLDSA65PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _identifier(key_name: str) -> bytes:
    digest = hashes.Hash(hashes.SHA1())  # noqa: S303  # a key identifier (RFC 5280 section 4.2.1.2)
    digest.update(_public_info(_KEYS[key_name]))
    return digest.finalize()


def _authority(key_name: str) -> tuple[bool, bytes]:
    return False, der.sequence(der.implicit(0, _identifier(key_name)))


def _of_ca(key_name: str) -> dict[str, tuple[bool, bytes]]:
    return {
        BASIC: (True, der.sequence(der.TRUE)),
        KEY_USAGE: (True, der.named_bits(5, 6)),
        SUBJECT_KEY: (False, der.octets(_identifier(key_name))),
    }


ROOT: Final = Parts("Root", "Root", _of_ca("Root"), _KEYS["Root"], _KEYS["Root"], serial=1)
ISSUING: Final = Parts(
    "Issuing",
    "Root",
    {**_of_ca("Issuing"), AUTHORITY_KEY: _authority("Root")},
    _KEYS["Issuing"],
    _KEYS["Root"],
    serial=2,
)
SERVER: Final = Parts(
    HOST,
    "Issuing",
    {
        KEY_USAGE: (True, der.named_bits(0)),
        PURPOSES: (False, der.sequence(der.oid(SERVER_AUTH))),
        ALTERNATIVE: (False, dns(HOST)),
        AUTHORITY_KEY: _authority("Issuing"),
    },
    _KEYS[HOST],
    _KEYS["Issuing"],
)

SOUND: Final = (SERVER, ISSUING, ROOT)
"""The sound chain, the server first."""


def chain_with(part: Parts) -> tuple[Parts, Parts, Parts]:
    """Return the sound chain with one certificate of its own in it: that of the same subject, else the server's."""
    if part.subject in {"Issuing", "Root"}:
        server, issuing, root = SOUND
        return (server, part, root) if part.subject == "Issuing" else (server, issuing, part)
    return (part, ISSUING, ROOT)


def _short_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)  # noqa: S505  # the rule is about such keys


_ML_DSA: Final = mldsa.MLDSA65PrivateKey.generate()
_GENERALIZED: Final = der.sequence(der.generalized_time(BEGIN), der.generalized_time(BEGIN + dt.timedelta(days=300)))
_CONSTRAINTS: Final = der.sequence(der.explicit(0, der.sequence(der.implicit(2, b"example.mil"))))
_TWICE: Final = der.sequence(*2 * [der.sequence(der.oid("2.16.840.1.101.3.2.1.3.8"))])

DEFECTS: Final[tuple[tuple[str, Parts], ...]] = (
    # the rule that the certificate does not keep, and the certificate, which keeps all others
    ("version-1", replace(ROOT, version=1)),
    ("serial-number-not-positive", replace(SERVER, serial=-5)),
    ("serial-number-not-positive", replace(ISSUING, serial=0)),
    ("serial-number-too-long", replace(ISSUING, serial=1 << 160)),
    ("unfit-string", replace(SERVER, subject="M & M", tag=0x13)),
    ("attribute-length", replace(SERVER, subject="M" * 65)),
    ("validity-encoding", replace(SERVER, validity=_GENERALIZED)),
    ("validity-encoding", replace(ROOT, validity=_GENERALIZED)),
    ("validity-over-825-days", replace(SERVER, validity=until(826))),
    ("validity-over-398-days", replace(SERVER, validity=until(399))),
    ("rsa-key-short", replace(SERVER, key=_short_key())),
    ("sha1-signature", replace(ISSUING, signature="ecdsa-sha1")),
    ("unique-identifier", replace(ISSUING, unique=der.implicit(1, b"\0\x01"))),
    ("unique-identifier", replace(SERVER, unique=der.implicit(2, b"\0\x01"))),
    ("authority-key-identifier-missing", SERVER.without(AUTHORITY_KEY)),
    ("authority-key-identifier-missing", ISSUING.without(AUTHORITY_KEY)),
    ("authority-key-identifier-missing", SERVER.having(AUTHORITY_KEY, der.sequence())),
    ("subject-key-identifier-missing", ISSUING.without(SUBJECT_KEY)),
    ("subject-key-identifier-missing", ROOT.without(SUBJECT_KEY)),
    ("key-usage-missing", ISSUING.without(KEY_USAGE)),
    ("key-usage-missing", ROOT.without(KEY_USAGE)),
    ("key-usage-unfit", SERVER.having(KEY_USAGE, der.named_bits(0, 2))),
    ("key-usage-unfit", replace(SERVER, key=_ML_DSA).having(KEY_USAGE, der.named_bits(0, 4))),
    ("key-usage-unfit", replace(SERVER, key=_ML_DSA).having(KEY_USAGE, der.named_bits())),
    ("unreadable-extension", SERVER.having("2.5.29.18", b"\xff")),
    ("policy-repeated", SERVER.having(POLICIES, _TWICE)),
    ("alternative-name-not-critical", replace(SERVER, subject="")),
    ("dns-name-underscore", SERVER.having(ALTERNATIVE, dns(HOST, "a_b.example.mil"))),
    ("dns-name-syntax", SERVER.having(ALTERNATIVE, dns(HOST, "mdm.example.mil."))),
    ("dns-name-syntax", SERVER.having(ALTERNATIVE, dns(HOST, "a..example.mil"))),
    ("dns-name-syntax", SERVER.having(ALTERNATIVE, dns(HOST, "-a.example.mil"))),
    ("dns-name-syntax", SERVER.having(ALTERNATIVE, dns(HOST, "a.*.example.mil"))),
    ("dns-name-syntax", SERVER.having(ALTERNATIVE, dns(HOST, " "))),
    ("dns-name-syntax", SERVER.having(ALTERNATIVE, dns(HOST, "https://mdm.example.mil/"))),
    ("dns-name-is-address", SERVER.having(ALTERNATIVE, dns(HOST, "192.0.2.1"))),
    ("dns-name-is-address", SERVER.having(ALTERNATIVE, dns(HOST, "2001:db8::1"))),
    ("basic-constraints-missing", ROOT.without(BASIC)),
    ("basic-constraints-not-critical", ISSUING.having(BASIC)),
    ("basic-constraints-not-critical", ROOT.having(BASIC)),
    ("name-constraints-not-critical", ISSUING.having(NAME_CONSTRAINTS, _CONSTRAINTS)),
    ("policy-constraints-not-critical", ISSUING.having(POLICY_CONSTRAINTS, der.sequence(der.implicit(1, b"\0")))),
    ("inhibit-any-policy-not-critical", ISSUING.having(INHIBIT, der.integer(0))),
    ("ca-as-server", SERVER.having(BASIC, der.sequence(der.TRUE), critical=True)),
    ("purpose-missing", SERVER.without(PURPOSES)),
    ("purpose-any", SERVER.having(PURPOSES, der.sequence(der.oid(ANY_PURPOSE)))),
    ("server-name-missing", SERVER.without(ALTERNATIVE)),
    ("server-name-missing", SERVER.having(ALTERNATIVE, der.sequence(der.implicit(1, b"root@example.mil")))),
    ("common-name-not-in-names", SERVER.having(ALTERNATIVE, dns("www.example.mil"))),
    ("common-name-not-in-names", replace(SERVER, subject="192.0.2.1")),
)
ALSO: Final = {"ca-as-server": {"subject-key-identifier-missing"}}
"""Other rules that the certificate of a defect does not keep."""
