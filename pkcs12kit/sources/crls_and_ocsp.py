"""CRLs and OCSP responses from sources: a path, bytes, ``"-"``, or an object of pyca/cryptography.

They are returned as they are encoded, with the name of the file that each is from. Nothing in them is checked here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeAlias

from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.revocation.model import MAX_AGE, Revocation, RevocationMode, SourcedBytes
from pkcs12kit.sources.containers import pem_blocks
from pkcs12kit.sources.kind_hints import Taken, hints_for_kind
from pkcs12kit.sources.reading import folder_files, is_folder, name_of, read_source, shown_path
from pkcs12kit.sources.sniffing import Kind
from pkcs12kit.sources.text_forms import describe, sniff_inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from cryptography import x509
    from cryptography.x509.ocsp import OCSPResponse

    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.reading import Source

CrlSource: TypeAlias = "Source | x509.CertificateRevocationList"
"""A source of CRLs, or a CRL of pyca/cryptography."""
OcspResponseSource: TypeAlias = "Source | OCSPResponse"
"""A source of OCSP responses, or a response of pyca/cryptography."""

_LABEL: Final = {Kind.REVOCATION_LIST: "CRL", Kind.OCSP_RESPONSE: "OCSP RESPONSE"}


def load_crls(*sources: CrlSource, limits: Limits = DEFAULT_LIMITS) -> tuple[bytes, ...]:
    """Read certificate revocation lists, DER or PEM, from files, folders, ``"-"`` or bytes; return each once, as DER.

    A CRL of pyca/cryptography is encoded. In a folder all other files are skipped. Raises
    :class:`~pkcs12kit.errors.InputError` for a source that cannot be read or holds no CRL. Signatures and times are not
    checked.
    """
    return _load(sources, Kind.REVOCATION_LIST, limits)


def load_ocsp_responses(*sources: OcspResponseSource, limits: Limits = DEFAULT_LIMITS) -> tuple[bytes, ...]:
    """Read OCSP responses and return each once, as DER. Sources and errors are those of :func:`load_crls`."""
    return _load(sources, Kind.OCSP_RESPONSE, limits)


def load_revocation(
    mode: str | None,
    *,
    crls: Sequence[CrlSource] = (),
    ocsp_responses: Sequence[OcspResponseSource] = (),
    max_age: timedelta | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Revocation | None:
    """Load what revocation is checked with: ``mode`` is ``off``, ``soft``, ``require``, or None to go by the sources.

    With None it is ``soft`` where there are sources. Returns None where revocation is not checked. Raises as
    :func:`load_crls` does.
    """
    mode = mode or ("soft" if crls or ocsp_responses else "off")
    if mode == "off":
        return None
    return Revocation(
        mode=RevocationMode(mode),
        crls=load_crls(*crls, limits=limits) if crls else (),
        ocsp_responses=load_ocsp_responses(*ocsp_responses, limits=limits) if ocsp_responses else (),
        max_age=MAX_AGE if max_age is None else max_age,
    )


def _load(sources: tuple[CrlSource | OcspResponseSource, ...], wanted: Kind, limits: Limits) -> tuple[bytes, ...]:
    found: dict[bytes, None] = {}
    for source in sources:
        readable = _as_source(source)
        name, others = name_of(readable), dict[str, Kind]()
        of_source = [
            SourcedBytes.of(der, file) if file is not None else der
            for file, data in _contents(readable, limits)
            for der in _of_kind(data, file or name, wanted, others, limits)
        ]
        if not of_source:
            instead = "no such file in the folder" if is_folder(readable) else " and ".join(others)
            error = InputError(f"{name}: expected {wanted.value}, found {instead}")
            raise error.hinting(*hints_for_kind(Taken.REVOCATION, others.values()))
        found.update(dict.fromkeys(of_source))
    return tuple(found)


def _as_source(source: object) -> Source:
    """Return an object of pyca/cryptography as its encoding, and anything else as it is."""
    if not isinstance(source, str | bytes | bytearray | memoryview | os.PathLike):
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import Encoding
        from cryptography.x509.ocsp import OCSPResponse

        if isinstance(source, x509.CertificateRevocationList | OCSPResponse):
            return source.public_bytes(Encoding.DER)
    return source  # type: ignore[return-value]  # name_of refuses other kinds


def _contents(source: Source, limits: Limits) -> Iterator[tuple[str | None, bytes]]:
    """Yield each file with its name; bytes have none."""
    if not is_folder(source):
        is_named = not isinstance(source, bytes | bytearray | memoryview)
        yield name_of(source) if is_named else None, read_source(source, limits)
        return
    for file in folder_files(os.fsdecode(source), limits):
        if file.fault is None:
            yield shown_path(file.path), read_source(file.path, limits)


def _of_kind(data: bytes, name: str, wanted: Kind, others: dict[str, Kind], limits: Limits) -> Iterator[bytes]:
    """Yield the encodings of one kind, and add all others, in words and with their kind, to ``others``.

    Raises :class:`~pkcs12kit.errors.InputError` for a damaged block whose label is that of the kind: without a CRL, a
    revoked certificate could seem good.
    """
    kind, data = sniff_inside(data, name, limits)
    if kind is not Kind.PEM:
        if kind is wanted:
            yield data
        else:
            others[describe(data, kind)] = kind
        return
    for block in pem_blocks(data, name, limits):
        if block.kind is wanted:
            yield block.content
        elif block.fault is not None and _LABEL[wanted] in block.label:
            raise InputError(f"{name}: {block.label} block: {block.fault}")
        else:
            others[block.kind.value] = block.kind
