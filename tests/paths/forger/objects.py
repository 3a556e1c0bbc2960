"""Certificates, CRLs and OCSP responses as values: change any field, then read ``der``.

Each has a ``signer``, whose key signs it, and a ``signature``, which replaces that key's signature where it is given.
``dataclasses.replace`` with ``signature=original.signature_octets`` is how a forger keeps the genuine octets.
"""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime, timedelta
from functools import cached_property

from asn1crypto import keys as asn1_keys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ... import der
from ...x509_values import BASIC_RESPONSE, ECDSA_WITH_SHA256, HASHES

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GOOD, UNKNOWN = der.implicit(0), der.implicit(2)


def name(common_name):
    """Return a Name of one organization and a common name."""
    attributes = (("2.5.4.10", "Example"), ("2.5.4.3", common_name))
    return der.sequence(*(der.set_of(der.sequence(der.oid(kind), der.utf8(value))) for kind, value in attributes))


class Key:
    """A P-256 key pair under a label, which is all that its repr shows."""

    def __init__(self, label):
        self.label = label
        self._signatures = {}
        self._private = ec.generate_private_key(ec.SECP256R1())
        self.spki = self._private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.bit_string = asn1_keys.PublicKeyInfo.load(self.spki)["public_key"].contents[1:]
        self.identifier = hashlib.sha1(self.bit_string).digest()  # noqa: S324  # RFC 5280 section 4.2.1.2 (1)

    def sign(self, data):
        """Return the signature of ``data``, the same each time."""
        if data not in self._signatures:
            self._signatures[data] = self._private.sign(data, ec.ECDSA(hashes.SHA256()))
        return self._signatures[data]

    def __repr__(self):
        return f"<key of {self.label}>"


@dataclasses.dataclass(frozen=True)
class Extension:
    """An extension of a certificate, a CRL, a CRL entry, an OCSP response or a single response."""

    oid: str
    value: bytes
    critical: bool = False

    @cached_property
    def der(self):
        """Its encoding; FALSE is the default and so left out."""
        return der.sequence(der.oid(self.oid), der.TRUE if self.critical else b"", der.octets(self.value))


def encode_extensions(number, extensions):
    """Return the extensions under an explicit tag, nothing where the list is empty."""
    return der.explicit(number, der.sequence(*(each.der for each in extensions))) if extensions else b""


class Signed:
    """Something with a signature over ``tbs``."""

    @cached_property
    def signature_octets(self):
        """The signature's octets: the signer's own, or the ones put in their place."""
        return self.signer.sign(self.tbs) if self.signature is None else self.signature

    def _sealed(self, *after):
        return der.sequence(self.tbs, self.algorithm, der.bit_string(self.signature_octets), *after)

    def but(self, **changes):
        """Return the same with other fields, signed by its signer unless ``signature`` is among the changes."""
        return dataclasses.replace(self, **changes)

    def forged(self, **changes):
        """Return the same with other fields and the signature octets that it had before."""
        return dataclasses.replace(self, signature=self.signature_octets, **changes)

    def without(self, *oids):
        """Return the other extensions."""
        return tuple(each for each in self.extensions if each.oid not in oids)

    def extension(self, oid):
        """Return the extension with this OID, None where there is none."""
        return next((each for each in self.extensions if each.oid == oid), None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Certificate(Signed):
    """A certificate (RFC 5280 section 4.1)."""

    subject: str
    issuer: str
    key: Key
    signer: Key
    serial: int
    extensions: tuple[Extension, ...] = ()
    not_before: datetime = NOW - 400 * DAY
    not_after: datetime = NOW + 3000 * DAY
    version: int = 3
    algorithm: bytes = ECDSA_WITH_SHA256
    signature: bytes | None = None

    @cached_property
    def tbs(self):
        """The encoded tbsCertificate."""
        return der.sequence(
            der.explicit(0, der.integer(self.version - 1)) if self.version > 1 else b"",
            der.integer(self.serial),
            ECDSA_WITH_SHA256,
            name(self.issuer),
            der.sequence(der.time(self.not_before), der.time(self.not_after)),
            name(self.subject),
            self.key.spki,
            encode_extensions(3, self.extensions),
        )

    @cached_property
    def der(self):
        """The encoded certificate."""
        return self._sealed()

    def __str__(self):
        return f"{self.subject}#{self.serial} with {self.key} by {self.issuer}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry of a CRL."""

    serial: int
    date: datetime = NOW - 3 * DAY
    extensions: tuple[Extension, ...] = ()

    @property
    def der(self):
        """The encoded entry."""
        more = der.sequence(*(each.der for each in self.extensions)) if self.extensions else b""
        return der.sequence(der.integer(self.serial), der.time(self.date), more)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Crl(Signed):
    """A CertificateList (RFC 5280 section 5.1)."""

    issuer: str
    signer: Key
    entries: tuple[Entry, ...] = ()
    extensions: tuple[Extension, ...] = ()
    this_update: datetime = NOW - HOUR
    next_update: datetime | None = NOW + 7 * DAY
    version: int | None = 2
    algorithm: bytes = ECDSA_WITH_SHA256
    signature: bytes | None = None

    @cached_property
    def tbs(self):
        """The encoded tbsCertList."""
        return der.sequence(
            der.integer(self.version - 1) if self.version is not None else b"",
            ECDSA_WITH_SHA256,
            name(self.issuer),
            der.time(self.this_update),
            der.time(self.next_update) if self.next_update is not None else b"",
            der.sequence(*(each.der for each in self.entries)) if self.entries else b"",
            encode_extensions(0, self.extensions),
        )

    @cached_property
    def der(self):
        """The encoded CRL."""
        return self._sealed()

    def __str__(self):
        return f"CRL of {self.issuer} by {self.signer}, {[each.serial for each in self.entries]}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Single:
    """A SingleResponse (RFC 6960 section 4.2.1) about a serial number of an issuer with a name and a key."""

    serial: int
    issuer: str
    issuer_key: Key
    status: bytes = GOOD
    hash_name: str = "sha1"
    this_update: datetime = NOW - HOUR
    next_update: datetime | None = NOW + DAY
    extensions: tuple[Extension, ...] = ()

    @property
    def der(self):
        """The encoded single response."""
        length = (32,) if self.hash_name.startswith("shake") else ()
        hashed = (
            hashlib.new(self.hash_name, each).digest(*length)
            for each in (name(self.issuer), self.issuer_key.bit_string)
        )
        algorithm = der.sequence(der.oid(HASHES[self.hash_name]), der.NULL)
        return der.sequence(
            der.sequence(algorithm, *map(der.octets, hashed), der.integer(self.serial)),
            self.status,
            der.generalized_time(self.this_update),
            der.explicit(0, der.generalized_time(self.next_update)) if self.next_update is not None else b"",
            encode_extensions(1, self.extensions),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Response(Signed):
    """An OCSPResponse with a BasicOCSPResponse (RFC 6960 section 4.2.1); ``responder`` is a name, or a key."""

    responder: str | Key
    signer: Key
    singles: tuple[Single, ...]
    certificates: tuple[Certificate, ...] = ()
    produced_at: datetime = NOW - HOUR
    extensions: tuple[Extension, ...] = ()
    version: int | None = None
    response_status: int = 0
    algorithm: bytes = ECDSA_WITH_SHA256
    signature: bytes | None = None

    @cached_property
    def tbs(self):
        """The encoded ResponseData."""
        by_name = isinstance(self.responder, str)
        return der.sequence(
            der.explicit(0, der.integer(self.version - 1)) if self.version is not None else b"",
            der.explicit(1, name(self.responder))
            if by_name
            else der.explicit(2, der.octets(self.responder.identifier)),
            der.generalized_time(self.produced_at),
            der.sequence(*(each.der for each in self.singles)),
            encode_extensions(1, self.extensions),
        )

    @cached_property
    def der(self):
        """The encoded response."""
        carried = der.sequence(*(each.der for each in self.certificates))
        basic = self._sealed(der.explicit(0, carried) if self.certificates else b"")
        typed = der.sequence(der.oid(BASIC_RESPONSE), der.octets(basic))
        return der.sequence(der.enumerated(self.response_status), der.explicit(0, typed))

    def __str__(self):
        carried = "; ".join(map(str, self.certificates))
        return f"response by {self.responder}, signed with {self.signer}, with certificates [{carried}]"


def revoked_since(moment, reason=None):
    """Return the CertStatus of a certificate that was revoked; ``reason`` is the number of a CRLReason."""
    return der.explicit(
        1, der.generalized_time(moment), der.explicit(0, der.enumerated(reason)) if reason is not None else b""
    )
