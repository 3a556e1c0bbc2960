"""Certificates, trust anchors and identities from sources (a path, bytes, ``"-"``) or from loaded values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pkcs12kit.arguments import require_functions
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.choice import by_preference, name_others
from pkcs12kit.certificates.identity import PRIVATE_KEYS, Identity
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import ArgumentError, InputError, KeyMismatchError, MalformedCertificateError, PasswordError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.decoder import DecodedPfx
from pkcs12kit.sources.anchor_warnings import about_anchors, about_file
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.key_sources import LoadedKey, Opening, key_from_content, key_from_pkcs12, open_with
from pkcs12kit.sources.keys import require_signing_key
from pkcs12kit.sources.pkcs12_files import SourceContent
from pkcs12kit.sources.reading import is_folder, name_of, read_source
from pkcs12kit.sources.sniffing import HOLDS_CERTIFICATES, Kind
from pkcs12kit.times import time_or_now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes

    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.reading import Source


CertificateSource: TypeAlias = "Source | Certificate | CertificatePool | x509.Certificate"
"""A source of certificates, or certificates that are loaded already, by pkcs12kit or by pyca/cryptography."""
TrustAnchorSource: TypeAlias = "CertificateSource | TrustAnchor"
"""A source of trust anchors, or trust anchors and certificates that are loaded already."""
KeySource: TypeAlias = "Source | PrivateKeyTypes"
"""A source of a private key, or a private key of pyca/cryptography."""


def load_certificates(
    *sources: CertificateSource,
    password: str | None = None,
    require_mac: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> CertificatePool:
    """Read every certificate of the sources: files, folders, ``"-"`` for standard input, or bytes.

    The content decides how a source is read, never a file's ending: PEM with anything between its blocks, DER, base64
    without armor lines, PKCS#7 in PEM, DER and BER, PKCS#12 (``password`` opens those), crossCertificatePair and zip
    (never extracted to disk), nested up to ``limits.nesting`` deep. Text may be in UTF-16, base64, a ``data:`` URL, a
    quoted string with escapes or URL encoding (``limits.text_forms``), and PEM may be indented, quoted or have unusual
    dashes, if it can be read in only one way. Folders are read with their subfolders in the order of names, without
    hidden files; symbolic links are followed.

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


def load_certificate(
    source: CertificateSource, *, password: str | None = None, limits: Limits = DEFAULT_LIMITS
) -> Certificate:
    """Read the one certificate of a source, in any form that :func:`load_certificates` reads.

    ``password`` opens a PKCS#12 file. A certificate that is loaded already is returned. Raises
    :class:`~pkcs12kit.errors.InputError` if the source holds no certificate, several different ones, or some that
    cannot be read.
    """
    if isinstance(source, Certificate):
        return source
    collector = _collect([source], password=password, limits=limits)
    _require_no_rejects(collector)
    certificates = tuple(dict.fromkeys(collector.certificates))
    if len(certificates) != 1:
        raise InputError(
            f"{label(source)}: expected one certificate, found {len(certificates) or 'none'};"
            " give a file that holds only the certificate that you mean"
        )
    return certificates[0]


def load_trust_anchors(
    *sources: TrustAnchorSource, on_warning: Callable[[str], object] | None = None, limits: Limits = DEFAULT_LIMITS
) -> tuple[TrustAnchor, ...]:
    """Read trust anchors from files, in any form that :func:`load_certificates` reads, each once, in order.

    A :class:`~pkcs12kit.TrustAnchor` that is loaded already is used as it is. Every certificate in the sources becomes
    a trust anchor. ``on_warning`` is called with a sentence for each file with several certificates, and for each
    anchor whose certificate is not self-signed or not of a CA; they are trusted nevertheless. Raises
    :class:`~pkcs12kit.errors.InputError` for a folder or a zip archive, whose contents the user has not named; for a
    PKCS#12 file with a password; without a certificate; or if any certificate cannot be read: a part of the trust
    anchors is never returned.
    """
    require_functions(on_warning=on_warning)
    anchors: dict[object, TrustAnchor] = {}
    # one for all sources, because its limits are for all of them
    collector = Collector(password=None, limits=limits, containers=HOLDS_CERTIFICATES - {Kind.ZIP})
    warnings: list[str] = []
    for source in sources:
        for anchor in (source,) if isinstance(source, TrustAnchor) else _trust_anchors(source, collector, warnings):
            anchors.setdefault((anchor.node, anchor.certificate), anchor)
    if not anchors:
        raise ArgumentError("no trust anchor given")
    if on_warning is not None:
        for sentence in (*warnings, *about_anchors(tuple(anchors.values()), limits)):
            on_warning(sentence)
    return tuple(anchors.values())


def load_identity(  # noqa: PLR0913  # each input has its own keyword
    *,
    key: KeySource | None = None,
    certificate: CertificateSource | None = None,
    pkcs12: Source | DecodedPfx | None = None,
    key_password: str | Callable[[], str] | None = None,
    password: str | Callable[[], str] | None = None,
    certificate_password: str | Callable[[], str] | None = None,
    contents_password: str | None = None,
    key_name: str | None = None,
    key_id: bytes | None = None,
    time: datetime | None = None,
    require_mac: bool = False,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Identity:
    """Read a private key and its end-entity certificate: from ``key`` or ``pkcs12``, and from ``certificate``.

    - ``key``: a path, ``"-"``, bytes, or a private key of pyca/cryptography. PKCS#8, PKCS#1 or SEC 1, in PEM or DER,
      encrypted (PKCS#8 and traditional PEM) or not; RSA, EC, DSA, Ed25519, Ed448 or ML-DSA. Or a PKCS#12 file that
      holds the key.
    - ``certificate``: a path, ``"-"``, bytes, or a loaded certificate or pool. Where it holds a chain, the end-entity
      is the certificate that belongs to the key. A file with both serves as ``key``, as ``certificate``, or as either
      of them with the other left out.
    - ``pkcs12``: a path, ``"-"``, bytes, or what :func:`~pkcs12kit.decode_pfx` returned. Its certificate is used unless
      ``certificate`` is given.
    - ``key_password`` opens ``key``, ``password`` opens ``pkcs12``, and ``certificate_password`` a PKCS#12 file that is
      given as ``certificate``; ``contents_password`` opens the contents or the key of a PKCS#12 file, as in
      :func:`~pkcs12kit.decode_pfx`. A password for something that is not encrypted is ignored, so that one setting
      serves many keys. A PKCS#12 file for which no password is given is tried with those of the other files. A function
      is called only if a password is needed.
    - ``key_name``, ``key_id``: choose one of several keys of a PKCS#12 file, by its friendly name or by its localKeyID;
      a key without localKeyID by the SHA-256 of its SubjectPublicKeyInfo. The same key twice is one key.
    - ``time``: of several certificates for the key the newest that is valid at this time (None for now) is used; if
      none is valid, the newest.
    - ``require_mac``: as in :func:`~pkcs12kit.decode_pfx`.
    - ``on_warning``: called with a sentence if anyone may have changed the PKCS#12 file of the key, for each key in it
      that is not read, and with one that names the certificates of the key that are not used.

    Raises :class:`~pkcs12kit.errors.KeyMismatchError` with both fingerprints if key and certificate do not belong
    together, :class:`~pkcs12kit.errors.PasswordError` if a password is missing or wrong,
    :class:`~pkcs12kit.errors.KeyChoiceError` if there are several keys and none is chosen, and
    :class:`~pkcs12kit.errors.InputError` for anything else. Neither key nor password is in any message.
    """
    opening = Opening(
        key_password=key_password,
        password=password,
        certificate_password=certificate_password,
        contents_password=contents_password,
        key_name=key_name,
        key_id=key_id,
        time=time_or_now(time),
        require_mac=require_mac,
        on_warning=on_warning,
        limits=limits,
    )
    return load_server(key, certificate, pkcs12, opening).identity


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedIdentity:
    """An identity, and every certificate of the files from which it comes."""

    identity: Identity
    certificates: CertificatePool
    decoded: DecodedPfx | None = None
    """The contents of the key's file, if it is a PKCS#12 file."""


def load_server(
    key: KeySource | None, certificate: CertificateSource | None, pkcs12: Source | DecodedPfx | None, opening: Opening
) -> LoadedIdentity:
    """Read an identity and the other certificates of its files, each file once.

    Parameters and errors are those of :func:`load_identity`.
    """
    if pkcs12 is not None and key is not None:
        raise InputError("an identity has one private key, from key or from a PKCS#12 file: both were given")
    apart = certificate
    if pkcs12 is not None:
        source = pkcs12 if isinstance(pkcs12, DecodedPfx) else SourceContent.read(pkcs12, opening.limits)
        found = key_from_pkcs12(source, opening, opening.password)
    else:
        key = certificate if key is None else key  # type: ignore[assignment]  # one file may hold both
        if isinstance(key, PRIVATE_KEYS):
            opening.refuse_choice(label(key))
            found = LoadedKey(name=label(key), private_key=require_signing_key(key, label(key)))
        elif key is None or _is_loaded(key):
            raise InputError("an identity needs a key and a certificate, or a PKCS#12 file")
        else:
            content = SourceContent.read(key, opening.limits)  # type: ignore[arg-type]  # mypy does not narrow this
            apart = None if certificate == key else certificate
            found = key_from_content(content, opening, with_certificates=apart is None)
    if apart is None and isinstance(key, PRIVATE_KEYS):
        raise InputError("an identity needs a key and a certificate, or a PKCS#12 file")
    return _matched(found, apart, opening)


def load_identity_file(source: Source, opening: Opening) -> LoadedIdentity:
    """Read an identity from one source, read once: a PKCS#12 file, or a PEM file with key and certificate.

    The content decides which of the two it is. Errors are those of :func:`load_identity`.
    """
    content = SourceContent.read(source, opening.limits)
    if content.kind is Kind.PKCS12:
        found = key_from_pkcs12(content, opening, opening.password)
    else:
        found = key_from_content(content, opening, with_certificates=True)
    return _matched(found, None, opening)


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


def _collect_one(source: CertificateSource, collector: Collector, content: bytes | None = None) -> None:
    """Add the certificates of a source; ``content`` is what was read from it already."""
    if isinstance(source, x509.Certificate):
        source = Certificate.from_der(source.public_bytes(Encoding.DER))
    if isinstance(source, Certificate | CertificatePool):
        collector.add_loaded(source)
    else:
        collector.collect(source, content=content)


def _require_no_rejects(collector: Collector) -> None:
    """Raise if a part cannot be read where the whole is needed."""
    if collector.rejects:
        raise InputError(str(collector.rejects[0]))


def _trust_anchors(source: CertificateSource, collector: Collector, warnings: list[str]) -> Iterator[TrustAnchor]:
    """Yield the trust anchors of a source; add to ``warnings`` if it is a file with several."""
    before = len(collector.certificates)
    if not _is_loaded(source) and is_folder(source):  # type: ignore[arg-type]  # it is a source
        raise InputError(f"{label(source)}: a folder; name the file in it that is the trust anchor")
    try:
        _collect_one(source, collector)
    except PasswordError:  # the passwords of the call are for other files
        raise InputError(
            f"{label(source)}: a PKCS#12 file that is protected by a password; give the trust anchor as PEM or DER"
        ) from None
    _require_no_rejects(collector)
    certificates = collector.certificates[before:]
    if not _is_loaded(source):
        warnings += about_file(label(source), certificates)
    for certificate in certificates:
        try:
            yield TrustAnchor.from_certificate(certificate)
        except MalformedCertificateError as error:
            raise MalformedCertificateError(f"trust anchor {certificate.subject}: {error}") from None


def _matched(found: LoadedKey, certificate: CertificateSource | None, opening: Opening) -> LoadedIdentity:
    """Return the identity of a key and the one of its certificates that is used.

    ``certificate`` is its source, None if the key's own file has it.
    """
    name, certificates, rejects = found.name, found.certificates, found.rejects
    belonging = found.own_certificates
    if certificate is not None:
        read_once = None
        if not _is_loaded(certificate) and not is_folder(certificate):  # type: ignore[arg-type]  # it is a source
            read_once = read_source(certificate, opening.limits)  # type: ignore[arg-type]

        def collect(password: str | None) -> Collector:
            collector = Collector(password=password, require_mac=opening.require_mac, limits=opening.limits)
            _collect_one(certificate, collector, read_once)
            return collector

        collector = open_with(collect, opening.certificate_password, (opening.password, opening.key_password))
        name, belonging = label(certificate), ()
        certificates, rejects = tuple(collector.certificates), tuple(collector.rejects)
    if not certificates:
        lacks = "a PKCS#12 file without a certificate" if certificate is None else "an identity needs a certificate"
        raise InputError(f"{name}: {lacks}; give the certificate of the key as well")
    belonging = belonging or tuple(one for one in certificates if _belongs(one, found.private_key))
    preferred = by_preference(belonging, opening.time)
    others = name_others(preferred, opening.time)
    if others is not None and opening.on_warning is not None:
        opening.on_warning(f"{name}: {others}")
    end_entities = (one for one in certificates if not one.is_ca)
    end_entity = preferred[0] if preferred else next(end_entities, certificates[0])
    try:
        identity = Identity(private_key=found.private_key, certificate=end_entity)
    except (KeyMismatchError, MalformedCertificateError) as error:
        where = name if found.name == name else f"{found.name} and {name}"
        raise error.placed(f"{where}:") from None
    pool = CertificatePool(
        dict.fromkeys((*certificates, *found.certificates)), rejects=dict.fromkeys((*rejects, *found.rejects))
    )
    return LoadedIdentity(identity=identity, certificates=pool, decoded=found.decoded)


def _belongs(certificate: Certificate, private_key: CertificateIssuerPrivateKeyTypes) -> bool:
    try:
        return certificate.public_key == private_key.public_key()
    except MalformedCertificateError:
        return False
