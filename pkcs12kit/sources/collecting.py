"""Gathering certificates from one source after another: each kind of container opened, each part that fails noted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.certificate import Certificate, read_sound
from pkcs12kit.certificates.pool import Reject
from pkcs12kit.errors import InputError, LimitExceededError, MalformedCertificateError, PfxPasswordError
from pkcs12kit.sources.containers import (
    ArchiveBudget,
    certificate_pair,
    pem_blocks,
    pfx_certificates,
    pkcs7_certificates,
    zip_members,
)
from pkcs12kit.sources.elements import elements
from pkcs12kit.sources.reading import folder_files, is_folder, name_of, read_source, shown_path
from pkcs12kit.sources.sniffing import (
    HOLDS_CERTIFICATES,
    UNRECOGNIZED,
    Kind,
    as_octets,
    decode_base64,
    sniff,
    sniff_der,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.budget import SharedWork
    from pkcs12kit.sources.elements import Element
    from pkcs12kit.sources.reading import Source

# Endings say nothing of what is inside, only that a user would miss it.
_ENDINGS: Final = (".cer", ".crt", ".der", ".p12", ".p7b", ".p7c", ".pem", ".pfx")
_CERTIFICATE_LABELS: Final = frozenset(
    {
        "CERTIFICATE",
        "X509 CERTIFICATE",
        "TRUSTED CERTIFICATE",
        "CERTIFICATE PAIR",
        "CMS",
        "PKCS7",
        "PKCS #7 SIGNED DATA",
        "PKCS12",
    }
)
_SEQUENCE: Final = b"\x30"
_PADDING: Final = b" \t\r\n\v\f\x00"


@dataclass(slots=True, kw_only=True)
class _Place:
    """Where reading is: the name for messages, the last position in it, how deep it lies, its archive's budget."""

    name: str
    depth: int = 0
    position: int = 0
    archive: ArchiveBudget | None = None


class Collector:
    """Certificates and rejects of all sources given to one call.

    The rule for what is no certificate: a source named by the user must hold one, or :class:`InputError` says what it
    holds. In a folder or a zip, keys, requests, CRLs and whatever else is recognized are passed over in silence. What
    is labelled or begins as a certificate, a PKCS#7, a PKCS#12 or a zip and cannot be read is a reject; so is a file
    with a certificate's ending in which nothing is recognized, and one that cannot be opened.
    """

    def __init__(
        self,
        *,
        password: str | None,
        limits: Limits,
        require_mac: bool = False,
        containers: frozenset[Kind] = HOLDS_CERTIFICATES,
    ) -> None:
        self.certificates: list[Certificate] = []
        self.rejects: list[Reject] = []
        self._password = password
        self._require_mac = require_mac
        self._limits = limits
        self._work: SharedWork | None = None
        self._opened = containers
        """What is looked into; whatever else may hold certificates counts as something without."""

    def collect(self, source: Source, *, content: bytes | None = None) -> None:
        """Take in one source named by the user; ``content`` is what was read from it already.

        Raises :class:`InputError` where it cannot be read or holds no certificate that can be.
        """
        name = name_of(source)
        certificates, rejects = len(self.certificates), len(self.rejects)
        if not is_folder(source):
            self.collect_content(name, read_source(source, self._limits) if content is None else content)
            return
        found = self._folder(source)  # type: ignore[arg-type]  # a folder is no bytes
        self._require_certificate(name, certificates, rejects, found)

    def add_loaded(self, loaded: Certificate | CertificatePool) -> None:
        """Add certificates that are loaded already, with the rejects of their pool."""
        if isinstance(loaded, Certificate):
            self.certificates.append(loaded)
        else:
            self.certificates += loaded
            self.rejects += loaded.rejects

    def collect_content(self, name: str, data: bytes) -> None:
        """Take in bytes that are called ``name`` in messages; raises like :meth:`collect`."""
        certificates, rejects = len(self.certificates), len(self.rejects)
        found = self._content(_Place(name=name), data)
        self._require_certificate(name, certificates, rejects, found)

    def collect_member(self, name: str, data: bytes, *, archive: ArchiveBudget) -> None:
        """Take in a file of an archive that the caller unpacks, which need not hold a certificate."""
        self._member(_Place(name=name, depth=1, archive=archive), data)

    def _require_certificate(self, name: str, certificates: int, rejects: int, found: str) -> None:
        """Raise unless there are more certificates than there were."""
        if len(self.certificates) > certificates:
            return
        if unreadable := self.rejects[rejects:]:
            more = f" (and {len(unreadable) - 1} more)" if unreadable[1:] else ""
            raise InputError(f"{name}: no certificate in it can be read: {_without(name, unreadable[0])}{more}")
        raise InputError(f"{name}: expected a certificate, found {found}")

    def _folder(self, folder: str | os.PathLike[str]) -> str:
        import os

        number = 0
        for file in folder_files(os.fspath(folder), self._limits):
            number += 1
            place = _Place(name=shown_path(file.path), depth=1)
            if file.fault is not None:
                self._reject(place, file.fault)
                continue
            try:
                data = read_source(file.path, self._limits)
            except InputError as error:
                self._reject(place, _without_name(place.name, error))
            else:
                self._member(place, data)
        return f"{number:,} file{'s' if number > 1 else ''} without any" if number else "an empty folder"

    def _member(self, place: _Place, data: bytes) -> None:
        """Take in a file of a folder or a zip, which need not hold a certificate."""
        certificates, rejects = len(self.certificates), len(self.rejects)
        try:
            found = self._content(place, data)
        except InputError as error:
            self._reject(place, _without_name(place.name, error))
            return
        if len(self.certificates) > certificates or len(self.rejects) > rejects:
            return
        if found == Kind.CUT_SHORT.value or (
            place.name.lower().endswith(_ENDINGS) and found in {kind.value for kind in UNRECOGNIZED}
        ):
            self._reject(place, f"expected a certificate, found {found}")

    def _content(self, place: _Place, data: bytes) -> str:
        """Take in what is in these bytes; say in words what was found."""
        if self._sound_certificate(place, data):
            return Kind.CERTIFICATE.value
        data = as_octets(data)
        kind = sniff(data)
        if kind is Kind.PEM:
            return self._pem(place, data)
        if kind is Kind.BASE64:
            data = decode_base64(data) or b""
            kind = sniff_der(data)
        if kind not in self._opened:
            return kind.value
        if kind is Kind.ZIP:
            self._zip(place, data)
        else:
            self._encodings(place, data)
        return f"{kind.value} without certificates"

    def _zip(self, place: _Place, data: bytes) -> None:
        self._descend(place)
        budget = place.archive or ArchiveBudget(name=place.name, limits=self._limits)
        for member in zip_members(data, budget):
            inner = _Place(name=f"{place.name}!{member.name}", depth=place.depth + 1, archive=budget)
            if member.fault is not None:
                self._reject(inner, member.fault)
            else:
                self._member(inner, member.data)

    def _pem(self, place: _Place, data: bytes) -> str:
        found: dict[str, None] = {}
        for block in pem_blocks(data):
            claims = block.label in _CERTIFICATE_LABELS
            if claims and self._sound_certificate(place, block.content):
                continue
            kind = block.kind
            if block.fault is not None and claims:
                self._reject(place, f"{block.label} block {block.fault}")
            elif kind in self._opened and kind is not Kind.ZIP:
                self._encodings(place, block.content, trusted=block.label == "TRUSTED CERTIFICATE")
            elif claims and kind in {*UNRECOGNIZED, Kind.OTHER_DER, Kind.OTHER_PEM}:
                held = "no certificate" if kind is Kind.OTHER_PEM else kind.value
                self._reject(place, f"{block.label} block holds {held}")
            found[kind.value] = None
        return " and ".join(found)

    def _encodings(self, place: _Place, data: bytes, *, trusted: bool = False) -> None:
        """Take in one encoding after another; OpenSSL's trust settings after a trusted certificate are no encoding."""
        read = 0
        try:
            for element in elements(data):
                kind = sniff_der(element.encoding or data)
                if kind not in self._opened:
                    break
                self._encoding(place, kind, element.encoding or data)
                read += len(element.encoding or data)
                if trusted or element.encoding is None:
                    return
        except ValueError:
            pass
        if data[read:].strip(_PADDING):
            self._reject(place, "what follows the certificates in the same bytes is none")

    def _encoding(self, place: _Place, kind: Kind, data: bytes) -> None:
        if kind is Kind.CERTIFICATE:
            self._certificate(place, data)
        elif kind is Kind.CERTIFICATE_PAIR:
            self._parts(place, certificate_pair(data))
        elif kind is Kind.PKCS7:
            self._descend(place)
            self._parts(place, pkcs7_certificates(data))
        elif kind is Kind.PKCS12:
            self._descend(place)
            self._pkcs12(place, data)

    def _parts(self, place: _Place, parts: Iterator[Element]) -> None:
        try:
            for part in parts:
                if part.tag == _SEQUENCE[0]:
                    self._certificate(place, part.encoding)
                else:
                    self._reject(place, "something else than an X.509 certificate (RFC 5652 section 10.2.2)")
        except ValueError:
            self._reject(place, "the bundle is cut short or damaged here")

    def _pkcs12(self, place: _Place, data: bytes) -> None:
        from pkcs12kit.pkcs12.budget import SharedWork
        from pkcs12kit.pkcs12.decoder import decode_certificates

        work = self._work = self._work or SharedWork()
        try:
            certificates, rejects = decode_certificates(
                data, password=self._password, require_mac=self._require_mac, limits=self._limits, work=work
            )
        except PfxPasswordError as error:
            unencrypted = (
                () if self._password is not None or self._require_mac else pfx_certificates(data, self._limits, work)
            )
            if not unencrypted:
                raise PfxPasswordError(f"{place.name}: {error}") from None
            for der in unencrypted:
                self._certificate(place, der)
        except InputError as error:
            raise type(error)(f"{place.name}: {error}") from None
        else:
            for certificate in certificates:
                self._add(place, certificate)
            for reject in rejects:
                self._reject(place, reject.reason)

    def _sound_certificate(self, place: _Place, data: bytes) -> bool:
        """Take in what is one sound certificate and nothing else, which needs no looking at its outline first."""
        if not data.startswith(_SEQUENCE) or len(data) > self._limits.certificate_bytes:
            return False
        certificate = read_sound(data)
        if certificate is not None:
            self._add(place, certificate)
        return certificate is not None

    def _certificate(self, place: _Place, der: bytes | None) -> None:
        if der is None:
            self._reject(place, "a certificate of indefinite length, so not in DER")
        elif len(der) > self._limits.certificate_bytes:
            self._reject(place, f"larger than {self._limits.certificate_bytes:,} bytes (limits.certificate_bytes)")
        else:
            try:
                certificate = Certificate(der)
            except MalformedCertificateError as error:
                self._reject(place, str(error))
            else:
                self._add(place, certificate)

    def _add(self, place: _Place, certificate: Certificate) -> None:
        """Keep a certificate whose names can be read, as all can in a sound one: a pool is indexed by them."""
        if certificate.encoding_error is not None:
            try:
                _ = certificate.subject, certificate.issuer
            except MalformedCertificateError as error:
                self._reject(place, str(error))
                return
        place.position += 1
        self.certificates.append(certificate)
        self._count(place)

    def _reject(self, place: _Place, reason: str) -> None:
        place.position += 1
        self.rejects.append(Reject(source=place.name, position=place.position, reason=reason))
        self._count(place)

    def _count(self, place: _Place) -> None:
        """Hold the one limit that ends everything: noting it as a reject meets it again."""
        if len(self.certificates) + len(self.rejects) > self._limits.certificates:
            raise LimitExceededError(
                f"{place.name}: more than {self._limits.certificates:,} certificates (limits.certificates)"
            )

    def _descend(self, place: _Place) -> None:
        if place.depth >= self._limits.nesting:
            raise LimitExceededError(
                f"{place.name}: more than {self._limits.nesting} containers in one another (limits.nesting)"
            )


def _without(name: str, reject: Reject) -> str:
    """Word a reject without repeating the name of the source that the sentence begins with."""
    where = reject.source.removeprefix(name).lstrip("!/")
    return f"{where}: {reject.reason}" if where else f"certificate {reject.position}: {reject.reason}"


def _without_name(name: str, error: InputError) -> str:
    return str(error).removeprefix(f"{name}: ")
