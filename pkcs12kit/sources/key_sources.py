"""Private keys from sources: a key in PEM or DER, or a PKCS#12 file, each opened with the passwords given for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pkcs12kit.arguments import require_flags, require_functions, require_kind, require_texts
from pkcs12kit.certificates.pool import Reject
from pkcs12kit.errors import InputError, PasswordError, PfxError
from pkcs12kit.limits import Limits
from pkcs12kit.pkcs12.decoder import DecodedPfx, decode_pfx
from pkcs12kit.sources.collecting import Collector
from pkcs12kit.sources.keys import read_private_key, require_signing_key
from pkcs12kit.sources.pkcs12_files import naming_pkcs12, no_pkcs12
from pkcs12kit.sources.sniffing import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.pkcs12.decoded_keys import DecodedKey
    from pkcs12kit.sources.pkcs12_files import SourceContent

T = TypeVar("T")
Password: TypeAlias = "str | Callable[[], str] | None"  # noqa: S105  # the name of a type
"""A password, or a function that is called only if a password is needed, such as a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The passwords for the files of an identity, and the choice of key and certificate; as in ``load_identity``."""

    key_password: Password = field(default=None, repr=False)
    password: Password = field(default=None, repr=False)
    certificate_password: Password = field(default=None, repr=False)
    contents_password: str | None = field(default=None, repr=False)
    key_name: str | None = None
    key_id: bytes | None = None
    time: datetime
    require_mac: bool = False
    on_warning: Callable[[str], object] | None = None
    limits: Limits

    def __post_init__(self) -> None:
        for name in ("key_password", "password", "certificate_password"):
            if not callable(password := getattr(self, name)):
                require_texts(**{name: password})
        require_texts(contents_password=self.contents_password, key_name=self.key_name)
        require_kind("key_id", self.key_id, bytes, optional=True)
        require_flags(require_mac=self.require_mac)
        require_functions(on_warning=self.on_warning)
        require_kind("limits", self.limits, Limits)

    def refuse_choice(self, name: str) -> None:
        """Raise :class:`~pkcs12kit.errors.InputError` if a key is to be chosen where keys have no names or IDs."""
        if self.key_name is not None or self.key_id is not None:
            raise InputError(f"{name}: not a PKCS#12 file: only there a key has a name or an ID to choose it by")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedKey:
    """A private key, and what stands beside it in its file; ``name`` is the file's, for messages."""

    name: str
    private_key: CertificateIssuerPrivateKeyTypes = field(repr=False)
    own_certificates: tuple[Certificate, ...] = ()
    """The certificates of the key, if they are known."""
    certificates: tuple[Certificate, ...] = ()
    """Every certificate."""
    rejects: tuple[Reject, ...] = ()
    """The certificates that cannot be read."""
    decoded: DecodedPfx | None = field(default=None, repr=False)
    """The whole contents, if the file is a PKCS#12 file."""


def open_with(read: Callable[[str | None], T], own: Password, others: Iterable[Password] = ()) -> T:
    """Call ``read`` with the password that is given for a file.

    If none is given, the passwords ``others`` of other files are tried, then none, then the function ``own`` is asked.
    After a wrong answer, a function that has a method ``again`` is asked for another with the error; None ends this.
    Raises :class:`~pkcs12kit.errors.PasswordError`; the text of one that the function raises is added to the reason.
    """
    if isinstance(own, str):
        return read(own)
    for other in others:
        if isinstance(other, str):
            try:
                return read(other)
            except PasswordError:
                continue
    try:
        return read(None)
    except PasswordError as error:
        if own is None:
            raise
        needed = error
    try:
        password = own()
    except PasswordError as error:
        raise type(needed)(f"{needed}; {error}") from None
    return _read_with_answers(read, password, getattr(own, "again", None))


def _read_with_answers(
    read: Callable[[str | None], T], password: str | None, again: Callable[[PasswordError], str | None] | None
) -> T:
    """Call ``read`` with a password, and with those that ``again`` returns for the errors, until one opens it."""
    while True:
        try:
            return read(password)
        except PasswordError as error:
            password = None if again is None else again(error)
            if password is None:
                raise


def key_from_content(content: SourceContent, opening: Opening, *, with_certificates: bool) -> LoadedKey:
    """Return the private key of a file; only ``with_certificates`` with those beside it, which then must exist."""
    if content.kind is Kind.PKCS12:
        missing = "expected a private key, found a PKCS#12 file without one"
        return key_from_pkcs12(
            content, opening, opening.key_password, opening.password, opening.certificate_password, missing=missing
        )
    opening.refuse_choice(content.name)
    limits = opening.limits
    private_key = open_with(
        lambda password: read_private_key(content.data, name=content.name, password=password, limits=limits),
        opening.key_password,
    )
    if not with_certificates:
        return LoadedKey(name=content.name, private_key=private_key)

    def collect(password: str | None) -> Collector:
        collector = Collector(password=password, require_mac=opening.require_mac, limits=limits)
        collector.collect_content(content.name, content.data)
        return collector

    found = open_with(collect, opening.password)
    return LoadedKey(
        name=content.name,
        private_key=private_key,
        certificates=tuple(found.certificates),
        rejects=tuple(found.rejects),
    )


def key_from_pkcs12(
    source: SourceContent | DecodedPfx,
    opening: Opening,
    own: Password,
    *others: Password,
    missing: str = "a PKCS#12 file without a private key",
) -> LoadedKey:
    """Return the chosen private key of a PKCS#12 file with all its certificates.

    ``own`` is the password of the file, ``others`` those of other files. Raises
    :class:`~pkcs12kit.errors.InputError` with the text ``missing`` if the file has no key.
    """
    if isinstance(source, DecodedPfx):
        name = "the PKCS#12 file given"
        if opening.require_mac and source.warnings:
            raise PfxError(f"{name}: {source.warnings[0]} (a MAC is required)")
        with naming_pkcs12(name, b""):
            decoded, key = source, _choose(source, opening)
    else:
        name = source.name
        decoded, key = _decode(source, opening, own, others)
    if opening.on_warning is not None:
        for warning in (*decoded.warnings, *decoded.left_out):
            opening.on_warning(f"{name}: {warning}")
    if key is None:
        raise InputError(f"{name}: {missing}")
    rejects = (Reject(source=name, position=reject.position, reason=reject.reason) for reject in decoded.rejects)
    return LoadedKey(
        name=name,
        private_key=require_signing_key(key.private_key, name),
        own_certificates=key.certificates,
        certificates=decoded.certificates,
        rejects=tuple(rejects),
        decoded=decoded,
    )


def _decode(
    content: SourceContent, opening: Opening, own: Password, others: Iterable[Password]
) -> tuple[DecodedPfx, DecodedKey | None]:
    """Decode a file with the password that also opens the chosen key."""
    if content.kind is not Kind.PKCS12:
        raise no_pkcs12(content.name, content.der, content.kind)

    def decode(password: str | None) -> tuple[DecodedPfx, DecodedKey | None]:
        decoded = decode_pfx(
            content.der,
            password=password,
            contents_password=opening.contents_password,
            require_mac=opening.require_mac,
            limits=opening.limits,
        )
        return decoded, _choose(decoded, opening)

    with naming_pkcs12(content.name, content.der):
        return open_with(decode, own, others)


def _choose(decoded: DecodedPfx, opening: Opening) -> DecodedKey | None:
    """Return the chosen key, None if there is no key at all. Raises the error of a chosen key that is not read."""
    if not decoded.keys and not decoded.unread_keys:
        return None
    return decoded.key(friendly_name=opening.key_name, local_key_id=opening.key_id)
