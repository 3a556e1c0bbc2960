"""From sources to what the rest speaks of: pools, trust anchors, one certificate, an identity."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.identity import Identity
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import InputError, KeyMismatchError, MalformedCertificateError, MalformedPfxError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.keys import read_private_key, require_signing_key
from pkcs12kit.sources.reading import name_of, read_source
from pkcs12kit.sources.sniffing import Kind, as_octets, decode_base64, sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.reading import Source


CertificateSource: TypeAlias = "Source | Certificate | CertificatePool"
"""What certificates come from; those that are loaded stand for themselves."""
TrustAnchorSource: TypeAlias = "Source | Certificate | CertificatePool | TrustAnchor"
"""What trust anchors come from; those that are loaded stand for themselves."""


def load_certificates(
    *sources: CertificateSource,
    password: str | None = None,
    require_mac: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> CertificatePool:
    """Read every certificate of the sources: files, folders, ``"-"`` for standard input, or bytes.

    The content decides what is read how, never a file's ending: PEM with anything between its blocks, DER, base64
    without armor lines, PKCS#7 in PEM, DER and BER, PKCS#12 (``password`` opens those), crossCertificatePair, zip
    (never extracted to disk), one in another up to ``limits.nesting``. Folders are read with their subfolders in the
    order of names, hidden files left out; symbolic links are followed.

    A certificate or a pool that is loaded already stands for itself.

    With ``require_mac`` a PKCS#12 needs a MAC that ``password`` verifies. Without it none is needed, and nothing is
    said: certificates are candidates, wherever they come from.

    What cannot be read is in ``pool.rejects``; it never loses the rest. In folders and zips, what holds no
    certificates (keys, requests, CRLs, texts) is passed over; it is a reject where it begins or is labelled as
    something with certificates, or has such a file's ending and nothing recognizable in it.

    Raises :class:`~pkcs12kit.errors.InputError` for a source that cannot be opened or in which no certificate can be
    read, saying what was found, and for a zip with a member named to land outside its folder;
    :class:`~pkcs12kit.errors.PasswordError` for a PKCS#12 that ``password`` does not open;
    :class:`~pkcs12kit.errors.LimitExceededError`. No signature, time or purpose is checked.
    """
    collector = _collect(sources, password=password, require_mac=require_mac, limits=limits)
    return CertificatePool(collector.certificates, rejects=collector.rejects)


def load_certificate(source: Source, *, limits: Limits = DEFAULT_LIMITS) -> Certificate:
    """Read the one certificate of a source, in any form that :func:`load_certificates` reads.

    Raises :class:`~pkcs12kit.errors.InputError` where it holds none, several different ones, or some that cannot be
    read.
    """
    collector = _collect([source], limits=limits)
    _refuse_rejects(collector)
    certificates = tuple(dict.fromkeys(collector.certificates))
    if len(certificates) > 1:
        raise InputError(
            f"{name_of(source)}: expected one certificate, found {len(certificates)};"
            " put the one that is meant into a file of its own"
        )
    return certificates[0]


def load_trust_anchors(*sources: TrustAnchorSource, limits: Limits = DEFAULT_LIMITS) -> tuple[TrustAnchor, ...]:
    """Read trust anchors, in any form that :func:`load_certificates` reads, each (name, key) once, in order.

    A :class:`~pkcs12kit.TrustAnchor` stands for itself.
    Whatever certificate is in the sources becomes trusted; that it is self-signed is not asked. Raises
    :class:`~pkcs12kit.errors.InputError` where there is none, and where any cannot be read: anchors are all there or
    none is.
    """
    anchors: dict[object, TrustAnchor] = {}
    collector = Collector(password=None, limits=limits)  # one, for its limits are of all sources together
    for source in sources:
        for anchor in (source,) if isinstance(source, TrustAnchor) else _trust_anchors(source, collector):
            anchors.setdefault(anchor.node, anchor)
    if not anchors:
        raise InputError("no trust anchor given")
    return tuple(anchors.values())


def load_identity(
    *,
    key: Source | None = None,
    certificate: Source | None = None,
    pkcs12: Source | None = None,
    key_password: str | None = None,
    password: str | None = None,
    require_mac: bool = False,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Identity:
    """Read a private key and its end-entity certificate: from ``key`` and ``certificate``, or from ``pkcs12``.

    Each is a path, ``"-"`` or bytes. A PEM file with both serves as ``key``, as ``certificate``, or as either alone.
    Where ``certificate`` holds a chain, the end-entity is the certificate that belongs to the key.

    Keys: PKCS#8, PKCS#1, SEC 1, in PEM or DER, encrypted (PKCS#8 and traditional PEM) or not; RSA, EC, DSA, Ed25519,
    Ed448 and ML-DSA. ``key_password`` opens ``key``, ``password`` a PKCS#12; one given for something that is not
    encrypted is ignored, so that one setting serves many keys. ``require_mac`` is as in :func:`~pkcs12kit.decode_pfx`;
    otherwise ``on_warning`` is called with a sentence where ``pkcs12`` may have been changed by anybody.

    Raises :class:`~pkcs12kit.errors.KeyMismatchError` with both fingerprints where key and certificate do not belong
    together, :class:`~pkcs12kit.errors.PasswordError` where a password is missing or wrong,
    :class:`~pkcs12kit.errors.InputError` for all else. Neither key nor password is in any message.
    """
    if pkcs12 is not None:
        if key is not None or certificate is not None:
            raise InputError("an identity is either a key and a certificate, or a PKCS#12 file: both were given")
        return _identity_from_pkcs12(pkcs12, password, limits, require_mac=require_mac, on_warning=on_warning)
    key = certificate if key is None else key
    certificate = key if certificate is None else certificate
    if key is None or certificate is None:
        raise InputError("an identity needs a key and a certificate, or a PKCS#12 file")
    content = read_source(key, limits)
    private_key = read_private_key(content, name=name_of(key), password=key_password, limits=limits)
    collector = Collector(password=password, limits=limits)
    collector.collect(certificate, content=content if certificate == key else None)
    return _matched(private_key, collector.certificates, key_name=name_of(key), name=name_of(certificate))


def _trust_anchors(source: CertificateSource, collector: Collector) -> Iterator[TrustAnchor]:
    before = len(collector.certificates)
    _collect_one(source, collector)
    _refuse_rejects(collector)
    for certificate in collector.certificates[before:]:
        try:
            yield TrustAnchor.from_certificate(certificate)
        except MalformedCertificateError as error:
            raise MalformedCertificateError(f"trust anchor {certificate.subject}: {error}") from None


def _identity_from_pkcs12(
    source: Source,
    password: str | None,
    limits: Limits,
    *,
    require_mac: bool,
    on_warning: Callable[[str], object] | None,
) -> Identity:
    from pkcs12kit.pkcs12.decoder import decode_pfx

    name = name_of(source)
    data = as_octets(read_source(source, limits))
    data = decode_base64(data) or data
    kind = sniff(data)
    if kind is not Kind.PKCS12:
        raise InputError(f"{name}: expected a PKCS#12 file, found {kind.value}")
    try:
        decoded = decode_pfx(data, password=password, require_mac=require_mac, limits=limits)
        key = decoded.private_key
    except InputError as error:
        raise type(error)(f"{name}: {error}") from None
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
    """Make an identity with the one certificate that belongs to the key."""
    matching = [certificate for certificate in dict.fromkeys(certificates) if _belongs(certificate, private_key)]
    if len(matching) > 1:
        described = ", ".join(serial_number_label(certificate.serial_number) for certificate in matching[:5])
        raise InputError(f"{name}: {len(matching)} certificates belong to the private key ({described}); leave one")
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


def _collect(
    sources: Sequence[CertificateSource], *, password: str | None = None, require_mac: bool = False, limits: Limits
) -> Collector:
    collector = Collector(password=password, require_mac=require_mac, limits=limits)
    for source in sources:
        _collect_one(source, collector)
    return collector


def _collect_one(source: CertificateSource, collector: Collector) -> None:
    if isinstance(source, Certificate | CertificatePool):
        collector.take(source)
    else:
        collector.collect(source)


def _refuse_rejects(collector: Collector) -> None:
    """Fail closed where what was to be all of something cannot be read in part."""
    if collector.rejects:
        raise InputError(str(collector.rejects[0]))


@contextmanager
def opened_pkcs12(source: Source, limits: Limits) -> Iterator[bytes]:
    """Give the bytes of a PKCS#12 file, in base64 or not; whatever error comes of them then begins with its name.

    Raises :class:`~pkcs12kit.errors.InputError` where it cannot be read, and, in place of
    :class:`~pkcs12kit.errors.MalformedPfxError`, where it is something else than a PKCS#12 file.
    """
    data = read_pkcs12(source, limits)
    with naming_pkcs12(name_of(source), data):
        yield data


def read_pkcs12(source: Source, limits: Limits) -> bytes:
    """Read the bytes of a PKCS#12 file, in base64 or not; what they are is not looked at otherwise."""
    data = as_octets(read_source(source, limits))
    return decode_base64(data) or data


@contextmanager
def naming_pkcs12(name: str, data: bytes) -> Iterator[None]:
    """Begin each error that comes of the bytes of a PKCS#12 file with its name, as :func:`opened_pkcs12` does."""
    try:
        yield
    except MalformedPfxError as error:
        kind = sniff(data)
        if kind is not Kind.PKCS12:
            raise InputError(f"{name}: expected a PKCS#12 file, found {kind.value}") from None
        raise MalformedPfxError(f"{name}: {error}") from None
    except InputError as error:
        raise type(error)(f"{name}: {error}") from None
