"""Bundles that were carried by hand: a file instead of a URL, checked as a downloaded bundle is."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError
from pkcs12kit.retrieval.bundles.published import PublishedBundle
from pkcs12kit.retrieval.retrieved import Purpose, Retrieval, Status
from pkcs12kit.sources.reading import is_folder, name_of, read_source
from pkcs12kit.sources.sniffing import Kind, sniff

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.limits import Limits

_ENDINGS: Final = (".zip", ".p7b", ".p7c", ".p7m", ".pem", ".crt", ".cer", ".der", ".exe")


def is_file_name(text: str) -> bool:
    """Return True for the name of a file or folder that exists, and for a text that can only be meant as one."""
    if "://" in text:
        return False
    return os.path.lexists(text) or os.sep in text or "/" in text or text.lower().endswith(_ENDINGS)


def carried_bundle(file: str | os.PathLike[str], published: Iterable[PublishedBundle]) -> PublishedBundle:
    """Return the bundle in a file.

    The file does not say who published it. So its checksums may be signed below any root that is known for a bundle,
    and the name of the file means nothing.
    """
    path = os.fspath(file)
    roots = dict.fromkeys(root for bundle in published for root in bundle.roots)
    return PublishedBundle(
        name=path, title=name_of(path), urls=(Path(path).absolute().as_uri(),), roots=tuple(roots), file=path
    )


def read_carried(bundle: PublishedBundle, limits: Limits) -> Retrieval:
    """Read the file of a bundle. Raises :class:`~pkcs12kit.errors.InputError` for one that cannot be read."""
    if is_folder(bundle.file):
        raise InputError(f"{name_of(bundle.file)}: a folder; a bundle is one file. Give a folder with --certs")
    content = read_source(bundle.file, limits)
    return Retrieval(
        url=name_of(bundle.file),
        purpose=Purpose.BUNDLE,
        status=Status.READ,
        sha256=hashlib.sha256(content).hexdigest(),
        fetched=datetime.now(UTC),
        content=content,
    )


def is_only_a_source(bundle: PublishedBundle, content: bytes) -> bool:
    """Return True for a file of an unknown publisher that is not an archive, so that it cannot have checksums."""
    return bundle.file == bundle.name and sniff(content) is not Kind.ZIP
