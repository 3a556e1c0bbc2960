"""Certificates and trust anchors from sources (a path, bytes, ``"-"``) or from loaded values."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pkcs12kit.arguments import require_functions
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.identity import PRIVATE_KEYS
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import ArgumentError, InputError, MalformedCertificateError, PasswordError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.anchor_warnings import about_anchors, about_file
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.reading import is_folder, name_of
from pkcs12kit.sources.sniffing import HOLDS_CERTIFICATES, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.reading import Source


CertificateSource: TypeAlias = "Source | Certificate | CertificatePool | x509.Certificate"
"""A source of certificates, or certificates that are loaded already, by pkcs12kit or by pyca/cryptography."""
TrustAnchorSource: TypeAlias = "CertificateSource | TrustAnchor"
"""A source of trust anchors, or trust anchors and certificates that are loaded already."""


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


def label(source: object) -> str:
    """Return a name for a source or a loaded value, for messages.

    Raises :class:`~pkcs12kit.ArgumentError` for other objects.
    """
    if isinstance(source, PRIVATE_KEYS):
        return "the private key given"
    if is_loaded(source):
        return "the certificates given" if isinstance(source, CertificatePool) else "the certificate given"
    return name_of(source)  # type: ignore[arg-type]  # it raises for what is not a source


def is_loaded(source: object) -> bool:
    """Return True for a certificate, or several, that need not be read from a file."""
    return isinstance(source, Certificate | CertificatePool | x509.Certificate)


def _collect(
    sources: Sequence[CertificateSource], *, password: str | None = None, require_mac: bool = False, limits: Limits
) -> Collector:
    collector = Collector(password=password, require_mac=require_mac, limits=limits)
    for source in sources:
        collect_one(source, collector)
    return collector


def collect_one(source: CertificateSource, collector: Collector, content: bytes | None = None) -> None:
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
    if not is_loaded(source) and is_folder(source):  # type: ignore[arg-type]  # it is a source
        raise InputError(f"{label(source)}: a folder; name the file in it that is the trust anchor")
    try:
        collect_one(source, collector)
    except PasswordError:  # the passwords of the call are for other files
        raise InputError(
            f"{label(source)}: a PKCS#12 file that is protected by a password; give the trust anchor as PEM or DER"
        ) from None
    _require_no_rejects(collector)
    certificates = collector.certificates[before:]
    if not is_loaded(source):
        warnings += about_file(label(source), certificates)
    for certificate in certificates:
        try:
            yield TrustAnchor.from_certificate(certificate)
        except MalformedCertificateError as error:
            raise MalformedCertificateError(f"trust anchor {certificate.subject}: {error}") from None
