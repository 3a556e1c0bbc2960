"""The bundles that have a name: their URLs and roots as data, and the file in which users add their own."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from pkcs12kit.arguments import require_kind, require_names
from pkcs12kit.errors import ArgumentError, InputError, UnknownNameError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.retrieval.cache.entries import has_credentials
from pkcs12kit.retrieval.http.permitted import RefusedError, require_permitted_url, scheme_of
from pkcs12kit.sources.reading import name_of, read_source
from pkcs12kit.text import harmless, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pkcs12kit.sources.reading import Source

FILE: Final = "bundles.toml"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_SHOWN: Final = 200  # characters of what is refused
_FIELDS: Final = frozenset({"title", "publisher", "urls", "roots", "source"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedBundle:
    """A bundle of certificates that an organization publishes, as a zip archive or PKCS#7, recognized by its content.

    A bundle with roots has a publisher that is known to sign it. It is refused without a signature whose signer has a
    path to a root or to the user's trust anchor (:func:`~pkcs12kit.published.fetch_bundle`).

    Raises :class:`~pkcs12kit.ArgumentError` for no URL, and for values of other kinds. That its URLs are permitted is
    not checked here, but before they are asked.
    """

    name: str
    """The name, for ``--bundle``."""
    title: str
    """The title, for people."""
    urls: tuple[str, ...]
    """The URLs, tried in order until one answers."""
    publisher: str = ""
    """The organization that publishes it."""
    roots: tuple[str, ...] = ()
    """SHA-256 fingerprints in lower-case hexadecimal.

    If the user gives no trust anchor, a path must lead from the signer of the checksum file to one of these
    certificates, which must be in the archive itself.
    """
    source: str = ""
    """The source of this information."""
    file: str = ""
    """A file on this computer that is read instead of the URLs; empty for none."""

    def __post_init__(self) -> None:
        for name in ("name", "title", "publisher", "source", "file"):
            require_kind(name, getattr(self, name), str)
        for name in ("urls", "roots"):
            object.__setattr__(self, name, require_names(name, getattr(self, name)))
        if not self.urls:
            raise ArgumentError("urls: give at least one URL of the bundle")

    @property
    def is_signed(self) -> bool:
        """True if the publisher is known to sign the bundle."""
        return bool(self.roots)

    def to_json(self) -> dict[str, object]:
        """Return the form for ``--json``; ``file`` only for a bundle in a file."""
        answer: dict[str, object] = {
            "name": self.name,
            "title": self.title,
            "publisher": self.publisher,
            "urls": list(self.urls),
            "roots": list(self.roots),
            "source": self.source,
        }
        return answer | ({"file": self.file} if self.file else {})


_DISA: Final = "Defense Information Systems Agency (DISA), DoD PKE"
_DISA_FILES: Final = "https://dl.dod.cyber.mil/wp-content/uploads/pki-pke/zip"
# README.txt in DISA's archives has the SHA-1 fingerprint of the root that their signer is below: D7:3C:A9:11:02:A2:20:
# 4A:36:45:9E:D3:22:13:B4:67:D7:CE:97:FB (versions 5.3 and 5.5, DoD Root CA 3), D3:7E:CF:61:C0:B4:ED:88:68:1E:F3:63:0C:
# 4E:2F:C7:87:B3:7A:EF (5.12 and 5.14, DoD Root CA 6). These are the SHA-256 fingerprints of the same two certificates.
_DISA_ROOTS: Final = (
    "b107b33f453e5510f68e513110c6f6944bacc263df0137f821c1b3c2f8f863d2",
    "2a5e41aca93df7cc496d2369b7a0a037045d502f1abaaf76975fc07c6660cf93",
)
_DISA_SOURCE: Final = "https://www.cyber.mil/pki-pke/document-library and README.txt in the archive"
_FPKI_FILE: Final = "CACertificatesValidatingToFederalCommonPolicyG2.p7b"

PUBLISHED: Final[Mapping[str, PublishedBundle]] = MappingProxyType(
    {
        bundle.name: bundle
        for bundle in (
            PublishedBundle(
                name="dod",
                title="DoD PKI: roots and issuing CAs",
                publisher=_DISA,
                urls=(f"{_DISA_FILES}/unclass-certificates_pkcs7_DoD.zip",),
                roots=_DISA_ROOTS,
                source=_DISA_SOURCE,
            ),
            PublishedBundle(
                name="eca",
                title="External Certification Authorities of the DoD: roots and issuing CAs",
                publisher=_DISA,
                urls=(f"{_DISA_FILES}/unclass-certificates_pkcs7_ECA.zip",),
                roots=_DISA_ROOTS,
                source=_DISA_SOURCE,
            ),
            PublishedBundle(
                name="fpki",
                title="Federal PKI: CA certificates that reach Federal Common Policy CA G2",
                publisher="General Services Administration (GSA)",
                urls=(
                    f"https://www.idmanagement.gov/implement/tools/{_FPKI_FILE}",
                    f"https://raw.githubusercontent.com/GSA/idmanagement.gov/staging/_implement/tools/{_FPKI_FILE}",
                ),
                source="the page of the FPKI graph on idmanagement.gov, and the repository that it is made from",
            ),
        )
    }
)
"""The bundles with a name. Their certificates are not trusted, whatever the name, the URL or the signature."""


def find_bundle(
    name: str, published: Mapping[str, PublishedBundle] = PUBLISHED, *, limits: Limits = DEFAULT_LIMITS
) -> PublishedBundle:
    """Return the bundle with this name, or one for this URL. The URL of a named bundle comes with its roots.

    Raises :class:`~pkcs12kit.UnknownNameError` for a text that is neither, and :class:`~pkcs12kit.errors.InputError`
    for a URL that is not permitted.
    """
    if name in published:
        return published[name]
    if not scheme_of(name):
        raise UnknownNameError("bundle", name, sorted(published))
    url = _permitted(name, "", limits)
    same = [
        one for one in published.values() if _normalized(url, limits) in {_normalized(its, limits) for its in one.urls}
    ]
    return PublishedBundle(name=name, title=name, urls=(url,), roots=tuple(root for one in same for root in one.roots))


def load_bundles(file: Source | None = None, *, limits: Limits = DEFAULT_LIMITS) -> Mapping[str, PublishedBundle]:
    """Return the named bundles together with those in a TOML file: each table ``[bundles.NAME]`` adds or replaces one.

    A table has ``urls``, and may have ``title``, ``publisher``, ``roots`` and ``source``, with the meanings in
    :class:`PublishedBundle`. A replaced bundle leaves nothing behind. None reads ``bundles.toml`` in the platform's
    folder for settings, by platformdirs, if the file exists. Raises :class:`~pkcs12kit.errors.InputError` for anything
    else in the file.
    """
    require_kind("limits", limits, Limits)
    if file is None:
        file = _settings_file()
        if not file.is_file():
            return PUBLISHED
    where = name_of(file)
    try:
        tables = tomllib.loads(read_source(file, limits).decode("utf-8"))
    except (ValueError, RecursionError) as error:  # ValueError also for an integer of too many digits
        raise InputError(f"{where}: not TOML: {error}") from None
    if tables.keys() - {"bundles"} or not isinstance(tables.get("bundles", {}), dict):
        raise InputError(f"{where}: expected tables [bundles.NAME], and nothing else")
    own = {name: _bundle(name, table, where, limits) for name, table in tables.get("bundles", {}).items()}
    return MappingProxyType({**PUBLISHED, **own})


def _settings_file() -> Path:
    from platformdirs import user_config_path

    return user_config_path("pkcs12kit", appauthor=False) / FILE


def _bundle(name: str, table: object, where: str, limits: Limits) -> PublishedBundle:
    where = f"{where}: bundle {quoted(name)}"
    if not _NAME.fullmatch(name):
        raise InputError(f"{where}: a name has only lower-case letters, digits, dots, dashes and underscores")
    if not isinstance(table, dict):
        raise InputError(f"{where}: expected a table")
    if unknown := sorted(table.keys() - _FIELDS):
        raise InputError(f"{where}: {quoted(unknown[0])} is not one of {', '.join(sorted(_FIELDS))}")
    urls, roots = _texts(table, "urls", where), _texts(table, "roots", where)
    if not urls:
        raise InputError(f"{where}: 'urls' is missing or empty")
    for root in roots:
        if not _SHA256.fullmatch(root):
            raise InputError(f"{where}: a root is a SHA-256 fingerprint, 64 digits 0-9a-f, not {quoted(root)}")
    return PublishedBundle(
        name=name,
        title=_text(table, "title", where) or name,
        publisher=_text(table, "publisher", where),
        urls=tuple(_permitted(url, f"{where}: ", limits) for url in urls),
        roots=roots,
        source=_text(table, "source", where),
    )


def _text(table: Mapping[str, object], field: str, where: str) -> str:
    value = table.get(field, "")
    if not isinstance(value, str):
        raise InputError(f"{where}: {field!r} is text")
    return value


def _texts(table: Mapping[str, object], field: str, where: str) -> tuple[str, ...]:
    value = table.get(field, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{where}: {field!r} is a list of texts")
    return tuple(cast("list[str]", value))


def _permitted(url: str, where: str, limits: Limits) -> str:
    """Return a URL; raise unless it may be asked. The fetcher checks later whether its address is public."""
    try:
        require_permitted_url(url, allow_private=True, limits=limits)
    except RefusedError as error:
        shown = "a URL" if has_credentials(url) else harmless(url, longest=_SHOWN)  # a password is not repeated
        raise InputError(f"{where}{shown}: {error}") from None
    return url


def _normalized(url: str, limits: Limits) -> str:
    return str(require_permitted_url(url, allow_private=True, limits=limits))
