"""The things that are listed: certificates, keys, CRLs, and other parts of a PKI. None of them holds a secret."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from pkcs12kit.certificates.algorithm_names import signature_algorithm_in_words
from pkcs12kit.certificates.serial_numbers import serial_number_text
from pkcs12kit.display.certificate_facts import (
    alternative_names,
    extension_facts,
    public_key_in_words,
    sha1_fingerprint,
)
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.revocation.crl import RevocationList


class CertificateKind(Enum):
    """The kinds of certificates that are told apart."""

    ROOT = "root"
    """A CA certificate that its own key has signed, or such a certificate of version 1."""
    CA = "CA"
    """Another CA certificate: of an intermediate CA, or a cross-certificate."""
    SELF_SIGNED = "self-signed"
    """A certificate that its own key has signed, and that is not for a CA."""
    END_ENTITY = "end-entity"
    """Any other certificate, of a server or a person for example."""


class State(Enum):
    """The validity of a certificate at a time (RFC 5280 section 4.1.2.5)."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCertificate:
    """A certificate, and every file in which it stands."""

    certificate: Certificate
    kind: CertificateKind
    sources: tuple[str, ...]
    """The names of the files, safe to print; ``archive.zip!file`` for a file in a zip."""

    def state(self, time: datetime) -> State:
        """Return the validity at a time."""
        if time > self.certificate.not_after:
            return State.EXPIRED
        return State.NOT_YET_VALID if time < self.certificate.not_before else State.VALID

    def to_json(self, time: datetime) -> dict[str, Any]:
        """Return the certificate for ``show --json``."""
        certificate = self.certificate
        try:
            extensions = [
                {"name": fact.name, "values": list(fact.values)} for fact in extension_facts(certificate.extensions)
            ]
        except MalformedCertificateError as error:
            extensions = [{"name": "not read", "values": [str(error)]}]
        return {
            **certificate.to_json(),
            "sha1": sha1_fingerprint(certificate),
            "kind": self.kind.value,
            "state": self.state(time).value,
            "key": public_key_in_words(certificate),
            "signature_algorithm": signature_algorithm_in_words(certificate),
            "names": list(alternative_names(certificate)),
            "extensions": extensions,
            "files": list(self.sources),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """A private or a public key, without any part of a private one."""

    is_private: bool
    algorithm: str | None
    """The algorithm and the size, ``RSA 2048``; None where they cannot be known."""
    is_encrypted: bool = False
    """True where the file has it encrypted; with its password it may have been read."""
    public_key: bytes | None = field(default=None, repr=False)
    """The SubjectPublicKeyInfo, DER; None where it cannot be known."""
    certificates: tuple[Certificate, ...] = ()
    """The listed certificates of this key. Empty also where :attr:`public_key` is not known."""
    friendly_name: str | None = None
    """The name of the key in a PKCS#12 file."""
    why: str | None = None
    """The reason why the key is not read; None if it is."""
    sources: tuple[str, ...]
    """The names of the files, safe to print."""

    @property
    def public_key_sha256(self) -> str | None:
        """The SHA-256 of :attr:`public_key`, in hexadecimal."""
        return None if self.public_key is None else hashlib.sha256(self.public_key).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the key for ``show --json``."""
        return {
            "type": "private" if self.is_private else "public",
            "key": self.algorithm,
            "encrypted": self.is_encrypted,
            "public_key_sha256": self.public_key_sha256,
            "certificates": None if self.public_key is None else [one.sha256 for one in self.certificates],
            "friendly_name": self.friendly_name,
            "why": self.why,
            "files": list(self.sources),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCrl:
    """A CRL, and every file in which it stands. Its signature is not checked."""

    crl: RevocationList
    sources: tuple[str, ...]

    def state(self, time: datetime) -> State:
        """Return the validity at a time; a CRL without nextUpdate does not end."""
        if self.crl.next_update is not None and time > self.crl.next_update:
            return State.EXPIRED
        return State.NOT_YET_VALID if time < self.crl.this_update else State.VALID

    def to_json(self, time: datetime) -> dict[str, Any]:
        """Return the CRL for ``show --json``."""
        crl = self.crl
        return {
            "issuer": str(crl.issuer),
            "number": None if crl.number is None else serial_number_text(crl.number),
            "this_update": format_time(crl.this_update),
            "next_update": None if crl.next_update is None else format_time(crl.next_update),
            "entries": crl.entry_count,
            "delta": crl.is_delta,
            "indirect": crl.scope.is_indirect,
            "problem": None if crl.fault is None else str(crl.fault),
            "state": self.state(time).value,
            "sha256": crl.signed.sha256,
            "files": list(self.sources),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherContent:
    """Another part of a PKI: an OCSP response, a certificate request, an attribute certificate, a Java keystore."""

    kind: str
    """The kind in words, ``an OCSP response``."""
    text: str | None
    """More about it, in words; safe to print."""
    sources: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the content for ``show --json``."""
        return {"kind": self.kind, "text": self.text, "files": list(self.sources)}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadPart:
    """A file, or a part of one, that could not be read."""

    source: str
    position: int | None
    """The position in the file, counted from 1; None for the whole file."""
    reason: str
    needs_password: bool = False
    """True where the password of a PKCS#12 file may open it."""

    def to_json(self) -> dict[str, Any]:
        """Return the part for ``show --json``."""
        return {
            "file": self.source,
            "position": self.position,
            "reason": self.reason,
            "needs_password": self.needs_password,
        }

    def __str__(self) -> str:
        where = self.source if self.position is None else f"{self.source}, part {self.position}"
        return f"{where}: {self.reason}"
