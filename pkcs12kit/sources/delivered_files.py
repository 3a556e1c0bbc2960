"""The files that a server is given: a PKCS#12 file, or a chain in PEM or PKCS#7 with its key beside it or apart.

All of them are read into the same value, so that what judges one judges the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.identity import PRIVATE_KEYS
from pkcs12kit.errors import InputError, PfxError
from pkcs12kit.pkcs12.arrangement import KeyLink, arrange, is_readable
from pkcs12kit.pkcs12.decoded_keys import DecodedKey, certificates_by_key, encode_public_key
from pkcs12kit.pkcs12.decoder import DecodedPfx
from pkcs12kit.pkcs12.decoder import decode_pfx as decode
from pkcs12kit.pkcs12.private_keys import encode_private_key
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.containers import pem_blocks
from pkcs12kit.sources.key_sources import key_from_content, open_with
from pkcs12kit.sources.keys import read_private_key, require_signing_key
from pkcs12kit.sources.pkcs12_files import SourceContent, naming_pkcs12
from pkcs12kit.sources.sniffing import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.sources.identities import KeySource
    from pkcs12kit.sources.key_sources import Opening
    from pkcs12kit.sources.reading import Source

_CHAINS: Final = frozenset({Kind.CERTIFICATE, Kind.PKCS7})


class FileFormat(Enum):
    """The formats of a file that a server is given."""

    PKCS12 = "pkcs12"
    PEM = "pem"
    """Certificates in PEM, or a single one in DER. The order is that in which a server sends them."""
    PKCS7 = "pkcs7"
    """A PKCS#7 bundle. It is a set of certificates without an order (RFC 5652 section 5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveredFile:
    """A file that a server is given, read."""

    name: str
    """The name of the file, for messages."""
    format: FileFormat
    decoded: DecodedPfx
    """The keys and certificates. Of a PKCS#7 bundle the certificates are in the order of the chain."""
    pkcs12: bytes | None = field(default=None, repr=False)
    """The bytes of a PKCS#12 file; None for another format."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence if anyone may have changed a PKCS#12 file; no other format is protected from changes."""
        return self.decoded.warnings if self.format is FileFormat.PKCS12 else ()


def read_delivered(source: Source, opening: Opening, *, key: KeySource | None = None) -> DeliveredFile:
    """Read a file that a server is given; the content decides which format it is.

    - ``opening``: ``password`` is for a PKCS#12 file or for an encrypted key in the file itself, ``key_password`` for
      ``key``; the choice of one key and ``contents_password`` are for PKCS#12 files.
    - ``key``: the private key of a chain in PEM or PKCS#7, in any form of :func:`~pkcs12kit.load_identity`.

    Raises the errors of :func:`~pkcs12kit.decode_pfx`, and :class:`~pkcs12kit.errors.InputError` where there are two
    keys, or a file holds neither a PKCS#12 file nor certificates. ``opening.require_mac`` refuses all but PKCS#12.
    """
    content = SourceContent.read(source, opening.limits)
    found = format_of(content)
    if found is FileFormat.PKCS12:
        if key is not None:
            raise InputError(f"{content.name}: a PKCS#12 file has its own private key; leave out the other one")
        return DeliveredFile(name=content.name, format=found, decoded=_pkcs12(content, opening), pkcs12=content.der)
    if opening.require_mac:
        raise PfxError(f"{content.name}: not a PKCS#12 file, so that it has no MAC (a MAC is required)")
    opening.refuse_choice(content.name)
    collector = Collector(password=None, limits=opening.limits, containers=_CHAINS)
    collector.collect_content(content.name, content.data)
    private_key = _private_key(content, opening, key)
    certificates = tuple(collector.certificates)
    own = () if private_key is None else _belonging(private_key, certificates)
    if found is FileFormat.PKCS7:
        certificates = _in_order(content.name, certificates, own)
    keys = () if private_key is None else (_decoded_key(private_key, own),)
    nothing = (None,) * len(certificates)
    decoded = DecodedPfx(
        keys=keys,
        certificates=certificates,
        friendly_names=nothing,
        local_key_ids=nothing,
        certificate_attributes=((),) * len(certificates),
        rejects=tuple(collector.rejects),
    )
    return DeliveredFile(name=content.name, format=found, decoded=decoded)


def format_of(content: SourceContent) -> FileFormat:
    """Return the format of a file; that of anything without certificates is PKCS#12, whose reader says what it is."""
    if content.kind is not Kind.PEM:
        formats = {Kind.CERTIFICATE: FileFormat.PEM, Kind.PKCS7: FileFormat.PKCS7}
        return formats.get(content.kind, FileFormat.PKCS12)
    limits = content.limits
    blocks = tuple(pem_blocks(content.der, content.name, limits, certificates=limits.certificates))
    kinds = {block.kind for block in blocks}
    if Kind.PKCS7 in kinds:
        return FileFormat.PKCS7
    has_certificates = Kind.CERTIFICATE in kinds or any(
        block.label.endswith("CERTIFICATE") and block.fault is not None for block in blocks
    )
    return FileFormat.PEM if has_certificates else FileFormat.PKCS12


def _pkcs12(content: SourceContent, opening: Opening) -> DecodedPfx:
    def read(password: str | None) -> DecodedPfx:
        return decode(
            content.der,
            password=password,
            contents_password=opening.contents_password,
            require_mac=opening.require_mac,
            limits=opening.limits,
        )

    with naming_pkcs12(content.name, content.der):
        return open_with(read, opening.password)


def _private_key(
    content: SourceContent, opening: Opening, key: KeySource | None
) -> CertificateIssuerPrivateKeyTypes | None:
    """Return the key in the file, or the one apart; None where there is neither.

    Both may be given if they are the same key, as in a file that is named twice.
    """
    limits = opening.limits
    has_own = content.kind is Kind.PEM and any(
        block.label.endswith("PRIVATE KEY")
        for block in pem_blocks(content.der, content.name, limits, certificates=limits.certificates)
    )
    apart = None if key is None else _key_apart(key, content, opening)
    if not has_own or (apart is not None and apart[1] == content.data):
        return None if apart is None else apart[0]
    own = open_with(
        lambda password: read_private_key(content.data, name=content.name, password=password, limits=limits),
        opening.password,
    )
    if apart is not None and encode_public_key(own.public_key()) != encode_public_key(apart[0].public_key()):
        raise InputError(
            f"{content.name}: it has a private key of its own, and the other key that was given does not equal it;"
            " leave out the other one, or take its own key out of the file"
        )
    return own


def _key_apart(
    key: KeySource, content: SourceContent, opening: Opening
) -> tuple[CertificateIssuerPrivateKeyTypes, bytes]:
    """Return the key that was given apart from the file, and the bytes that it was read from."""
    if isinstance(key, PRIVATE_KEYS):
        return require_signing_key(key, "the private key given"), b""
    read = SourceContent.read(key, opening.limits)  # type: ignore[arg-type]  # mypy does not narrow this
    if read.data == content.data and opening.key_password is None:  # one file, which has one password
        opening = replace(opening, key_password=opening.password)
    return key_from_content(read, opening, with_certificates=False).private_key, read.data


def _belonging(
    private_key: CertificateIssuerPrivateKeyTypes, certificates: Iterable[Certificate]
) -> tuple[Certificate, ...]:
    """Return the certificates of a private key, each once."""
    own = certificates_by_key(certificates).get(encode_public_key(private_key.public_key()), ())
    return tuple(dict.fromkeys(own))


def _decoded_key(private_key: CertificateIssuerPrivateKeyTypes, own: tuple[Certificate, ...]) -> DecodedKey:
    return DecodedKey(
        private_key=private_key,
        private_key_info=encode_private_key(private_key, own[0] if own else None),
        friendly_name=None,
        local_key_id=None,
        certificates=own,
    )


def _in_order(
    name: str, certificates: tuple[Certificate, ...], own: tuple[Certificate, ...]
) -> tuple[Certificate, ...]:
    """Return the certificates of a set as a server would have to send them: the chain of one of them first.

    Without a key it is that of the only end-entity certificate, or of the only certificate that issued no other one.
    Raises :class:`~pkcs12kit.errors.InputError` where there are several.
    """
    readable = [certificate for certificate in certificates if is_readable(certificate)]
    issuers = {one.issuer for one in readable if not one.is_self_issued}
    last = [one for one in readable if one.subject not in issuers]
    targets = list(own) or [one for one in last if not one.is_ca] or last or readable
    if not own and len({one.node for one in targets}) > 1:
        raise InputError(
            f"{name}: a PKCS#7 bundle with {len(targets)} certificates that issued no other one, such as"
            f" {targets[0].label} and {targets[1].label}; give the chain of one of them, or its key"
        )
    if not targets:
        return certificates
    link = KeyLink(local_key_id=None, certificate=targets[0])
    chain = arrange([link], [(certificate, None) for certificate in readable]).chain
    return tuple(dict.fromkeys((*chain, *certificates)))
