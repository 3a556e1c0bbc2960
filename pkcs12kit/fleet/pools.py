"""CA certificates and trust anchors of many bundles: loaded once in each process, and the same in all of them."""

from __future__ import annotations

import platform
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.errors import InputError
from pkcs12kit.sources.loading import load_certificates, load_trust_anchors
from pkcs12kit.sources.reading import folder_files, is_folder, read_source, shown_path
from pkcs12kit.text import harmless, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits

_KEPT: Final = 64
"""Pools that a process keeps; a manifest has one or a few."""
_LISTED: Final = 3


class FleetPool(NamedTuple):
    """The CA certificates and trust anchors of bundles, and warnings about the anchors."""

    certificates: CertificatePool
    trust_anchors: tuple[TrustAnchor, ...]
    warnings: tuple[str, ...]
    encodings: frozenset[bytes]
    """The DER of the certificates."""


def fleet_digest(certificates: Sequence[str], trust_anchors: Sequence[str], *, limits: Limits) -> str:
    """Return the SHA-256, hexadecimal, of the contents of these files and folders; their names do not matter.

    Raises :class:`~pkcs12kit.InputError` for a file that cannot be read.
    """
    whole = sha256()
    for name, sources in ((b"certificates", certificates), (b"trust anchors", trust_anchors)):
        contents = sorted(digest for source in sources for digest in contents_of(source, limits))
        whole.update(sha256(name + b"".join(contents)).digest())
    return whole.hexdigest()


def contents_of(source: str, limits: Limits, *, left_out: frozenset[tuple[int, int]] = frozenset()) -> Iterator[bytes]:
    """Yield the SHA-256 of each file of a source: itself, or those in the folder."""
    if not is_folder(source):
        yield sha256(read_source(source, limits)).digest()
        return
    for file in folder_files(source, limits):
        if file.fault is not None:
            yield sha256(f"{file.path}: {file.fault}".encode(errors="surrogateescape")).digest()
            continue
        status = Path(file.path).stat()
        if (status.st_dev, status.st_ino) not in left_out:
            yield sha256(read_source(file.path, limits)).digest()


def load_pool(certificates: Sequence[str], trust_anchors: Sequence[str], digest: str, *, limits: Limits) -> FleetPool:
    """Return the certificates and anchors of these files, which are read once in a process.

    Raises :class:`~pkcs12kit.InputError` if their contents are not those of ``digest``: this machine does not see the
    same files as the one that planned the run, or they are being changed.
    """
    return _POOLS.get(tuple(certificates), tuple(trust_anchors), digest, limits)


class _Pools:
    """The pools of this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[tuple[object, ...], FleetPool] = {}

    def get(
        self, certificates: tuple[str, ...], trust_anchors: tuple[str, ...], digest: str, limits: Limits
    ) -> FleetPool:
        key = (certificates, trust_anchors, digest, limits)
        with self._lock:  # held while one is loaded: other threads need the same one as a rule
            found = self._kept.get(key)
            if found is None:
                found = _load(certificates, trust_anchors, digest, limits)
                while len(self._kept) >= _KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = found
            return found


_POOLS: Final = _Pools()


def _load(certificates: tuple[str, ...], trust_anchors: tuple[str, ...], digest: str, limits: Limits) -> FleetPool:
    warnings: list[str] = []
    before = fleet_digest(certificates, trust_anchors, limits=limits)
    if before == digest:
        loaded = load_certificates(*certificates, limits=limits)
        anchors = load_trust_anchors(*trust_anchors, on_warning=warnings.append, limits=limits)
        pool = FleetPool(loaded, anchors, tuple(warnings), frozenset(one.der for one in loaded))
        if fleet_digest(certificates, trust_anchors, limits=limits) == digest:
            return pool
    named = ", ".join(shortened([shown_path(path) for path in (*certificates, *trust_anchors)], _LISTED))
    raise InputError(
        f"{named}: on {harmless(platform.node() or 'this machine')} the CA certificates or trust anchors are not those"
        " with which the run began: all machines need the same files at the same paths, and nothing may change them"
        " during the run; run it again"
    )
