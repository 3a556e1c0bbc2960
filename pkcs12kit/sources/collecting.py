"""The collection of certificates from several sources, with every kind of container opened and every fault noted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_flags, require_kind, require_texts
from pkcs12kit.certificates.certificate import Certificate, read_sound
from pkcs12kit.certificates.pool import Reject
from pkcs12kit.errors import InputError, LimitExceededError, MalformedCertificateError, PfxPasswordError
from pkcs12kit.limits import Limits
from pkcs12kit.sources.containers import (
    ArchiveBudget,
    certificate_pair,
    pem_blocks,
    pfx_certificates,
    pkcs7_certificates,
    zip_members,
)
from pkcs12kit.sources.elements import elements
from pkcs12kit.sources.kind_hints import Taken, hints_for_kind, kinds_in
from pkcs12kit.sources.reading import folder_files, is_folder, name_of, read_source, shown_path
from pkcs12kit.sources.sniffing import HOLDS_CERTIFICATES, UNRECOGNIZED, Kind, sniff_der
from pkcs12kit.sources.text_forms import describe, sniff_inside

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.pkcs12.budget import SharedWork
    from pkcs12kit.sources.containers import PemBlock
    from pkcs12kit.sources.elements import Asn1Element
    from pkcs12kit.sources.reading import Source

# Endings do not decide how a file is read, only that a user would miss its certificate.
_ENDINGS: Final = (".cer", ".crt", ".der", ".p12", ".p7b", ".p7c", ".pem", ".pfx")
_SEQUENCE: Final = b"\x30"
_PADDING: Final = b" \t\r\n\v\f\x00"


@dataclass(slots=True, kw_only=True)
class Location:
    """The current location: its name for messages, the last position in it, its nesting depth, its archive's budget."""

    name: str
    depth: int = 0
    position: int = 0
    archive: ArchiveBudget | None = None


class Collector:
    """The certificates and rejects of all sources of one call.

    A source that the user named must hold a certificate; otherwise :class:`InputError` says what it holds. In a folder
    or a zip, keys, requests, CRLs and other recognized contents are skipped. A part that is labelled or begins as a
    certificate, a PKCS#7, a PKCS#12 or a zip and cannot be read is a reject. So is a file with a certificate's ending
    in which nothing is recognized, and a file that cannot be opened.
    """

    def __init__(
        self,
        *,
        password: str | None,
        limits: Limits,
        require_mac: bool = False,
        containers: frozenset[Kind] = HOLDS_CERTIFICATES,
    ) -> None:
        require_kind("limits", limits, Limits)
        require_flags(require_mac=require_mac)
        require_texts(password=password)
        self.certificates: list[Certificate] = []
        self.rejects: list[Reject] = []
        self._password = password
        self._require_mac = require_mac
        self._limits = limits
        self._work: SharedWork | None = None
        self._opened = containers
        """The kinds that are opened; other kinds count as contents without certificates."""

    def collect(self, source: Source, *, content: bytes | None = None) -> None:
        """Add the certificates of a source that the user named; ``content`` is its content if it was read already.

        Raises :class:`InputError` if it cannot be read, or if no certificate in it can be read.
        """
        name = name_of(source)
        certificates, rejects = len(self.certificates), len(self.rejects)
        if not is_folder(source):
            self.collect_content(name, read_source(source, self._limits) if content is None else content)
            return
        found = self._folder(source)  # type: ignore[arg-type]  # bytes are never a folder
        self._require_certificate(name, certificates, rejects, found, None)

    def add_loaded(self, loaded: Certificate | CertificatePool) -> None:
        """Add certificates that are loaded already, with the rejects of their pool."""
        if isinstance(loaded, Certificate):
            self.certificates.append(loaded)
        else:
            self.certificates += loaded
            self.rejects += loaded.rejects

    def collect_content(self, name: str, data: bytes) -> None:
        """Add the certificates of bytes, which messages call ``name``. Raises as :meth:`collect` does."""
        certificates, rejects = len(self.certificates), len(self.rejects)
        found = self._content(Location(name=name), data)
        self._require_certificate(name, certificates, rejects, found, data)

    def collect_member(self, name: str, data: bytes, *, archive: ArchiveBudget) -> None:
        """Add the certificates, if any, of a file of an archive that the caller unpacks."""
        self._member(Location(name=name, depth=1, archive=archive), data)

    def _require_certificate(self, name: str, certificates: int, rejects: int, found: str, data: bytes | None) -> None:
        """Raise unless certificates were added; ``data`` is the content of a file, None for a folder."""
        if len(self.certificates) > certificates:
            return
        hints = hints_for_kind(Taken.CERTIFICATE, kinds_in(data, name)) if data is not None else ()
        if unreadable := self.rejects[rejects:]:
            more = f" (and {len(unreadable) - 1} more)" if unreadable[1:] else ""
            error = InputError(f"{name}: no certificate in it can be read: {_without(name, unreadable[0])}{more}")
        else:
            error = InputError(f"{name}: expected a certificate, found {found}")
        raise error.hinting(*hints)

    def _folder(self, folder: str | os.PathLike[str]) -> str:
        import os

        number = 0
        for file in folder_files(os.fspath(folder), self._limits):
            number += 1
            if self._is_passed_over(file.path):
                continue
            location = Location(name=shown_path(file.path), depth=1)
            if file.fault is not None:
                self._reject(location, file.fault)
                continue
            try:
                data = read_source(file.path, self._limits)
            except InputError as error:
                self._reject(location, _without_name(location.name, error))
            else:
                self._member(location, data)
        return f"{number:,} file{'s' if number > 1 else ''} without certificates" if number else "an empty folder"

    def _is_passed_over(self, path: str) -> bool:  # noqa: ARG002  # for a subclass
        """Return False: every file of a folder is read; a subclass may leave some out."""
        return False

    def _member(self, location: Location, data: bytes) -> None:
        """Add the certificates, if any, of a file of a folder or a zip."""
        certificates, rejects = len(self.certificates), len(self.rejects)
        try:
            found = self._content(location, data)
        except InputError as error:
            self._reject(location, _without_name(location.name, error))
            return
        if len(self.certificates) > certificates or len(self.rejects) > rejects:
            return
        if found == Kind.CUT_SHORT.value or (
            location.name.lower().endswith(_ENDINGS) and found in {kind.value for kind in UNRECOGNIZED}
        ):
            self._reject(location, f"expected a certificate, found {found}")

    def _content(self, location: Location, data: bytes) -> str:
        """Add the certificates in these bytes; return in words what was found."""
        if self._sound_certificate(location, data):
            return Kind.CERTIFICATE.value
        kind, data = sniff_inside(data, location.name, self._limits)
        if kind is Kind.PEM:
            return self._pem(location, data)
        if kind not in self._opened:
            self._pass_over(location, kind, data)
            return describe(data, kind)
        if kind is Kind.ZIP:
            self._zip(location, data)
        else:
            self._encodings(location, data)
        return f"{kind.value} without certificates"

    def _pass_over(self, location: Location, kind: Kind, data: bytes) -> None:
        """Do nothing with a file whose kind is not opened; a subclass may list it."""

    def _pass_over_block(self, location: Location, block: PemBlock) -> None:
        """Do nothing with a PEM block whose kind is not opened; a subclass may list it."""

    def _zip(self, location: Location, data: bytes) -> None:
        self._descend(location)
        budget = location.archive or ArchiveBudget(name=location.name, limits=self._limits)
        for member in zip_members(data, budget):
            inner = Location(name=f"{location.name}!{member.name}", depth=location.depth + 1, archive=budget)
            if member.fault is not None:
                self._reject(inner, member.fault)
            else:
                self._member(inner, member.data)

    def _pem(self, location: Location, data: bytes) -> str:
        found: dict[str, None] = {}
        for block in pem_blocks(data, location.name, self._limits, certificates=self._limits.certificates):
            claims = block.claims_certificates
            if claims and block.fault is None and self._sound_certificate(location, block.content):
                continue
            kind = block.kind
            if block.fault is not None and (claims or kind in self._opened):
                self._reject(location, f"{block.label} block: {block.fault}")
            elif kind in self._opened and kind is not Kind.ZIP:
                self._encodings(location, block.content, trusted=block.label == "TRUSTED CERTIFICATE")
            elif claims and kind in {*UNRECOGNIZED, Kind.OTHER_DER, Kind.OTHER_PEM}:
                held = "no certificate" if kind is Kind.OTHER_PEM else kind.value
                self._reject(location, f"{block.label} block holds {held}")
            else:
                self._pass_over_block(location, block)
            found[kind.value] = None
        return " and ".join(found)

    def _encodings(self, location: Location, data: bytes, *, trusted: bool = False) -> None:
        """Add each encoding in turn; OpenSSL's trust settings after a trusted certificate are ignored."""
        read = 0
        try:
            for element in elements(data):
                kind = sniff_der(element.encoding or data)
                if kind not in self._opened:
                    break
                self._encoding(location, kind, element.encoding or data)
                read += len(element.encoding or data)
                if trusted or element.encoding is None:
                    return
        except ValueError:
            pass
        if data[read:].strip(_PADDING):
            self._reject(location, "the bytes after the certificates are not a certificate")

    def _encoding(self, location: Location, kind: Kind, data: bytes) -> None:
        if kind is Kind.CERTIFICATE:
            self._certificate(location, data)
        elif kind is Kind.CERTIFICATE_PAIR:
            self._parts(location, certificate_pair(data))
        elif kind is Kind.PKCS7:
            self._descend(location)
            self._parts(location, pkcs7_certificates(data))
        elif kind is Kind.PKCS12:
            self._descend(location)
            self._pkcs12(location, data)

    def _parts(self, location: Location, parts: Iterator[Asn1Element]) -> None:
        try:
            for part in parts:
                if part.tag == _SEQUENCE[0]:
                    self._certificate(location, part.encoding)
                else:
                    self._reject(location, "not an X.509 certificate, but another choice of RFC 5652 section 10.2.2")
        except ValueError:
            self._reject(location, "the bundle is cut short or damaged here")

    def _pkcs12(self, location: Location, data: bytes) -> None:
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
                raise PfxPasswordError(f"{location.name}: {error}") from None
            for der in unencrypted:
                self._certificate(location, der)
        except InputError as error:
            raise error.placed(f"{location.name}:") from None
        else:
            for certificate in certificates:
                self._add(location, certificate)
            for reject in rejects:
                self._reject(location, reject.reason)

    def _sound_certificate(self, location: Location, data: bytes) -> bool:
        """Add the certificate if the bytes are exactly one without an encoding error; return True then.

        This saves a look at the structure of the bytes.
        """
        if not data.startswith(_SEQUENCE) or len(data) > self._limits.certificate_bytes:
            return False
        certificate = read_sound(data)
        if certificate is not None:
            self._add(location, certificate)
        return certificate is not None

    def _certificate(self, location: Location, der: bytes | None) -> None:
        if der is None:
            self._reject(location, "a certificate with an indefinite length, which DER does not allow")
        elif len(der) > self._limits.certificate_bytes:
            self._reject(location, f"larger than {self._limits.certificate_bytes:,} bytes (limits.certificate_bytes)")
        else:
            try:
                certificate = Certificate(der)
            except MalformedCertificateError as error:
                self._reject(location, str(error))
            else:
                self._add(location, certificate)

    def _add(self, location: Location, certificate: Certificate) -> None:
        """Add a certificate, or a reject if its names cannot be read: a pool is indexed by them."""
        if certificate.encoding_error is not None:
            try:
                _ = certificate.subject, certificate.issuer
            except MalformedCertificateError as error:
                self._reject(location, str(error))
                return
        location.position += 1
        self.certificates.append(certificate)
        self._count(location)

    def _reject(self, location: Location, reason: str) -> None:
        location.position += 1
        self.rejects.append(Reject(source=location.name, position=location.position, reason=reason))
        self._count(location)

    def _count(self, location: Location) -> None:
        """Check the limit on certificates. It ends the whole call, because its reject would exceed it again."""
        if self._found() > self._limits.certificates:
            raise LimitExceededError(
                f"{location.name}: more than {self._limits.certificates:,} certificates (limits.certificates)"
            )

    def _found(self) -> int:
        """Return the number of all that was found, for the limit."""
        return len(self.certificates) + len(self.rejects)

    def _descend(self, location: Location) -> None:
        if location.depth >= self._limits.nesting:
            raise LimitExceededError(
                f"{location.name}: more than {self._limits.nesting} nested containers (limits.nesting)"
            )


def _without(name: str, reject: Reject) -> str:
    """Return the text of a reject without the name of the source, with which the sentence begins."""
    where = reject.source.removeprefix(name).lstrip("!/")
    return f"{where}: {reject.reason}" if where else f"certificate {reject.position}: {reject.reason}"


def _without_name(name: str, error: InputError) -> str:
    return str(error).removeprefix(f"{name}: ")
