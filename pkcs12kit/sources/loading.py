"""Certificates, trust anchors and identities from sources (a path, bytes, ``"-"``) or from loaded values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.identity import PRIVATE_KEYS, Identity
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import ArgumentError, InputError, KeyMismatchError, MalformedCertificateError, PfxError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.keys import read_private_key, require_signing_key
from pkcs12kit.sources.pkcs12_files import SourceContent, naming_pkcs12
from pkcs12kit.sources.reading import name_of
from pkcs12kit.sources.sniffing import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes

    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.sources.reading import Source


CertificateSource: TypeAlias = "Source | Certificate | CertificatePool | x509.Certificate"
"""A source of certificates, or certificates that are loaded already, by pkcs12kit or by pyca/cryptography."""
TrustAnchorSource: TypeAlias = "CertificateSource | TrustAnchor"
"""A source of trust anchors, or trust anchors and certificates that are loaded already."""
KeySource: TypeAlias = "Source | PrivateKeyTypes"
"""A source of a private key, or a private key of pyca/cryptography."""

_LISTED_CERTIFICATES: Final = 5


def load_certificates(
    *sources: CertificateSource,
    password: str | None = None,
    require_mac: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> CertificatePool:
    """Read every certificate of the sources: files, folders, ``"-"`` for standard input, or bytes.

    The content decides how a source is read, never a file's ending: PEM with anything between its blocks, DER, base64
    without armor lines, PKCS#7 in PEM, DER and BER, PKCS#12 (``password`` opens those), crossCertificatePair and zip
    (never extracted to disk), nested up to ``limits.nesting`` deep. Folders are read with their subfolders in the
    order of names, without hidden files; symbolic links are followed.

    A certificate or a pool that is loaded already is used as it is; so is a certificate of pyca/cryptography.

    With ``require_mac`` a PKCS#12 file needs a MAC that ``password`` verifies. Otherwise no MAC is needed, and there is
    no warning: certificates are only candidates, wherever they come from.

    ``pool.rejects`` lists the parts that cannot be read; the rest is still read. In folders and zips, files that hold
    no certificates (keys, requests, CRLs, texts) are skipped. Such a file is a reject if it begins or is labelled like
    one with certificates, or has the ending of such a file and nothing recognizable in it.

    Raises :class:`~pkcs12kit.errors.InputError` for a source that cannot be opened or in which no certificate can be
    read (the message says what was found), and for a zip with a member whose name leads outside its folder;
    :class:`~pkcs12kit.errors.PasswordError` for a PKCS#12 file that ``password`` does not open;
    :class:`~pkcs12kit.errors.LimitExceededError`; and :class:`~pkcs12kit.ArgumentError` for an object of another kind.
    No signature, time or purpose is checked.
    """
    if len(sources) == 1 and isinstance(sources[0], CertificatePool):
        return sources[0]
    collector = _collect(sources, password=password, require_mac=require_mac, limits=limits)
    return CertificatePool(collector.certificates, rejects=collector.rejects)


def load_certificate(source: CertificateSource, *, limits: Limits = DEFAULT_LIMITS) -> Certificate:
    """Read the one certificate of a source, in any form that :func:`load_certificates` reads.

    A certificate that is loaded already is returned. Raises :class:`~pkcs12kit.errors.InputError` if the source holds
    no certificate, several different ones, or some that cannot be read.
    """
    if isinstance(source, Certificate):
        return source
    collector = _collect([source], limits=limits)
    _require_no_rejects(collector)
    certificates = tuple(dict.fromkeys(collector.certificates))
    if len(certificates) != 1:
        raise InputError(
            f"{label(source)}: expected one certificate, found {len(certificates) or 'none'};"
            " give a file that holds only the certificate that you mean"
        )
    return certificates[0]


def load_trust_anchors(*sources: TrustAnchorSource, limits: Limits = DEFAULT_LIMITS) -> tuple[TrustAnchor, ...]:
    """Read trust anchors, in any form that :func:`load_certificates` reads, each once, in order.

    A :class:`~pkcs12kit.TrustAnchor` that is loaded already is used as it is. Every certificate in the sources becomes
    a trust anchor; that it is self-signed is not checked. Raises :class:`~pkcs12kit.errors.InputError` if there is no
    certificate, or if any certificate cannot be read: a part of the trust anchors is never returned.
    """
    anchors: dict[object, TrustAnchor] = {}
    collector = Collector(password=None, limits=limits)  # one for all sources, because its limits are for all of them
    for source in sources:
        for anchor in (source,) if isinstance(source, TrustAnchor) else _trust_anchors(source, collector):
            anchors.setdefault((anchor.node, anchor.certificate), anchor)
    if not anchors:
        raise ArgumentError("no trust anchor given")
    return tuple(anchors.values())


def load_identity(
    *,
    key: KeySource | None = None,
    certificate: CertificateSource | None = None,
    pkcs12: Source | DecodedPfx | None = None,
    key_password: str | None = None,
    password: str | None = None,
    require_mac: bool = False,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Identity:
    """Read a private key and its end-entity certificate: from ``key`` and ``certificate``, or from ``pkcs12``.

    - ``key``: a path, ``"-"``, bytes, or a private key of pyca/cryptography. PKCS#8, PKCS#1 or SEC 1, in PEM or DER,
      encrypted (PKCS#8 and traditional PEM) or not; RSA, EC, DSA, Ed25519, Ed448 or ML-DSA.
    - ``certificate``: a path, ``"-"``, bytes, or a loaded certificate or pool. Where it holds a chain, the end-entity
      is the certificate that belongs to the key. A PEM file with both serves as ``key``, as ``certificate``, or as
      either of them with the other left out.
    - ``pkcs12``: a path, ``"-"``, bytes, or what :func:`~pkcs12kit.decode_pfx` returned.
    - ``key_password`` opens ``key``, and ``password`` opens a PKCS#12 file. A password for something that is not
      encrypted is ignored, so that one setting serves many keys.
    - ``require_mac``: as in :func:`~pkcs12kit.decode_pfx`.
    - ``on_warning``: called with a sentence if anyone may have changed the file ``pkcs12``.

    Raises :class:`~pkcs12kit.errors.KeyMismatchError` with both fingerprints if key and certificate do not belong
    together, :class:`~pkcs12kit.errors.PasswordError` if a password is missing or wrong, and
    :class:`~pkcs12kit.errors.InputError` for anything else. Neither key nor password is in any message.
    """
    if pkcs12 is not None:
        if key is not None or certificate is not None:
            raise InputError("an identity is either a key and a certificate, or a PKCS#12 file: both were given")
        return _identity_from_pkcs12(pkcs12, password, limits, require_mac=require_mac, on_warning=on_warning)
    key = certificate if key is None else key  # type: ignore[assignment]  # one file may hold both
    certificate = key if certificate is None else certificate  # type: ignore[assignment]
    if key is None or certificate is None or isinstance(certificate, PRIVATE_KEYS) or _is_loaded(key):
        raise InputError("an identity needs a key and a certificate, or a PKCS#12 file")
    if isinstance(key, PRIVATE_KEYS):
        private_key = require_signing_key(key, label(key))
    else:
        content = SourceContent.read(key, limits)  # type: ignore[arg-type]  # mypy does not narrow by a tuple of types
        if certificate == key:
            return _identity_from_text(content, key_password=key_password, password=password, limits=limits)
        private_key = read_private_key(content.data, name=content.name, password=key_password, limits=limits)
    collector = Collector(password=password, limits=limits)
    _collect_one(certificate, collector)
    return _matched(private_key, collector.certificates, key_name=label(key), name=label(certificate))


def load_identity_file(
    source: Source,
    *,
    key_password: str | None,
    password: str | None,
    require_mac: bool,
    on_warning: Callable[[str], object] | None,
    limits: Limits,
) -> Identity:
    """Read an identity from one source, read once: a PKCS#12 file, or a PEM file with key and certificate.

    The content decides which of the two it is. Parameters and errors are those of :func:`load_identity`.
    """
    content = SourceContent.read(source, limits)
    if content.kind is Kind.PKCS12:
        return _identity_from_pkcs12(content, password, limits, require_mac=require_mac, on_warning=on_warning)
    return _identity_from_text(content, key_password=key_password, password=password, limits=limits)


def label(source: object) -> str:
    """Return a name for a source or a loaded value, for messages.

    Raises :class:`~pkcs12kit.ArgumentError` for other objects.
    """
    if isinstance(source, PRIVATE_KEYS):
        return "the private key given"
    if _is_loaded(source):
        return "the certificates given" if isinstance(source, CertificatePool) else "the certificate given"
    return name_of(source)  # type: ignore[arg-type]  # it raises for what is not a source


def _is_loaded(source: object) -> bool:
    return isinstance(source, Certificate | CertificatePool | x509.Certificate)


def _collect(
    sources: Sequence[CertificateSource], *, password: str | None = None, require_mac: bool = False, limits: Limits
) -> Collector:
    collector = Collector(password=password, require_mac=require_mac, limits=limits)
    for source in sources:
        _collect_one(source, collector)
    return collector


def _collect_one(source: CertificateSource, collector: Collector) -> None:
    if isinstance(source, x509.Certificate):
        source = Certificate.from_der(source.public_bytes(Encoding.DER))
    if isinstance(source, Certificate | CertificatePool):
        collector.add_loaded(source)
    else:
        collector.collect(source)


def _require_no_rejects(collector: Collector) -> None:
    """Raise if a part cannot be read where the whole is needed."""
    if collector.rejects:
        raise InputError(str(collector.rejects[0]))


def _trust_anchors(source: CertificateSource, collector: Collector) -> Iterator[TrustAnchor]:
    before = len(collector.certificates)
    _collect_one(source, collector)
    _require_no_rejects(collector)
    for certificate in collector.certificates[before:]:
        try:
            yield TrustAnchor.from_certificate(certificate)
        except MalformedCertificateError as error:
            raise MalformedCertificateError(f"trust anchor {certificate.subject}: {error}") from None


def _identity_from_text(
    content: SourceContent, *, key_password: str | None, password: str | None, limits: Limits
) -> Identity:
    """Read key and certificate from the same content."""
    private_key = read_private_key(content.data, name=content.name, password=key_password, limits=limits)
    collector = Collector(password=password, limits=limits)
    collector.collect_content(content.name, content.data)
    return _matched(private_key, collector.certificates, key_name=content.name, name=content.name)


def _identity_from_pkcs12(
    source: SourceContent | Source | DecodedPfx,
    password: str | None,
    limits: Limits,
    *,
    require_mac: bool,
    on_warning: Callable[[str], object] | None,
) -> Identity:
    from pkcs12kit.pkcs12.decoder import DecodedPfx, decode_pfx

    if isinstance(source, DecodedPfx):
        decoded, name = source, "the PKCS#12 file given"
        if require_mac and decoded.warnings:
            raise PfxError(f"{name}: {decoded.warnings[0]} (a MAC is required)")
        key = decoded.private_key
    else:
        content = source if isinstance(source, SourceContent) else SourceContent.read(source, limits)
        name, data = content.name, content.der
        if content.kind is not Kind.PKCS12:
            raise InputError(f"{name}: expected a PKCS#12 file, found {content.kind.value}")
        with naming_pkcs12(name, data):
            decoded = decode_pfx(data, password=password, require_mac=require_mac, limits=limits)
            key = decoded.private_key
    if on_warning is not None:
        for warning in decoded.warnings:
            on_warning(f"{name}: {warning}")
    if key is None:
        raise InputError(f"{name}: a PKCS#12 file without a private key")
    certificates = decoded.certificates if decoded.certificate is None else (decoded.certificate,)
    if not certificates:
        raise InputError(f"{name}: a PKCS#12 file without a certificate")
    return _matched(require_signing_key(key, name), certificates, key_name=name, name=name)


def _matched(
    private_key: CertificateIssuerPrivateKeyTypes, certificates: Sequence[Certificate], *, key_name: str, name: str
) -> Identity:
    """Return the identity of the key and the one certificate that belongs to it."""
    matching = [certificate for certificate in dict.fromkeys(certificates) if _belongs(certificate, private_key)]
    if len(matching) > 1:
        numbers = (serial_number_label(certificate.serial_number) for certificate in matching[:_LISTED_CERTIFICATES])
        raise InputError(
            f"{name}: {len(matching)} certificates belong to the private key ({', '.join(numbers)}); leave only one"
        )
    if not certificates:
        raise InputError(f"{name}: an identity needs a certificate, and there is none")
    end_entities = (certificate for certificate in certificates if not certificate.is_ca)
    end_entity = matching[0] if matching else next(end_entities, certificates[0])
    try:
        return Identity(private_key=private_key, certificate=end_entity)
    except (KeyMismatchError, MalformedCertificateError) as error:
        where = name if key_name == name else f"{key_name} and {name}"
        raise type(error)(f"{where}: {error}") from None


def _belongs(certificate: Certificate, private_key: CertificateIssuerPrivateKeyTypes) -> bool:
    try:
        return certificate.public_key == private_key.public_key()
    except MalformedCertificateError:
        return False
