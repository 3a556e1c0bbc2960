"""Containers of certificates: PEM, PKCS#7, crossCertificatePair and zip. Each yields its parts in order.

A damaged part is yielded with its fault, so that the other parts are still read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile
from zlib import error as DeflateError  # noqa: N812 - an exception under zlib's own lower-case name

from pkcs12kit.errors import InputError, LimitExceededError
from pkcs12kit.sources.armor import decode_base64_lines, markers, readings, tidy
from pkcs12kit.sources.elements import children, elements
from pkcs12kit.sources.reading import shown_path
from pkcs12kit.sources.sniffing import Kind, decode_base64, sniff_der

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zipfile import ZipInfo

    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.budget import SharedWork
    from pkcs12kit.sources.armor import Marker
    from pkcs12kit.sources.elements import Asn1Element

# The headers of RFC 1421 section 4.6, wherever the lines break; a header that is not one of the first two ends with its
# line. No base64 has a colon.
_HEADER: Final = re.compile(
    rb"\s*(?:Proc-Type\s*:\s*\d+\s*,\s*(?P<procedure>[A-Z-]+)"
    rb"|DEK-Info[ \t]*:[ \t]*(?P<cipher>[^\s,]{1,64})(?:[ \t]*,\s*(?P<iv>[^\s,]{1,64}))?"
    rb"|[A-Z][A-Z0-9-]{0,63}[ \t]*:[^\r\n]*)",
    re.IGNORECASE,
)
_OF_CERTIFICATES: Final = re.compile(
    r"\bCERT(?!IFICATE (?:REQUEST|SIGNING))|\bPKCS ?#?(?:7|12)\b|\b(?:CMS|PFX|P12|CRL)\b"
)
_HEADER_LINES: Final = 32
_PREFIX_CHARACTERS: Final = 64
_CERTIFICATE_SET: Final = 0xA0
_CRL_SET: Final = 0xA1
_ENTRY: Final = b"PK\x01\x02"
_ENCRYPTED_FLAG: Final = 0x1
_CHUNK_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PemBlock:
    """One block of a PEM text (RFC 7468), or the reason why it cannot be decoded."""

    label: str
    text: bytes = field(repr=False)
    """The block with its BEGIN and END lines."""
    content: bytes = field(default=b"", repr=False)
    """The decoded bytes; still encrypted if :attr:`is_encrypted`."""
    is_encrypted: bool = False
    """True for traditional PEM encryption (RFC 1421 section 4.6.1.1)."""
    dek_info: tuple[str, str] = ("", "")
    """The cipher and the IV in the DEK-Info of traditional PEM encryption, not checked; empty if they are missing."""
    fault: str | None = None

    @property
    def claims_certificates(self) -> bool:
        """True if the label says that certificates or CRLs are inside."""
        return _OF_CERTIFICATES.search(self.label) is not None

    @property
    def kind(self) -> Kind:
        """The kind of the block by its content, or by its label if the content is not visible."""
        if self.label[-11:] == "PRIVATE KEY":
            if self.label.startswith("OPENSSH"):
                return Kind.OPENSSH_PRIVATE_KEY
            if self.label.startswith("SSH2"):
                return Kind.SSH2_PRIVATE_KEY
            if self.is_encrypted:
                return Kind.ENCRYPTED_PRIVATE_KEY
        kind = sniff_der(self.content) if self.content and not self.is_encrypted else Kind.BINARY
        return Kind.OTHER_PEM if kind is Kind.BINARY else kind


@dataclass(slots=True, kw_only=True)
class ArchiveBudget:
    """The budget for unpacking one archive, with the archives in it."""

    name: str
    limits: Limits
    unpacked_bytes: int = 0
    members: int = 0

    def count_bytes(self, number: int) -> None:
        """Count bytes as they are unpacked. Raises :class:`LimitExceededError`."""
        self.unpacked_bytes += number
        if self.unpacked_bytes > self.limits.archive_bytes:
            raise LimitExceededError(
                f"{self.name}: unpacks to more than {self.limits.archive_bytes:,} bytes (limits.archive_bytes)"
            )

    def count_members(self, number: int) -> None:
        """Count members before they are listed. Raises :class:`LimitExceededError`."""
        self.members += number
        if self.members > self.limits.archive_members:
            raise LimitExceededError(
                f"{self.name}: more than {self.limits.archive_members:,} files in it (limits.archive_members)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMember:
    """A file in an archive, or the reason why it cannot be unpacked.

    ``modified`` is the date in the archive, read as UTC because it has no time zone; None if it is not a valid date.
    """

    name: str
    data: bytes = field(default=b"", repr=False)
    fault: str | None = None
    modified: datetime | None = None


def pem_blocks(data: bytes, name: str, limits: Limits, *, certificates: int = 0) -> Iterator[PemBlock]:
    """Yield the blocks of a PEM text, in linear time. Any text may be between them.

    A block without its BEGIN or END line is yielded with its fault. Raises :class:`LimitExceededError`, which begins
    with ``name``, for more than ``limits.pem_blocks``, and ``certificates`` more.
    """
    text = tidy(data)
    begin: Marker | None = None
    at_most = limits.pem_blocks + certificates
    for number, marker in enumerate(markers(text), start=1):
        if number > 2 * at_most:
            raise LimitExceededError(f"{name}: more than {at_most:,} PEM blocks (limits.pem_blocks); split the file")
        if marker.is_begin or (marker.is_begin is None and begin is None):
            if begin is not None:
                yield _cut_short(begin, text[begin.end : marker.start])
            begin = marker
        elif begin is None and not marker.is_odd:
            yield PemBlock(label=marker.label, text=b"", fault="incomplete: its BEGIN line is missing or damaged")
        elif begin is not None:
            line = text.rfind(b"\n", max(0, begin.start - _PREFIX_CHARACTERS), begin.start) + 1
            body = text[begin.end : marker.start].lstrip(b"- \t")
            label = marker.label if marker.is_usual and not begin.is_usual else begin.label
            yield _block(label, body, text[line : begin.start])
            begin = None
    if begin is not None:
        yield _cut_short(begin, text[begin.end :])


def pkcs7_certificates(data: bytes) -> Iterator[Asn1Element]:
    """Yield the certificates of a PKCS#7 SignedData, in DER or BER (RFC 5652 section 5.1).

    Signatures are not checked: a bundle has none. Raises :class:`ValueError` if the structure ends too early.
    """
    yield from _of_signed_data(data, _CERTIFICATE_SET)


def pkcs7_crls(data: bytes) -> Iterator[Asn1Element]:
    """Yield the CRLs of a PKCS#7 SignedData as :func:`pkcs7_certificates` does its certificates."""
    yield from _of_signed_data(data, _CRL_SET)


def _of_signed_data(data: bytes, tag: int) -> Iterator[Asn1Element]:
    content_info = next(elements(data))
    for signed_data in (inner for explicit in children(content_info, 2)[1:] for inner in children(explicit, 1)):
        for part in children(signed_data):
            if part.tag == tag:
                yield from elements(part.contents)
                return


def certificate_pair(data: bytes) -> Iterator[Asn1Element]:
    """Yield the one or two certificates of a crossCertificatePair (RFC 4523 section 2.3)."""
    for part in children(next(elements(data))):
        yield from elements(part.contents)


def pfx_certificates(data: bytes, limits: Limits, work: SharedWork) -> tuple[bytes, ...]:
    """Return the certificates of a PKCS#12 file that are not encrypted, without its password and its MAC.

    Returns nothing if some contents are encrypted, because they may be certificates. ``work`` is shared with other
    files that are loaded together. Raises :class:`~pkcs12kit.errors.LimitExceededError`, and
    :class:`~pkcs12kit.errors.PfxError` if the file is damaged.
    """
    from pkcs12kit.pkcs12.budget import WorkBudget
    from pkcs12kit.pkcs12.structure import read_bags, read_pfx

    budget = WorkBudget(limits, shared=work)
    safes = read_pfx(data, budget).safes
    if any(safe.encryption is not None for safe in safes):
        return ()
    bags = (bag for safe in safes for bag in read_bags(safe.content, budget))
    return tuple(bag.content for bag in bags if bag.is_certificate)


def zip_members(data: bytes, budget: ArchiveBudget) -> Iterator[ArchiveMember]:
    """Yield the members of a zip, unpacked in memory within a budget; nothing is written to disk.

    Hidden members are skipped, and so are those of ``__MACOSX``. A member that is encrypted, damaged or not packed by
    deflate is yielded with its fault. Raises :class:`InputError` for an archive that cannot be listed, or that has a
    member whose name leads outside its folder: such an archive was made to do harm, and nothing of it is read. Raises
    :class:`LimitExceededError` for a zip bomb.
    """
    budget.count_members(data.count(_ENTRY))  # before ZipFile makes an object for each
    try:
        archive = ZipFile(BytesIO(data))
    except (BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as error:
        raise InputError(f"{budget.name}: a zip archive that is damaged or cut short ({error})") from None
    with archive:
        for member in archive.infolist():
            _refuse_escape(member, budget)
        for member in archive.infolist():
            if not member.is_dir() and not _is_hidden(member.filename):
                yield _unpack(archive, member, budget)


def _block(label: str, body: bytes, before: bytes) -> PemBlock:
    """Return the block with this body; ``before`` is the text before its BEGIN line."""
    block = None
    for reading in readings(body, before):
        encryption, content = _split_headers(reading)
        decoded = decode_base64_lines(content)
        if decoded is None:
            continue
        text = label.encode() + reading
        if encryption is not None and label.endswith("PRIVATE KEY"):
            return PemBlock(label=label, text=text, content=decoded, is_encrypted=True, dek_info=encryption)
        if encryption is not None:
            return PemBlock(label=label, text=text, is_encrypted=True)
        decoded = decode_base64(decoded) or decoded  # encoded twice
        found = PemBlock(label=label, text=text, content=decoded, fault=None if decoded else "the block is empty")
        if found.kind is not Kind.OTHER_PEM:
            return found
        block = block or found
    return block or PemBlock(label=label, text=body, fault="its base64 is damaged")


def _split_headers(body: bytes) -> tuple[tuple[str, str] | None, bytes]:
    """Return the cipher and the IV of a block's headers, None if it is not encrypted, and its base64.

    Read are headers with any line ends, with blanks around them, and without the empty line that should follow them.
    """
    is_encrypted, dek_info, position = False, ("", ""), 0
    for _ in range(_HEADER_LINES):
        header = _HEADER.match(body, position)
        if header is None:
            break
        position = header.end()
        if header["cipher"] is not None:
            dek_info = (header["cipher"].decode("ascii", "replace"), (header["iv"] or b"").decode("ascii", "replace"))
            is_encrypted = True
        is_encrypted |= (header["procedure"] or b"").upper() == b"ENCRYPTED"
    return (dek_info if is_encrypted else None), body[position:]


def _cut_short(begin: Marker, body: bytes) -> PemBlock:
    """Return the block without an END line; its content, if all of it is there, shows its kind."""
    text = body.strip(b"- \t\n")
    content = (decode_base64_lines(text) or b"") if text else b""
    return PemBlock(label=begin.label, text=b"", content=content, fault="cut short: its END line is missing")


def _refuse_escape(member: ZipInfo, budget: ArchiveBudget) -> None:
    name = member.orig_filename.replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
        raise InputError(
            f"{budget.name}: refused, because the name of a member leads outside its folder: {shown_path(name)}"
        )


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in name.split("/"))


def _unpack(archive: ZipFile, member: ZipInfo, budget: ArchiveBudget) -> ArchiveMember:
    name = shown_path(member.filename)
    if member.flag_bits & _ENCRYPTED_FLAG:
        return ArchiveMember(name=name, fault="encrypted in the zip archive; unpack it first")
    if member.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:  # others need unbounded memory
        return ArchiveMember(name=name, fault="packed by a method other than deflate; unpack it first")
    chunks = []
    try:
        with archive.open(member) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                budget.count_bytes(len(chunk))
                chunks.append(chunk)
    except (BadZipFile, DeflateError, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        return ArchiveMember(name=name, fault="damaged in the zip archive")
    return ArchiveMember(name=name, data=b"".join(chunks), modified=_modified(member))


def _modified(member: ZipInfo) -> datetime | None:
    try:
        return datetime(*member.date_time, tzinfo=UTC)
    except ValueError:
        return None
