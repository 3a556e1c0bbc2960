"""Certificates, CRLs and OCSP responses of a scenario, signed with ECDSA keys that are made once per run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .. import der
from .. import x509_values as values

ECDSA_SHA384: Final = der.sequence(der.oid("1.2.840.10045.4.3.3"))
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
DIGESTS: Final = ("sha1", "sha256", "sha384", "sha512", "sha3_256")
UNKNOWN: Final = "1.3.6.1.4.1.55555.1"
"""The identifier of an extension that no program knows."""


class Key:
    """A P-256 key."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        public = self._private.public_key()
        self.spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def identifier(self) -> bytes:
        """The SHA-1 hash of the public key (RFC 5280 section 4.2.1.2 (1), RFC 6960 section 4.2.1)."""
        return hashlib.sha1(self.point, usedforsecurity=False).digest()

    def signature(self, data: bytes) -> bytes:
        """Return an ECDSA signature with SHA-256."""
        return self._private.sign(data, ec.ECDSA(hashes.SHA256()))


_keys: Final[dict[str, Key]] = {}


def key(label: str) -> Key:
    """Return the key of that label, made on first use."""
    if label not in _keys:
        _keys[label] = Key()
    return _keys[label]


def signed(body: bytes, signer: str, *, altered: bool = False, outer: bytes = values.ECDSA_WITH_SHA256) -> bytes:
    """Return SEQUENCE { body, algorithm, signature }; an altered signature is well formed and wrong."""
    return der.sequence(body, outer, der.bit_string(key(signer).signature(body + b"\0" if altered else body)))


def relative_name(common_name: str) -> bytes:
    """Return a RelativeDistinguishedName."""
    return der.tlv(0x31, der.sequence(der.oid("2.5.4.3"), der.utf8(common_name)))


def printable_name(common_name: str) -> bytes:
    """Return a Name of one PrintableString."""
    value = der.tlv(0x13, common_name.encode("ascii"))
    return der.sequence(der.tlv(0x31, der.sequence(der.oid("2.5.4.3"), value)))


def name(*common_names: str) -> bytes:
    """Return a Name of one RelativeDistinguishedName for each text."""
    return der.sequence(*map(relative_name, common_names))


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    """Return an Extension."""
    return der.sequence(der.oid(dotted), der.TRUE if critical else b"", der.octets(value))


def key_usage(*usages: str) -> bytes:
    """Return a critical keyUsage."""
    return extension(values.KEY_USAGE, values.key_usage(*usages), critical=True)


def purposes(*dotted: str, critical: bool = False) -> bytes:
    """Return extKeyUsage."""
    return extension(values.PURPOSES, values.purposes(*dotted), critical=critical)


def authority_key_identifier(identifier: bytes) -> bytes:
    """Return authorityKeyIdentifier with a key identifier."""
    return extension(values.AUTHORITY_KEY, values.authority_key(identifier))


NO_CHECK: Final = extension(values.NO_CHECK, der.NULL)
"""id-pkix-ocsp-nocheck (RFC 6960 section 4.2.2.2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate to be made."""

    subject: bytes
    issuer: bytes
    key: str
    signer: str
    serial: int
    ca: bool = False
    usages: tuple[str, ...] | None = ("keyCertSign", "cRLSign")
    extensions: tuple[bytes, ...] = ()
    begin: timedelta = -400 * DAY
    end: timedelta = 400 * DAY
    altered: bool = False
    signature_of: bytes | None = None
    """A certificate's DER whose signature octets this one carries instead of its own."""

    def encode(self, now: datetime) -> bytes:
        """Return the certificate, DER."""
        extensions = [
            extension(values.BASIC, values.basic_constraints(), critical=True) if self.ca else b"",
            key_usage(*self.usages) if self.usages else b"",
            extension(values.SUBJECT_KEY, der.octets(key(self.key).identifier)),
            authority_key_identifier(key(self.signer).identifier) if self.subject != self.issuer else b"",
            *self.extensions,
        ]
        body = der.sequence(
            der.explicit(0, der.integer(2)),
            der.integer(self.serial),
            values.ECDSA_WITH_SHA256,
            self.issuer,
            der.sequence(der.utc_time(now + self.begin), der.utc_time(now + self.end)),
            self.subject,
            key(self.key).spki,
            der.explicit(3, der.sequence(*extensions)),
        )
        if self.signature_of is not None:
            return der.sequence(body, values.ECDSA_WITH_SHA256, _last_item(self.signature_of))
        return signed(body, self.signer, altered=self.altered)


def _last_item(data: bytes) -> bytes:
    """Return the BIT STRING at the end of a signed object whose signature has 70 to 72 octets."""
    for size in range(69, 74):
        if data[-size - 3 : -size] == bytes([0x03, size + 1, 0]):
            return data[-size - 3 :]
    raise AssertionError("no signature of ECDSA with P-256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One of a CRL's revokedCertificates."""

    serial: int
    date: timedelta = -DAY
    reason: str | None = "keyCompromise"
    extensions: tuple[bytes, ...] = ()

    def encode(self, now: datetime) -> bytes:
        """Return the entry, DER."""
        extensions = list(self.extensions)
        if self.reason is not None:
            extensions.insert(0, extension(values.REASON, values.reason(self.reason)))
        return der.sequence(
            der.integer(self.serial),
            der.utc_time(now + self.date),
            der.sequence(*extensions) if extensions else b"",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Crl:
    """A CRL to be made."""

    issuer: bytes
    signer: str
    begin: timedelta = -2 * HOUR
    end: timedelta | None = 7 * DAY
    entries: tuple[Entry, ...] = ()
    number: int | None = 5
    extensions: tuple[bytes, ...] = ()
    version: int = 2
    keeps_extensions: bool = False
    """Also in version 1."""
    generalized_times: bool = False
    altered: bool = False
    outer: bytes = values.ECDSA_WITH_SHA256
    key_identifier: bytes | None = None
    """In authorityKeyIdentifier; None is that of the signer's key."""
    signature_of: bytes | None = None
    """A CRL's DER whose signature octets this one carries instead of its own."""

    def encode(self, now: datetime) -> bytes:
        """Return the CertificateList, DER."""
        time = der.generalized_time if self.generalized_times else der.utc_time
        extensions = [
            authority_key_identifier(self.key_identifier or key(self.signer).identifier),
            extension(values.CRL_NUMBER, der.integer(self.number)) if self.number is not None else b"",
            *self.extensions,
        ]
        body = der.sequence(
            der.integer(self.version - 1) if self.version > 1 else b"",
            values.ECDSA_WITH_SHA256,
            self.issuer,
            time(now + self.begin),
            time(now + self.end) if self.end is not None else b"",
            der.sequence(*(entry.encode(now) for entry in self.entries)) if self.entries else b"",
            der.explicit(0, der.sequence(*extensions)) if self.version > 1 or self.keeps_extensions else b"",
        )
        if self.signature_of is not None:
            return der.sequence(body, values.ECDSA_WITH_SHA256, _last_item(self.signature_of))
        return signed(body, self.signer, altered=self.altered, outer=self.outer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One SingleResponse."""

    issuer: bytes
    issuer_key: str
    serial: int
    status: str = "good"
    reason: str | None = "keyCompromise"
    revoked: timedelta = -DAY
    digest: str = "sha1"
    digest_null: bool = True
    begin: timedelta = -2 * HOUR
    end: timedelta | None = 7 * DAY
    extensions: tuple[bytes, ...] = ()

    def encode(self, now: datetime) -> bytes:
        """Return the SingleResponse, DER."""
        hashed = [hashlib.new(self.digest, it).digest() for it in (self.issuer, key(self.issuer_key).point)]
        algorithm = der.sequence(der.oid(values.HASHES[self.digest]), der.NULL if self.digest_null else b"")
        return der.sequence(
            der.sequence(algorithm, *map(der.octets, hashed), der.integer(self.serial)),
            self._status(now),
            der.generalized_time(now + self.begin),
            der.explicit(0, der.generalized_time(now + self.end)) if self.end is not None else b"",
            der.explicit(1, der.sequence(*self.extensions)) if self.extensions else b"",
        )

    def _status(self, now: datetime) -> bytes:
        if self.status == "revoked":
            reason = der.explicit(0, values.reason(self.reason)) if self.reason is not None else b""
            return der.explicit(1, der.generalized_time(now + self.revoked), reason)
        return der.implicit({"good": 0, "unknown": 2}[self.status], b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An OCSPResponse to be made."""

    signer: str
    responder: bytes = field(repr=False)
    """ResponderID, DER."""
    singles: tuple[Single, ...]
    certificates: tuple[bytes, ...] = ()
    produced: timedelta = -2 * HOUR
    version: int = 1
    extensions: tuple[bytes, ...] = ()
    altered: bool = False
    outer: bytes = values.ECDSA_WITH_SHA256
    response_status: int = 0
    response_type: str = values.BASIC_RESPONSE

    def encode(self, now: datetime) -> bytes:
        """Return the response, DER."""
        if self.response_status:
            return der.sequence(der.enumerated(self.response_status))
        body = der.sequence(
            der.explicit(0, der.integer(self.version - 1)) if self.version != 1 else b"",
            self.responder,
            der.generalized_time(now + self.produced),
            der.sequence(*(single.encode(now) for single in self.singles)),
            der.explicit(1, der.sequence(*self.extensions)) if self.extensions else b"",
        )
        basic = der.sequence(
            body,
            self.outer,
            der.bit_string(key(self.signer).signature(body + b"\0" if self.altered else body)),
            der.explicit(0, der.sequence(*self.certificates)) if self.certificates else b"",
        )
        wrapped = der.sequence(der.oid(self.response_type), der.octets(basic))
        return der.sequence(der.enumerated(0), der.explicit(0, wrapped))
