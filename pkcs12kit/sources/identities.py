"""Identities, a private key with its certificate: from the files that have them, or from loaded values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pkcs12kit.certificates.choice import by_preference, name_others
from pkcs12kit.certificates.identity import PRIVATE_KEYS, Identity
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import InputError, KeyMismatchError, MalformedCertificateError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.decoder import DecodedPfx
from pkcs12kit.sources.arguments import SOURCES, require_argument
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.key_sources import LoadedKey, Opening, key_from_content, key_from_pkcs12, open_with
from pkcs12kit.sources.keys import require_signing_key
from pkcs12kit.sources.loading import collect_one, is_loaded, label
from pkcs12kit.sources.pkcs12_files import SourceContent
from pkcs12kit.sources.reading import is_folder, read_source
from pkcs12kit.sources.sniffing import Kind
from pkcs12kit.times import time_or_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, PrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.loading import CertificateSource
    from pkcs12kit.sources.reading import Source

KeySource: TypeAlias = "Source | PrivateKeyTypes"
"""A source of a private key, or a private key of pyca/cryptography."""
IdentitySource: TypeAlias = "Source | DecodedPfx | Identity"
"""A source of a key with its certificate, or one that is loaded already."""


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
        elif key is None or is_loaded(key):
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


def as_identity(
    given: IdentitySource,
    *,
    name: str = "identity",
    password: str | None = None,
    key_password: str | None = None,
    require_mac: bool = False,
    on_warning: Callable[[str], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Identity:
    """Return the identity of an argument.

    - ``given``: an :class:`~pkcs12kit.Identity`, which is returned as it is; what :func:`~pkcs12kit.decode_pfx`
      returned; or the source of a PKCS#12 file or of a PEM file with both key and certificate. The content decides
      which of the two it is.
    - ``name``: the parameter's, for messages.
    - ``password``, ``key_password``, ``require_mac``, ``on_warning``: as in :func:`~pkcs12kit.load_identity`.

    Raises as :func:`~pkcs12kit.load_identity` does, and :class:`~pkcs12kit.ArgumentError`.
    """
    opening = Opening(
        password=password,
        key_password=key_password,
        time=time_or_now(None),
        require_mac=require_mac,
        on_warning=on_warning,
        limits=limits,
    )
    return as_loaded_identity(given, opening, name=name).identity


def as_loaded_identity(given: IdentitySource, opening: Opening, *, name: str = "identity") -> LoadedIdentity:
    """Return the identity of an argument, and the certificates of its file. Raises as :func:`as_identity` does."""
    if isinstance(given, Identity):
        opening.refuse_choice("the identity given")
        return LoadedIdentity(identity=given, certificates=CertificatePool())
    require_argument(given, (*SOURCES, DecodedPfx), name, "a path, bytes, an Identity or a DecodedPfx")
    if isinstance(given, DecodedPfx):
        return load_server(None, None, given, opening)
    return load_identity_file(given, opening)


def _matched(found: LoadedKey, certificate: CertificateSource | None, opening: Opening) -> LoadedIdentity:
    """Return the identity of a key and the one of its certificates that is used.

    ``certificate`` is its source, None if the key's own file has it.
    """
    name, certificates, rejects = found.name, found.certificates, found.rejects
    belonging = found.own_certificates
    if certificate is not None:
        read_once = None
        if not is_loaded(certificate) and not is_folder(certificate):  # type: ignore[arg-type]  # it is a source
            read_once = read_source(certificate, opening.limits)  # type: ignore[arg-type]

        def collect(password: str | None) -> Collector:
            collector = Collector(password=password, require_mac=opening.require_mac, limits=opening.limits)
            collect_one(certificate, collector, read_once)
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
