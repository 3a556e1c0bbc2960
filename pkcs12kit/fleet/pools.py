"""The certificates, CRLs and OCSP responses of many bundles: loaded once in each process, and the same in all."""

from __future__ import annotations

import platform
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from pkcs12kit.errors import InputError
from pkcs12kit.sources.crls_and_ocsp import load_revocation
from pkcs12kit.sources.loading import load_certificates, load_trust_anchors
from pkcs12kit.sources.reading import (
    fault_of,
    folder_files,
    is_folder,
    read_source,
    require_regular_file,
    shown_path,
)
from pkcs12kit.text import harmless, shortened
from pkcs12kit.typed_values import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.fleet.bundles import FleetBundle
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.revocation.model import Revocation

T = TypeVar("T")

_KEPT: Final = 64
"""Pools that a process keeps; a manifest has one or a few."""
_KEPT_EVIDENCE: Final = 8
"""Sets of CRLs and OCSP responses that a process keeps; one may have many megabytes."""
_LISTED: Final = 3


class FleetPool(NamedTuple):
    """The CA certificates and trust anchors of bundles, and warnings about the anchors."""

    certificates: CertificatePool
    trust_anchors: tuple[TrustAnchor, ...]
    warnings: tuple[str, ...]
    encodings: frozenset[bytes]
    """The DER of the certificates."""


def fleet_digest(certificates: Sequence[str], trust_anchors: Sequence[str], *, limits: Limits) -> str:
    """Return the SHA-256, hexadecimal, of the CA certificates in these files and folders, and of the anchors' files.

    Names do not matter, nor do other files in a folder, such as those that the run writes. Raises
    :class:`~pkcs12kit.InputError` for a file that cannot be read, or not twice: a pipe would stop the whole run.
    """
    return _pool_digest(_load_certificates(certificates, limits), trust_anchors, limits)


def _load_certificates(paths: Sequence[str], limits: Limits) -> CertificatePool:
    for path in paths:
        require_regular_file(path)
    return load_certificates(*paths, limits=limits)


def _pool_digest(certificates: CertificatePool, trust_anchors: Sequence[str], limits: Limits) -> str:
    encodings = sorted(sha256(one.der).digest() for one in certificates)
    anchors = sorted(digest for source in trust_anchors for digest in contents_of(source, limits))
    parts = (sha256(b"".join(part)).digest() for part in (encodings, anchors))
    return sha256(b"".join(parts)).hexdigest()


def contents_of(source: str, limits: Limits, *, left_out: frozenset[tuple[int, int]] = frozenset()) -> Iterator[bytes]:
    """Yield the SHA-256 of each file of a source: itself, or those in the folder.

    Raises :class:`~pkcs12kit.InputError` for a file that cannot be read, or not twice: a pipe would stop the whole run.
    """
    if not is_folder(source):
        require_regular_file(source)
        yield sha256(read_source(source, limits)).digest()
        return
    for file in folder_files(source, limits):
        if file.fault is not None:
            yield sha256(f"{file.path}: {file.fault}".encode(errors="surrogateescape")).digest()
            continue
        try:
            status = Path(file.path).stat()
        except OSError as error:
            raise InputError(f"{shown_path(file.path)}: {fault_of(error)}") from None
        if (status.st_dev, status.st_ino) not in left_out:
            yield sha256(read_source(file.path, limits)).digest()


def load_pool(certificates: Sequence[str], trust_anchors: Sequence[str], digest: str, *, limits: Limits) -> FleetPool:
    """Return the certificates and anchors of these files, which are read once in a process.

    Raises :class:`~pkcs12kit.InputError` if their contents are not those of ``digest``: this machine does not see the
    same files as the one that planned the run, or they are being changed.
    """
    paths = tuple(certificates), tuple(trust_anchors)
    return _POOLS.get((*paths, digest, limits), lambda: _load(*paths, digest, limits))


def evidence_files(bundle: FleetBundle) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files and folders of a bundle's CRLs and OCSP responses; none where revocation is not checked."""
    if bundle.options.get("revocation") == "off":
        return (), ()
    return tuple(bundle.options.get("crl", ())), tuple(bundle.options.get("ocsp", ()))


def evidence_digest(crls: tuple[str, ...], ocsp_responses: tuple[str, ...], *, limits: Limits) -> str:
    """Return the SHA-256, hexadecimal, of the CRLs and OCSP responses in these files and folders; empty without any.

    Other files in a folder do not matter. Raises :class:`~pkcs12kit.InputError` for a file that has none.
    """
    for path in (*crls, *ocsp_responses):
        require_regular_file(path)
    return _digest_of(load_revocation(None, crls=crls, ocsp_responses=ocsp_responses, limits=limits))


def load_evidence(bundle: FleetBundle, digest: str, *, limits: Limits) -> Revocation | None:
    """Return the request to check revocation for a bundle; its CRLs and OCSP responses are read once in a process.

    Returns None where it is not checked. Raises :class:`~pkcs12kit.InputError` as :func:`load_pool` does.
    """
    mode, age = bundle.options.get("revocation"), bundle.options.get("revocation_max_age")
    crls, responses = evidence_files(bundle)

    def load() -> Revocation | None:
        loaded = load_revocation(
            mode,
            crls=crls,
            ocsp_responses=responses,
            max_age=None if age is None else parse_duration(age),
            limits=limits,
        )
        if _digest_of(loaded) != digest:
            raise _other_files("CRLs or OCSP responses", (*crls, *responses))
        return loaded

    return _EVIDENCE.get((mode, age, crls, responses, digest, limits), load)


def _digest_of(revocation: Revocation | None) -> str:
    if revocation is None or not (revocation.crls or revocation.ocsp_responses):
        return ""
    parts = (sorted(sha256(one).digest() for one in of) for of in (revocation.crls, revocation.ocsp_responses))
    return sha256(b"".join(sha256(b"".join(part)).digest() for part in parts)).hexdigest()


class _Kept(Generic[T]):
    """Values that this process has loaded, by all that they depend on."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: dict[tuple[object, ...], T] = {}

    def get(self, key: tuple[object, ...], load: Callable[[], T]) -> T:
        """Return the value of a key; load it the first time."""
        with self._lock:  # held while one is loaded: other threads need the same one as a rule
            if key not in self._kept:
                loaded = load()
                while len(self._kept) >= self._most:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = loaded
            return self._kept[key]


_POOLS: Final = _Kept[FleetPool](_KEPT)
_EVIDENCE: Final = _Kept["Revocation | None"](_KEPT_EVIDENCE)


def _load(certificates: tuple[str, ...], trust_anchors: tuple[str, ...], digest: str, limits: Limits) -> FleetPool:
    warnings: list[str] = []
    loaded = _load_certificates(certificates, limits)
    if _pool_digest(loaded, trust_anchors, limits) == digest:
        anchors = load_trust_anchors(*trust_anchors, on_warning=warnings.append, limits=limits)
        pool = FleetPool(loaded, anchors, tuple(warnings), frozenset(one.der for one in loaded))
        if _pool_digest(loaded, trust_anchors, limits) == digest:  # the anchors' files are as they were before
            return pool
    raise _other_files("CA certificates or trust anchors", (*certificates, *trust_anchors))


def _other_files(what: str, paths: Sequence[str]) -> InputError:
    named = ", ".join(shortened([shown_path(path) for path in paths], _LISTED))
    return InputError(
        f"{named}: on {harmless(platform.node() or 'this machine')} the {what} are not those with which the run began:"
        " all machines need the same files at the same paths, and nothing may change them during the run; run it again"
    )
